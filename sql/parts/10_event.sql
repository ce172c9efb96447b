-- Storage of events. People read and write telemetry.system_telemetry; this may change behind it.
--
-- This script makes no dated partition and no index on the partitioned parent: what a script creates belongs to the
-- extension, and pg_dump would leave out its rows. ensure_partitions() makes the days at run time.

-- Cached: a session takes ids in blocks, which costs a third of taking each one.
CREATE SEQUENCE telemetry.event_id_seq CACHE 64;
COMMENT ON SEQUENCE telemetry.event_id_seq IS 'Ids of events; each session takes them in blocks of 64';

CREATE TABLE telemetry.event (
    "timestamp"      timestamptz NOT NULL DEFAULT clock_timestamp(),
    id               bigint NOT NULL DEFAULT nextval('telemetry.event_id_seq'),
    event_type       text NOT NULL,
    component        text,
    value            double precision,
    duration_ms      double precision,
    first_token_ms   double precision,
    prompt_tokens    integer,
    tokens_generated integer,
    status           text,
    metadata         jsonb
) PARTITION BY RANGE ("timestamp");

ALTER SEQUENCE telemetry.event_id_seq OWNED BY telemetry.event.id;

CREATE TABLE telemetry.event_default PARTITION OF telemetry.event DEFAULT;
CREATE INDEX event_default_timestamp_idx ON telemetry.event_default ("timestamp");

COMMENT ON TABLE telemetry.event IS 'Every event as it was measured, one partition a UTC day; read and write it through telemetry.system_telemetry';
COMMENT ON TABLE telemetry.event_default IS 'Events of days that have no partition of their own';
COMMENT ON COLUMN telemetry.event."timestamp" IS 'When the event ended, by the clock of who logged it';
COMMENT ON COLUMN telemetry.event.id IS 'Id of the event; grows with every event that a session stores';
COMMENT ON COLUMN telemetry.event.event_type IS 'LOAD_LATENCY, THOUGHT_LATENCY, VRAM_CHECK, VRAM_LOCKOUT, or any other name';
COMMENT ON COLUMN telemetry.event.component IS 'Model, GPU or subsystem that the event is about';
COMMENT ON COLUMN telemetry.event.value IS 'The event''s own figure: seconds for LOAD_LATENCY, ms per generated token for THOUGHT_LATENCY (NULL for 0 tokens)';
COMMENT ON COLUMN telemetry.event.duration_ms IS 'Elapsed time of the load or the inference, in milliseconds';
COMMENT ON COLUMN telemetry.event.first_token_ms IS 'Milliseconds from the request to the first token, where known';
COMMENT ON COLUMN telemetry.event.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.event.tokens_generated IS 'Tokens generated';
COMMENT ON COLUMN telemetry.event.status IS 'OK, WARNING, or a failure: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED, ABORTED';
COMMENT ON COLUMN telemetry.event.metadata IS 'What has no column of its own, as a JSON object';

SELECT pg_extension_config_dump('telemetry.event_default', '');
SELECT pg_extension_config_dump('telemetry.event_id_seq', '');

CREATE FUNCTION telemetry.ensure_partitions("from" timestamptz, "to" timestamptz) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    AS 'MODULE_PATHNAME', 'telemetry_ensure_partitions';
COMMENT ON FUNCTION telemetry.ensure_partitions(timestamptz, timestamptz) IS
    'Makes the missing daily partitions from "from" to "to" (UTC days, at most 1000), moves their events out of the default partition, and returns how many were made';
