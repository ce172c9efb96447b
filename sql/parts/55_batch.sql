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
