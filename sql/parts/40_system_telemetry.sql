-- The face of the event storage: read it, insert into it, delete from it.

CREATE FUNCTION telemetry.event_metadata(event_type text, component text, value double precision,
                                         duration_ms double precision, prompt_tokens integer, tokens_generated integer,
                                         metadata jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    COST 1000   -- so that the planner computes it above ORDER BY ... LIMIT, for the rows that are shown only
    AS 'MODULE_PATHNAME', 'telemetry_event_metadata';
COMMENT ON FUNCTION telemetry.event_metadata(text, text, double precision, double precision, integer, integer, jsonb) IS
    'The metadata document of an event: for LOAD_LATENCY and THOUGHT_LATENCY completed from the columns; a key that was stored wins';

-- security_invoker: privileges and row security on telemetry.event are those of whoever asks.
CREATE VIEW telemetry.system_telemetry WITH (security_invoker = true) AS
    SELECT "timestamp", id, event_type, component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated,
           status,
           telemetry.event_metadata(event_type, component, value, duration_ms, prompt_tokens, tokens_generated, metadata)
               AS metadata
    FROM telemetry.event;

ALTER VIEW telemetry.system_telemetry ALTER COLUMN "timestamp" SET DEFAULT clock_timestamp();
ALTER VIEW telemetry.system_telemetry ALTER COLUMN status SET DEFAULT 'OK';

-- With session_replication_role = replica the trigger below does not fire, and rows inserted into a view vanish with
-- success reported. A trigger that fires ALWAYS is not to be had on a view: pg_upgrade could not restore it. But a column
-- that is never given has its default evaluated for every row.
CREATE FUNCTION telemetry.id_to_generate() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_id_to_generate';
COMMENT ON FUNCTION telemetry.id_to_generate() IS
    'Default of system_telemetry.id: NULL, or an error where session_replication_role would make inserted events vanish';
ALTER VIEW telemetry.system_telemetry ALTER COLUMN id SET DEFAULT telemetry.id_to_generate();

COMMENT ON VIEW telemetry.system_telemetry IS 'All events. INSERT and COPY FROM store events, DELETE removes them; events are never updated';
COMMENT ON COLUMN telemetry.system_telemetry."timestamp" IS 'When the event ended, by the clock of who logged it; now by default';
COMMENT ON COLUMN telemetry.system_telemetry.id IS 'Id of the event; grows with every event that a session stores; always generated';
COMMENT ON COLUMN telemetry.system_telemetry.event_type IS 'LOAD_LATENCY, THOUGHT_LATENCY, VRAM_CHECK, VRAM_LOCKOUT, or any other name';
COMMENT ON COLUMN telemetry.system_telemetry.component IS 'Model, GPU or subsystem that the event is about';
COMMENT ON COLUMN telemetry.system_telemetry.value IS 'The event''s own figure: seconds for LOAD_LATENCY, ms per generated token for THOUGHT_LATENCY (NULL for 0 tokens)';
COMMENT ON COLUMN telemetry.system_telemetry.duration_ms IS 'Elapsed time of the load or the inference, in milliseconds';
COMMENT ON COLUMN telemetry.system_telemetry.first_token_ms IS 'Milliseconds from the request to the first token, where known';
COMMENT ON COLUMN telemetry.system_telemetry.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.system_telemetry.tokens_generated IS 'Tokens generated';
COMMENT ON COLUMN telemetry.system_telemetry.status IS 'OK, WARNING, or a failure: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED, ABORTED';
COMMENT ON COLUMN telemetry.system_telemetry.metadata IS 'JSON object; for LOAD_LATENCY and THOUGHT_LATENCY it also shows the columns under the keys that older applications know';

CREATE FUNCTION telemetry.system_telemetry_write() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_system_telemetry_write';
COMMENT ON FUNCTION telemetry.system_telemetry_write() IS 'All triggers of telemetry.system_telemetry';

CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON telemetry.system_telemetry
    FOR EACH ROW EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER write ON telemetry.system_telemetry IS 'Stores, deletes, and refuses updates';
-- The rows of a statement are stored together.
CREATE TRIGGER open_stream BEFORE INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER open_stream ON telemetry.system_telemetry IS 'Makes ready for the rows of a statement';
CREATE TRIGGER close_stream AFTER INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER close_stream ON telemetry.system_telemetry IS 'Stores what is left of the rows of a statement, and their summaries';
