-- What the database says about the events of gravitas-demo: psql -X -q -f client/demo/report.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset border 1
\pset linestyle ascii
\pset null '-'
SET client_min_messages = warning;

SELECT EXISTS (SELECT FROM telemetry.system_telemetry WHERE event_type = 'LOAD_LATENCY') AS has_loads,
       EXISTS (SELECT FROM telemetry.system_telemetry WHERE event_type = 'THOUGHT_LATENCY') AS has_calls,
       EXISTS (SELECT FROM telemetry.system_telemetry
               WHERE event_type NOT IN ('LOAD_LATENCY', 'THOUGHT_LATENCY')) AS has_others
\gset

\echo
\echo '== The newest events ======================= SELECT * FROM telemetry.get_recent_events(8);'
\echo
SELECT to_char(timestamp, 'HH24:MI:SS.MS') AS "time",
       left(event_type, 18) AS event_type,
       left(component, 20) AS component,
       CASE event_type WHEN 'THOUGHT_LATENCY' THEN round(value::numeric, 3) || ' ms/token'
                       WHEN 'LOAD_LATENCY' THEN round(value::numeric, 3) || ' s'
                       WHEN 'VRAM_CHECK' THEN round(value) || ' MB free'
                       WHEN 'TIMER_CHECK' THEN round(value::numeric, 6) || ' % off'
                       ELSE round(value::numeric, 3)::text END AS value,
       CASE WHEN metadata ? 'tokens_generated'
            THEN (metadata ->> 'prompt_tokens') || ' prompt + ' || (metadata ->> 'tokens_generated') || ' new'
       END AS tokens,
       status
FROM telemetry.get_recent_events(8);

\echo
\echo '== How long do the models take to load? ==== from telemetry.system_telemetry'
\echo
\if :has_loads
SELECT left(component, 24) AS model,
       count(*) FILTER (WHERE status = 'OK') AS loads,
       count(*) FILTER (WHERE status <> 'OK') AS errors,
       round((1000 * avg(value) FILTER (WHERE status = 'OK'))::numeric, 1) AS "mean ms",
       round((1000 * min(value) FILTER (WHERE status = 'OK'))::numeric, 1) AS "fastest ms",
       round((1000 * max(value) FILTER (WHERE status = 'OK'))::numeric, 1) AS "slowest ms"
FROM telemetry.system_telemetry
WHERE event_type = 'LOAD_LATENCY'
GROUP BY component
ORDER BY avg(value) FILTER (WHERE status = 'OK') NULLS LAST, component;
\else
\echo '   No model load was recorded: a replayed trace holds calls, not loads.'
\endif

\echo
\echo '== What does a token cost? ================= SELECT * FROM telemetry.get_aggregated_efficiency();'
\echo
\if :has_calls
\echo '   The last 24 hours, in milliseconds per generated token, the cheapest model first.'
\echo '   Failed calls count as errors and in no other figure.'
\echo
SELECT left(component, 20) AS model,
       measurement_count AS calls,
       error_count AS errors,
       total_tokens AS tokens,
       round(weighted_efficiency_score::numeric, 3) AS "ms/token",
       round(best_efficiency::numeric, 3) AS best,
       round(p50_efficiency::numeric, 3) AS median,
       round(p95_efficiency::numeric, 3) AS "95 %",
       round(worst_efficiency::numeric, 3) AS worst,
       repeat('#', ceil(16 * weighted_efficiency_score / max(weighted_efficiency_score) OVER ())::int) AS cost
FROM telemetry.get_aggregated_efficiency() WITH ORDINALITY
ORDER BY ordinality;
\else
\echo '   No model call was recorded.'
\endif

\echo
\echo '== The last 60 days ======================== SELECT telemetry.get_60day_statistics();'
\echo
SELECT telemetry.get_60day_statistics() AS statistics
\gset
SELECT (overall ->> 'total_measurements')::bigint AS events,
       (overall ->> 'unique_models')::bigint AS models,
       to_char((overall ->> 'oldest_record')::timestamptz, 'YYYY-MM-DD HH24:MI:SS') AS oldest,
       to_char((overall ->> 'newest_record')::timestamptz, 'YYYY-MM-DD HH24:MI:SS') AS newest,
       (:'statistics'::jsonb ->> 'retention_window_days') || ' days' AS "kept for"
FROM (SELECT :'statistics'::jsonb -> 'overall') AS statistics(overall);
\if :has_calls
\echo
SELECT left(component, 24) AS model,
       measurement_count AS calls,
       error_count AS errors,
       total_tokens_processed AS "tokens in + out",
       round(weighted_efficiency_score::numeric, 3) AS "ms/token",
       round(best_efficiency::numeric, 3) AS best,
       round(worst_efficiency::numeric, 3) AS worst,
       load_count AS loads,
       round((1000 * avg_load_time_seconds)::numeric, 1) AS "mean load ms"
FROM ROWS FROM (jsonb_to_recordset(:'statistics'::jsonb -> 'model_trends')
                AS (component text, measurement_count bigint, error_count bigint, total_tokens_processed bigint,
                    weighted_efficiency_score float8, best_efficiency float8, worst_efficiency float8,
                    load_count bigint, avg_load_time_seconds float8)) WITH ORDINALITY
ORDER BY ordinality;
\endif

\if :has_others
\echo
\echo '== What else was recorded? ================= from telemetry.system_telemetry'
\echo
SELECT left(event_type, 24) AS event_type,
       left(component, 24) AS component,
       count(*) AS events,
       to_char(min(timestamp), 'MM-DD HH24:MI:SS') AS first,
       to_char(max(timestamp), 'MM-DD HH24:MI:SS') AS last,
       CASE event_type
           WHEN 'VRAM_CHECK' THEN round(min(value)) || ' to ' || round(max(value)) || ' MB free'
           WHEN 'REQUEST_ARRIVAL' THEN round(avg((metadata ->> 'prompt_tokens')::int)) || ' prompt + ' ||
                                       round(avg((metadata ->> 'tokens_generated')::int)) || ' new tokens on average'
           WHEN 'TIMER_CHECK' THEN 'timer error ' || max(value)::numeric(12, 6) || ' %'
           ELSE round(avg(value)::numeric, 3)::text
       END AS figures
FROM telemetry.system_telemetry
WHERE event_type NOT IN ('LOAD_LATENCY', 'THOUGHT_LATENCY')
GROUP BY event_type, component
ORDER BY event_type, component;
\endif

\echo
\echo '== What does the telemetry itself take? ==== SELECT telemetry.get_telemetry_footprint();'
\echo
SELECT size.key AS "table",
       (footprint -> 'row_counts' ->> size.key)::bigint AS rows,
       pg_size_pretty(size.value::bigint) AS size,
       to_char((footprint -> 'oldest_record' ->> size.key)::timestamptz, 'YYYY-MM-DD HH24:MI:SS') AS oldest
FROM telemetry.get_telemetry_footprint() AS footprint, jsonb_each_text(footprint -> 'table_sizes') AS size
ORDER BY size.value::bigint DESC, size.key;
