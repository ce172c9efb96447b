-- Questions. Their bodies are parsed when they are created, so no search_path can change what they mean.

CREATE FUNCTION telemetry.row_limit("limit" integer) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_row_limit';
COMMENT ON FUNCTION telemetry.row_limit(integer) IS 'Its argument, or an error unless it is between 1 and 1000000';

CREATE FUNCTION telemetry.reading_window(hours integer, as_of timestamptz,
                                         OUT window_start timestamptz, OUT window_end timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_reading_window';
COMMENT ON FUNCTION telemetry.reading_window(integer, timestamptz) IS
    'The half-open window of the last hours before as_of, widened to whole minutes, or to whole hours or days where retention has removed what is smaller';

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

CREATE FUNCTION telemetry.recent_events_of(component text, "limit" bigint) RETURNS SETOF telemetry.recent_event
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_recent_events_of';
COMMENT ON FUNCTION telemetry.recent_events_of(text, bigint) IS
    'The newest events of one component, found by way of its rollups';

CREATE FUNCTION telemetry.get_recent_events("limit" integer DEFAULT 10, component text DEFAULT NULL)
    RETURNS SETOF telemetry.recent_event
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    (SELECT e.event_type, e.component, e.value, e.metadata, e.status, e."timestamp"
     FROM telemetry.system_telemetry AS e
     WHERE $2 IS NULL
     ORDER BY e."timestamp" DESC, e.id DESC
     LIMIT telemetry.row_limit($1))
    UNION ALL
    SELECT * FROM telemetry.recent_events_of($2, telemetry.row_limit($1)) WHERE $2 IS NOT NULL;
END;
COMMENT ON FUNCTION telemetry.get_recent_events(integer, text) IS
    'The newest events first, of all components or of one';

CREATE TYPE telemetry.series_figures AS (
    step_start        timestamptz,
    event_type        text,
    component         text,
    event_count       bigint,
    error_count       bigint,
    measurement_count bigint,
    total_tokens      bigint,
    prompt_tokens     bigint,
    first_at          timestamptz,
    last_at           timestamptz,
    ms_per_token      double precision,
    mean_value        double precision,
    min_value         double precision,
    max_value         double precision,
    p50               double precision,
    p95               double precision,
    p99               double precision
);
COMMENT ON TYPE telemetry.series_figures IS 'A row of series_figures(): figures() of one event type and component, and step';

CREATE FUNCTION telemetry.series_figures(window_start timestamptz, window_end timestamptz, step_minutes integer,
                                         event_type text, component text, percentiles boolean DEFAULT true)
    RETURNS SETOF telemetry.series_figures
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'telemetry_series_figures';
COMMENT ON FUNCTION telemetry.series_figures(timestamptz, timestamptz, integer, text, text, boolean) IS
    'The rollups that cover a window of whole minutes, or of whole steps, merged by event type and component, and by step where step_minutes is not null; event_type and component: rollup_key() of the only one wanted, or null; percentiles: false leaves them null, which is quicker';

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
    SELECT s.component, s.measurement_count, s.error_count, s.mean_value, s.ms_per_token, s.min_value, s.max_value,
           s.p50, s.p95, s.p99, s.total_tokens, w.window_start, w.window_end
    FROM telemetry.reading_window($2, $3) AS w,
         telemetry.series_figures(w.window_start, w.window_end, NULL, 'THOUGHT_LATENCY', telemetry.rollup_key($1)) AS s
    ORDER BY s.ms_per_token NULLS LAST, s.component;
END;
COMMENT ON FUNCTION telemetry.get_aggregated_efficiency(text, integer, timestamptz) IS
    'Efficiency per component over the last hours before as_of, best (lowest weighted ms per token) first';

CREATE FUNCTION telemetry.get_60day_statistics(as_of timestamptz DEFAULT now()) RETURNS jsonb
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
COMMENT ON FUNCTION telemetry.get_60day_statistics(timestamptz) IS
    'The 60 days before as_of: overall figures, a trend per model (best first), and for how many days events are meant to stay';

CREATE TYPE telemetry.efficiency_step AS (
    component                 text,
    step_start                timestamptz,
    measurement_count         bigint,
    error_count               bigint,
    weighted_efficiency_score double precision,
    p50_efficiency            double precision,
    p95_efficiency            double precision,
    total_tokens              bigint
);
COMMENT ON TYPE telemetry.efficiency_step IS 'A row of efficiency_trend()';

CREATE FUNCTION telemetry.trend_step(step interval, hours integer) RETURNS integer
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_trend_step';
COMMENT ON FUNCTION telemetry.trend_step(interval, integer) IS
    'The step of a trend in minutes, or an error unless whole steps fill hours or days and there are at most 10000 of them';

CREATE FUNCTION telemetry.efficiency_trend(component text DEFAULT NULL, hours integer DEFAULT 24,
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
COMMENT ON FUNCTION telemetry.efficiency_trend(text, integer, interval, timestamptz) IS
    'Efficiency per component and step over the last hours before as_of, for charts; steps are UTC-aligned and the first and last are whole';
