-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.5'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

CREATE TYPE telemetry.series_row AS (
    event_type         text,
    component          text,
    step_start         timestamptz,
    event_count        bigint,
    error_count        bigint,
    measurement_count  bigint,
    mean_value         double precision,
    min_value          double precision,
    max_value          double precision,
    p50                double precision,
    p95                double precision,
    p99                double precision,
    total_tokens       bigint,
    prompt_tokens      bigint,
    first_token_p50_ms double precision,
    first_token_p95_ms double precision,
    last_at            timestamptz
);
COMMENT ON TYPE telemetry.series_row IS
    'A row of get_series(). Values are those of the event type: ms per token of inferences, seconds of loads; step_start is NULL where there are no steps';

CREATE FUNCTION telemetry.series_rows(window_start timestamptz, window_end timestamptz, step_minutes integer,
                                      event_type text, component text)
    RETURNS SETOF telemetry.series_row
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'telemetry_series_rows';
COMMENT ON FUNCTION telemetry.series_rows(timestamptz, timestamptz, integer, text, text) IS
    'As series_figures(), with the percentiles of the time to the first token';

CREATE FUNCTION telemetry.get_series(event_type text DEFAULT NULL, component text DEFAULT NULL, hours integer DEFAULT 24,
                                     step interval DEFAULT NULL, as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.series_row
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.*
    FROM telemetry.reading_window($3, $5) AS w,
         (SELECT CASE WHEN $4 IS NOT NULL THEN telemetry.trend_step($4, $3) END) AS t (minutes),
         telemetry.series_rows(CASE WHEN t.minutes IS NULL THEN w.window_start
                                    ELSE telemetry.bucket_start(t.minutes, w.window_start) END,
                               CASE WHEN t.minutes IS NULL THEN w.window_end
                                    ELSE telemetry.bucket_start(t.minutes, w.window_end - interval '1 microsecond')
                                         + t.minutes * interval '1 minute' END,
                               t.minutes, telemetry.rollup_key($1), telemetry.rollup_key($2)) AS r
    ORDER BY r.event_type, r.component, r.step_start;
END;
COMMENT ON FUNCTION telemetry.get_series(text, text, integer, interval, timestamptz) IS
    'Figures per event type and component over the last hours before as_of; with a step, per step, for charts: steps are UTC-aligned and the first and last are whole';

CREATE FUNCTION telemetry.events_where(event_type text, component text, since timestamptz, "limit" bigint)
    RETURNS SETOF telemetry.recent_event
    LANGUAGE c STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_events_where';
COMMENT ON FUNCTION telemetry.events_where(text, text, timestamptz, bigint) IS
    'The newest events of one event type, one component, or both, found by way of the rollups; NULL: any';

CREATE FUNCTION telemetry.get_events(event_type text DEFAULT NULL, component text DEFAULT NULL, hours integer DEFAULT NULL,
                                     "limit" integer DEFAULT 50, as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.recent_event
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH since AS MATERIALIZED (
        SELECT CASE WHEN $3 IS NULL THEN '-infinity'
                    ELSE (SELECT w.window_start FROM telemetry.reading_window($3, $5) AS w) END AS start
    )
    (SELECT e.event_type, e.component, e.value, e.metadata, e.status, e."timestamp"
     FROM telemetry.system_telemetry AS e
     WHERE $1 IS NULL AND $2 IS NULL AND e."timestamp" >= (SELECT s.start FROM since AS s)
     ORDER BY e."timestamp" DESC, e.id DESC
     LIMIT telemetry.row_limit($4))
    UNION ALL
    SELECT e.* FROM since AS s, telemetry.events_where($1, $2, s.start, telemetry.row_limit($4)) AS e
    WHERE $1 IS NOT NULL OR $2 IS NOT NULL;
END;
COMMENT ON FUNCTION telemetry.get_events(text, text, integer, integer, timestamptz) IS
    'The newest events first, of one event type, one component, or all; hours: none older than that before as_of';

-- Nothing for PUBLIC.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
