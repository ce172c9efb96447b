-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.3'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

ALTER SEQUENCE telemetry.event_id_seq CACHE 64;
COMMENT ON SEQUENCE telemetry.event_id_seq IS 'Ids of events; each session takes them in blocks of 64';
COMMENT ON COLUMN telemetry.event.id IS 'Id of the event; grows with every event that a session stores';
COMMENT ON COLUMN telemetry.system_telemetry.id IS 'Id of the event; grows with every event that a session stores; always generated';

-- Who sends batches to ingest(), and how far each of them is stored: what makes delivery exactly once.

CREATE TABLE telemetry.producer (
    producer       uuid PRIMARY KEY,
    last_sequence  bigint NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    clock_ahead_ms double precision NOT NULL,
    accepted       bigint NOT NULL,
    stored         bigint NOT NULL,
    queued         bigint NOT NULL,
    spilled        bigint NOT NULL,
    dropped        bigint NOT NULL,
    refused        bigint NOT NULL
) WITH (fillfactor = 50);   -- a row is updated with every batch, on its own page
COMMENT ON TABLE telemetry.producer IS 'Each client that has sent batches, up to which sequence they are stored, and what it said became of its events';
COMMENT ON COLUMN telemetry.producer.producer IS 'The UUID that the client chose when it started';
COMMENT ON COLUMN telemetry.producer.last_sequence IS 'Sequence of the last batch that is stored';
COMMENT ON COLUMN telemetry.producer.first_seen_at IS 'When its first batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.last_seen_at IS 'When its last batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.clock_ahead_ms IS 'By how many milliseconds its clock was ahead when it sent the last batch, the time of transport included';
COMMENT ON COLUMN telemetry.producer.accepted IS 'Events given to the client when it sent the last batch: the sum of the following';
COMMENT ON COLUMN telemetry.producer.stored IS 'Events of which it knew that they are stored';
COMMENT ON COLUMN telemetry.producer.queued IS 'Events in its memory, in flight included';
COMMENT ON COLUMN telemetry.producer.spilled IS 'Events in its spill file';
COMMENT ON COLUMN telemetry.producer.dropped IS 'Events that it lost';
COMMENT ON COLUMN telemetry.producer.refused IS 'Events that can never be stored';

SELECT pg_extension_config_dump('telemetry.producer', '');

-- Logging, many events a call.

CREATE TYPE telemetry.ingest_reply AS (
    stored        integer,
    refused       jsonb,
    duplicate     boolean,
    next_sequence bigint
);
COMMENT ON TYPE telemetry.ingest_reply IS 'What became of a batch';
COMMENT ON COLUMN telemetry.ingest_reply.stored IS 'How many of its events were stored';
COMMENT ON COLUMN telemetry.ingest_reply.refused IS 'Those that can never be: an array of index (from 0), sqlstate, reason';
COMMENT ON COLUMN telemetry.ingest_reply.duplicate IS 'Whether the batch was stored before, and so nothing was done';
COMMENT ON COLUMN telemetry.ingest_reply.next_sequence IS 'Sequence that the batch after it has';

CREATE FUNCTION telemetry.ingest(batch bytea) RETURNS telemetry.ingest_reply
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_ingest';
COMMENT ON FUNCTION telemetry.ingest(bytea) IS
    'Stores a batch of a client exactly once; docs/batch-format.md describes it. SQLSTATE 22P03: damaged; GT001: not the next one of its producer; GT002: too old';

CREATE TYPE telemetry.batch_result AS (
    stored  integer,
    refused jsonb
);
COMMENT ON TYPE telemetry.batch_result IS 'What became of the events of log_batch()';
COMMENT ON COLUMN telemetry.batch_result.stored IS 'How many events were stored';
COMMENT ON COLUMN telemetry.batch_result.refused IS 'Those that cannot be: an array of index (from 0), sqlstate, reason';

CREATE FUNCTION telemetry.log_batch(events jsonb, on_error text DEFAULT 'abort') RETURNS telemetry.batch_result
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_batch';
COMMENT ON FUNCTION telemetry.log_batch(jsonb, text) IS
    'Stores an array of events, objects with the columns of system_telemetry as fields. Where one cannot be stored: on_error => ''abort'' raises its error and stores none, ''skip'' stores the others and lists it';

COMMENT ON FUNCTION telemetry.system_telemetry_write() IS 'All triggers of telemetry.system_telemetry';
-- The rows of a statement are stored together.
CREATE TRIGGER open_stream BEFORE INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER open_stream ON telemetry.system_telemetry IS 'Makes ready for the rows of a statement';
CREATE TRIGGER close_stream AFTER INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER close_stream ON telemetry.system_telemetry IS 'Stores what is left of the rows of a statement, and their summaries';
