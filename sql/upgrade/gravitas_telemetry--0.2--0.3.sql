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

-- Reads that show no percentile do not merge sketches.

ALTER FUNCTION telemetry.series_figures(timestamptz, timestamptz, integer, text, text) RENAME TO series_figures_before;

CREATE FUNCTION telemetry.series_figures(window_start timestamptz, window_end timestamptz, step_minutes integer,
                                         event_type text, component text, percentiles boolean DEFAULT true)
    RETURNS SETOF telemetry.series_figures
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'telemetry_series_figures';
COMMENT ON FUNCTION telemetry.series_figures(timestamptz, timestamptz, integer, text, text, boolean) IS
    'The rollups that cover a window of whole minutes, or of whole steps, merged by event type and component, and by step where step_minutes is not null; event_type and component: rollup_key() of the only one wanted, or null; percentiles: false leaves them null, which is quicker';

CREATE OR REPLACE FUNCTION telemetry.get_aggregated_efficiency(component text DEFAULT NULL, hours integer DEFAULT 24,
                                                    as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.component_efficiency
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.component, s.measurement_count, s.error_count, s.mean_value, s.ms_per_token, s.min_value, s.max_value,
           s.p50, s.p95, s.p99, s.total_tokens, w.window_start, w.window_end
    FROM telemetry.reading_window($2, $3) AS w,
         telemetry.series_figures(w.window_start, w.window_end, NULL, 'THOUGHT_LATENCY', telemetry.rollup_key($1)) AS s
    ORDER BY s.ms_per_token NULLS LAST, s.component;
END;

CREATE OR REPLACE FUNCTION telemetry.get_60day_statistics(as_of timestamptz DEFAULT now()) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH series AS MATERIALIZED (
        SELECT s.*
        FROM telemetry.reading_window(60 * 24, $1) AS w,
             telemetry.series_figures(w.window_start, w.window_end, NULL, NULL, NULL, false) AS s
    ), model AS (
        SELECT component,
               coalesce(sum(measurement_count) FILTER (WHERE event_type = 'THOUGHT_LATENCY'), 0) AS measurement_count,
               sum(error_count) AS error_count,
               min(mean_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS avg_efficiency_score,
               min(ms_per_token) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS weighted_efficiency_score,
               min(min_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS best_efficiency,
               min(max_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS worst_efficiency,
               coalesce(sum(total_tokens + prompt_tokens) FILTER (WHERE event_type = 'THOUGHT_LATENCY'), 0) AS total_tokens_processed,
               coalesce(sum(event_count - error_count) FILTER (WHERE event_type = 'LOAD_LATENCY'), 0) AS load_count,
               min(mean_value) FILTER (WHERE event_type = 'LOAD_LATENCY') AS avg_load_time_seconds
        FROM series WHERE event_type IN ('THOUGHT_LATENCY', 'LOAD_LATENCY')
        GROUP BY component
    )
    SELECT jsonb_build_object(
        'overall', (SELECT jsonb_build_object(
                               'total_measurements', coalesce(sum(event_count), 0),
                               'unique_models', (SELECT count(component) FROM model),
                               'oldest_record', min(first_at),
                               'newest_record', max(last_at))
                    FROM series),
        'model_trends', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.weighted_efficiency_score NULLS LAST,
                                                                        t.component), '[]')
                         FROM model AS t),
        'retention_window_days', extract(epoch FROM telemetry.retention_keep('event'))::double precision / 86400);
END;

CREATE OR REPLACE FUNCTION telemetry.efficiency_trend(component text DEFAULT NULL, hours integer DEFAULT 24,
                                           step interval DEFAULT '1 hour', as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.efficiency_step
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.component, f.step_start, f.measurement_count, f.error_count, f.ms_per_token, f.p50, f.p95, f.total_tokens
    FROM telemetry.reading_window($2, $4) AS w, telemetry.trend_step($3, $2) AS t (minutes),
         telemetry.series_figures(telemetry.bucket_start(t.minutes, w.window_start),
                                  telemetry.bucket_start(t.minutes, w.window_end - interval '1 microsecond')
                                      + t.minutes * interval '1 minute',
                                  t.minutes, 'THOUGHT_LATENCY', telemetry.rollup_key($1)) AS f
    ORDER BY f.component, f.step_start;
END;

DROP FUNCTION telemetry.series_figures_before(timestamptz, timestamptz, integer, text, text);
