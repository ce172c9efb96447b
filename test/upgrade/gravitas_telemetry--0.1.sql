-- Run by CREATE EXTENSION; not meant for psql.
\echo Use "CREATE EXTENSION gravitas_telemetry" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- In the extension, so that it owns it and nobody can have put anything into it before.
CREATE SCHEMA telemetry;
COMMENT ON SCHEMA telemetry IS 'Gravitas Telemetry: how long language models take to load and to answer';
-- Storage of events. People read and write telemetry.system_telemetry; this may change behind it.
--
-- This script makes no dated partition and no index on the partitioned parent: what a script creates belongs to the
-- extension, and pg_dump would leave out its rows. ensure_partitions() makes the days at run time.

CREATE SEQUENCE telemetry.event_id_seq;
COMMENT ON SEQUENCE telemetry.event_id_seq IS 'Numbers events in the order in which they were stored';

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
COMMENT ON COLUMN telemetry.event.id IS 'Number of the event, in the order of storing';
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
-- Token usage per model and layer.

CREATE SEQUENCE telemetry.usage_stats_id_seq;

CREATE TABLE telemetry.usage_stats (
    id                bigint PRIMARY KEY DEFAULT nextval('telemetry.usage_stats_id_seq'),
    "timestamp"       timestamptz NOT NULL DEFAULT clock_timestamp(),
    model             text NOT NULL,
    layer             text,
    prompt_tokens     integer CHECK (prompt_tokens >= 0),
    completion_tokens integer CHECK (completion_tokens >= 0),
    duration_ms       double precision CHECK (duration_ms >= 0)
);
CREATE INDEX usage_stats_timestamp_idx ON telemetry.usage_stats ("timestamp");
ALTER SEQUENCE telemetry.usage_stats_id_seq OWNED BY telemetry.usage_stats.id;

COMMENT ON SEQUENCE telemetry.usage_stats_id_seq IS 'Numbers the rows of usage_stats';
COMMENT ON TABLE telemetry.usage_stats IS 'Tokens used by a model in a layer of the application, a row a call';
COMMENT ON COLUMN telemetry.usage_stats.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.usage_stats."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.usage_stats.model IS 'Name of the model';
COMMENT ON COLUMN telemetry.usage_stats.layer IS 'Part of the application that made the call';
COMMENT ON COLUMN telemetry.usage_stats.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.usage_stats.completion_tokens IS 'Tokens generated';
COMMENT ON COLUMN telemetry.usage_stats.duration_ms IS 'Elapsed time of the call, in milliseconds';

SELECT pg_extension_config_dump('telemetry.usage_stats', '');
SELECT pg_extension_config_dump('telemetry.usage_stats_id_seq', '');

CREATE FUNCTION telemetry.log_usage(model text, layer text, prompt_tokens integer, completion_tokens integer,
                                    duration_ms double precision) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_usage';
COMMENT ON FUNCTION telemetry.log_usage(text, text, integer, integer, double precision) IS
    'Stores one row of usage_stats and returns its id';
-- What was said: prompts and answers, where an application chooses to keep them.

CREATE SEQUENCE telemetry.history_id_seq;

CREATE TABLE telemetry.history (
    id          bigint PRIMARY KEY DEFAULT nextval('telemetry.history_id_seq'),
    "timestamp" timestamptz NOT NULL DEFAULT clock_timestamp(),
    role        text NOT NULL,
    content     text NOT NULL,
    ghost_id    text,
    shell_id    text
);
CREATE INDEX history_timestamp_idx ON telemetry.history ("timestamp");
ALTER SEQUENCE telemetry.history_id_seq OWNED BY telemetry.history.id;

COMMENT ON SEQUENCE telemetry.history_id_seq IS 'Numbers the rows of history';
COMMENT ON TABLE telemetry.history IS 'Prompts and answers that the application chose to keep; it holds text of people';
COMMENT ON COLUMN telemetry.history.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.history."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.history.role IS 'Who spoke: user, assistant, system, tool or any other';
COMMENT ON COLUMN telemetry.history.content IS 'The text';
COMMENT ON COLUMN telemetry.history.ghost_id IS 'The application''s id of the persona';
COMMENT ON COLUMN telemetry.history.shell_id IS 'The application''s id of the session';

SELECT pg_extension_config_dump('telemetry.history', '');
SELECT pg_extension_config_dump('telemetry.history_id_seq', '');

CREATE FUNCTION telemetry.log_history(role text, content text, ghost_id text DEFAULT NULL, shell_id text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_history';
COMMENT ON FUNCTION telemetry.log_history(text, text, text, text) IS
    'Stores one row of history and returns its id';
-- How long rows are meant to stay. Defaults live in retention_keep(), the table holds what was changed.

CREATE TABLE telemetry.retention_policy (
    table_name text PRIMARY KEY CHECK (table_name IN ('event', 'usage_stats', 'history')),
    keep       interval CHECK (keep >= interval '1 day')
);
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, usage_stats or history';
COMMENT ON COLUMN telemetry.retention_policy.keep IS 'How long rows stay; NULL: for ever';

SELECT pg_extension_config_dump('telemetry.retention_policy', '');

CREATE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                THEN (SELECT p.keep FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                WHEN $1 IN ('event', 'usage_stats') THEN interval '60 days'
           END;
END;
COMMENT ON FUNCTION telemetry.retention_keep(text) IS
    'How long rows of event, usage_stats or history are meant to stay: what retention_policy says, or the default; NULL: for ever';
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
COMMENT ON COLUMN telemetry.system_telemetry.id IS 'Number of the event, in the order of storing; always generated';
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
COMMENT ON FUNCTION telemetry.system_telemetry_write() IS 'Trigger of telemetry.system_telemetry';

CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON telemetry.system_telemetry
    FOR EACH ROW EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER write ON telemetry.system_telemetry IS 'Stores, deletes, and refuses updates';
-- Logging, one event a call. Each returns the id of the stored event.

CREATE FUNCTION telemetry.log(event_type text, component text DEFAULT NULL, value double precision DEFAULT NULL,
                              metadata jsonb DEFAULT NULL, status text DEFAULT 'OK',
                              event_time timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log';
COMMENT ON FUNCTION telemetry.log(text, text, double precision, jsonb, text, timestamptz) IS
    'Stores one event of any type and returns its id; event_time is when it ended, now if NULL';

CREATE FUNCTION telemetry.log_load_latency(model_name text, load_time_seconds double precision,
                                           success boolean DEFAULT true, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_load_latency';
COMMENT ON FUNCTION telemetry.log_load_latency(text, double precision, boolean, timestamptz) IS
    'Stores how long a model took to load, in seconds, and returns the id; success => false stores status ERROR';

CREATE FUNCTION telemetry.log_thought_latency(model_name text, inference_time_seconds double precision,
                                              tokens_generated integer, prompt_tokens integer DEFAULT 0,
                                              success boolean DEFAULT true,
                                              first_token_seconds double precision DEFAULT NULL,
                                              metadata jsonb DEFAULT NULL, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_thought_latency';
COMMENT ON FUNCTION telemetry.log_thought_latency(text, double precision, integer, integer, boolean, double precision, jsonb, timestamptz) IS
    'Stores how long an inference took, in seconds, with its tokens, and returns the id; the score is ms per generated token';
-- Elapsed time in SQL.

CREATE FUNCTION telemetry.start_timer() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_start_timer';
COMMENT ON FUNCTION telemetry.start_timer() IS
    'The server''s monotonic clock in nanoseconds, for measure_latency()';

CREATE FUNCTION telemetry.measure_latency(start bigint) RETURNS double precision
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_measure_latency';
COMMENT ON FUNCTION telemetry.measure_latency(bigint) IS
    'Seconds since start_timer() returned start';
-- Questions. Their bodies are parsed when they are created, so no search_path can change what they mean.

CREATE FUNCTION telemetry.row_limit("limit" integer) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_row_limit';
COMMENT ON FUNCTION telemetry.row_limit(integer) IS 'Its argument, or an error unless it is between 1 and 1000000';

CREATE FUNCTION telemetry.reading_window(hours integer, as_of timestamptz,
                                         OUT window_start timestamptz, OUT window_end timestamptz)
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_reading_window';
COMMENT ON FUNCTION telemetry.reading_window(integer, timestamptz) IS
    'The half-open window of the last hours before as_of, widened to whole minutes';

CREATE FUNCTION telemetry.is_error_status(status text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_is_error_status';
COMMENT ON FUNCTION telemetry.is_error_status(text) IS
    'Whether the status is that of a failed call: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED or ABORTED, in any case';

CREATE TYPE telemetry.recent_event AS (
    event_type  text,
    component   text,
    value       double precision,
    metadata    jsonb,
    status      text,
    "timestamp" timestamptz
);
COMMENT ON TYPE telemetry.recent_event IS 'A row of get_recent_events()';

CREATE FUNCTION telemetry.get_recent_events("limit" integer DEFAULT 10, component text DEFAULT NULL)
    RETURNS SETOF telemetry.recent_event
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.event_type, e.component, e.value, e.metadata, e.status, e."timestamp"
    FROM telemetry.system_telemetry AS e
    WHERE $2 IS NULL OR e.component = $2
    ORDER BY e."timestamp" DESC, e.id DESC
    LIMIT telemetry.row_limit($1);
END;
COMMENT ON FUNCTION telemetry.get_recent_events(integer, text) IS
    'The newest events first, of all components or of one';

CREATE TYPE telemetry.component_efficiency AS (
    component                 text,
    measurement_count         bigint,
    error_count               bigint,
    avg_efficiency_score      double precision,
    weighted_efficiency_score double precision,
    best_efficiency           double precision,
    worst_efficiency          double precision,
    p50_efficiency            double precision,
    p95_efficiency            double precision,
    p99_efficiency            double precision,
    total_tokens              bigint,
    window_start              timestamptz,
    window_end                timestamptz
);
COMMENT ON TYPE telemetry.component_efficiency IS
    'A row of get_aggregated_efficiency(). Scores are milliseconds per generated token, lower is better; failed calls are in error_count only';

CREATE FUNCTION telemetry.get_aggregated_efficiency(component text DEFAULT NULL, hours integer DEFAULT 24,
                                                    as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.component_efficiency
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH thought AS (
        SELECT e.component, e.value, e.duration_ms, e.tokens_generated,
               coalesce(telemetry.is_error_status(e.status), false) AS failed,
               w.window_start, w.window_end
        FROM telemetry.reading_window($2, $3) AS w
        JOIN telemetry.event AS e ON e."timestamp" >= w.window_start AND e."timestamp" < w.window_end
        WHERE e.event_type = 'THOUGHT_LATENCY' AND ($1 IS NULL OR e.component = $1)
    ), scored AS (
        SELECT *, NOT failed AND value IS NOT NULL AS is_scored FROM thought
    )
    SELECT s.component,
           count(*) FILTER (WHERE is_scored),
           count(*) FILTER (WHERE failed),
           avg(value) FILTER (WHERE is_scored),
           sum(duration_ms) FILTER (WHERE is_scored AND tokens_generated > 0)
               / sum(tokens_generated) FILTER (WHERE is_scored AND duration_ms IS NOT NULL AND tokens_generated > 0)
               AS weighted,
           min(value) FILTER (WHERE is_scored),
           max(value) FILTER (WHERE is_scored),
           percentile_cont(0.50) WITHIN GROUP (ORDER BY value) FILTER (WHERE is_scored),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY value) FILTER (WHERE is_scored),
           percentile_cont(0.99) WITHIN GROUP (ORDER BY value) FILTER (WHERE is_scored),
           coalesce(sum(tokens_generated) FILTER (WHERE NOT failed), 0),
           s.window_start, s.window_end
    FROM scored AS s
    GROUP BY s.component, s.window_start, s.window_end
    ORDER BY weighted NULLS LAST, s.component;
END;
COMMENT ON FUNCTION telemetry.get_aggregated_efficiency(text, integer, timestamptz) IS
    'Efficiency per component over the last hours before as_of, best (lowest weighted ms per token) first';

CREATE FUNCTION telemetry.get_60day_statistics(as_of timestamptz DEFAULT now()) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH happened AS (
        SELECT e.*,
               e.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') AS is_model,
               e.event_type = 'LOAD_LATENCY' AS is_load,
               e.event_type = 'THOUGHT_LATENCY' AS is_thought,
               coalesce(telemetry.is_error_status(e.status), false) AS failed
        FROM telemetry.reading_window(60 * 24, $1) AS w
        JOIN telemetry.event AS e ON e."timestamp" >= w.window_start AND e."timestamp" < w.window_end
    ), scored AS (
        SELECT *, is_thought AND NOT failed AND value IS NOT NULL AS is_scored FROM happened
    ), trend AS (
        SELECT component,
               count(*) FILTER (WHERE is_scored) AS measurement_count,
               count(*) FILTER (WHERE failed) AS error_count,
               avg(value) FILTER (WHERE is_scored) AS avg_efficiency_score,
               sum(duration_ms) FILTER (WHERE is_scored AND tokens_generated > 0)
                   / sum(tokens_generated) FILTER (WHERE is_scored AND duration_ms IS NOT NULL AND tokens_generated > 0)
                   AS weighted_efficiency_score,
               min(value) FILTER (WHERE is_scored) AS best_efficiency,
               max(value) FILTER (WHERE is_scored) AS worst_efficiency,
               coalesce(sum(coalesce(prompt_tokens, 0)::bigint + coalesce(tokens_generated, 0))
                            FILTER (WHERE is_thought AND NOT failed), 0) AS total_tokens_processed,
               count(*) FILTER (WHERE is_load AND NOT failed) AS load_count,
               avg(value) FILTER (WHERE is_load AND NOT failed) AS avg_load_time_seconds
        FROM scored
        WHERE is_model
        GROUP BY component
    )
    SELECT jsonb_build_object(
        'overall', (SELECT jsonb_build_object(
                               'total_measurements', count(*),
                               'unique_models', count(DISTINCT component) FILTER (WHERE is_model),
                               'oldest_record', min("timestamp"),
                               'newest_record', max("timestamp"))
                    FROM happened),
        'model_trends', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.weighted_efficiency_score NULLS LAST,
                                                                        t.component), '[]')
                         FROM trend AS t),
        'retention_window_days', extract(epoch FROM telemetry.retention_keep('event'))::double precision / 86400);
END;
COMMENT ON FUNCTION telemetry.get_60day_statistics(timestamptz) IS
    'The 60 days before as_of: overall figures, a trend per model (best first), and for how many days events are meant to stay';

CREATE FUNCTION telemetry.get_telemetry_footprint() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH footprint (name, size_bytes, row_count, oldest_record) AS (
        VALUES ('system_telemetry',
                (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('telemetry.event'::regclass)),
                (SELECT count(*) FROM telemetry.event),
                (SELECT min("timestamp") FROM telemetry.event)),
               ('usage_stats',
                pg_total_relation_size('telemetry.usage_stats'::regclass),
                (SELECT count(*) FROM telemetry.usage_stats),
                (SELECT min("timestamp") FROM telemetry.usage_stats)),
               ('history',
                pg_total_relation_size('telemetry.history'::regclass),
                (SELECT count(*) FROM telemetry.history),
                (SELECT min("timestamp") FROM telemetry.history))
    )
    SELECT jsonb_build_object('table_sizes', jsonb_object_agg(name, size_bytes),
                              'row_counts', jsonb_object_agg(name, row_count),
                              'oldest_record', jsonb_object_agg(name, oldest_record),
                              'total_size_bytes', sum(size_bytes))
    FROM footprint;
END;
COMMENT ON FUNCTION telemetry.get_telemetry_footprint() IS
    'Bytes (heap, indexes, TOAST), rows and oldest record of system_telemetry, usage_stats and history';
