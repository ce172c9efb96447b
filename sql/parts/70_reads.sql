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
