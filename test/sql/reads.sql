-- What the questions answer, with time as an argument.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;

-- Nothing measured yet.
SELECT * FROM telemetry.get_recent_events();
SELECT * FROM telemetry.get_aggregated_efficiency();
SELECT jsonb_pretty(telemetry.get_60day_statistics());
SELECT key AS name, value AS rows, telemetry.get_telemetry_footprint()->'oldest_record'->key AS oldest
FROM jsonb_each(telemetry.get_telemetry_footprint()->'row_counts') WHERE key IN ('system_telemetry', 'usage_stats', 'history') ORDER BY key;

-- Three models: one steady, one whose short calls are slow, one that mostly fails at once.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, tokens_generated, prompt_tokens, status) VALUES
    ('2026-03-02 10:00:00+00', 'LOAD_LATENCY',    'steady', 4.0, NULL, NULL, NULL, 'OK'),
    ('2026-03-02 10:00:10+00', 'LOAD_LATENCY',    'steady', 6.0, NULL, NULL, NULL, NULL),
    ('2026-03-02 10:00:20+00', 'LOAD_LATENCY',    'steady', 600, NULL, NULL, NULL, 'timeout'),
    ('2026-03-02 10:01:00+00', 'THOUGHT_LATENCY', 'steady', NULL, 1000, 100, 10, 'OK'),
    ('2026-03-02 10:02:00+00', 'THOUGHT_LATENCY', 'steady', NULL, 3000, 200, 20, 'WARNING'),
    ('2026-03-02 10:03:00+00', 'THOUGHT_LATENCY', 'steady', NULL,  500,   0, 30, 'OK'),
    ('2026-03-02 10:01:00+00', 'THOUGHT_LATENCY', 'uneven', NULL, 1000,  10, NULL, 'OK'),
    ('2026-03-02 10:02:00+00', 'THOUGHT_LATENCY', 'uneven', NULL, 9000, 990, NULL, NULL),
    ('2026-03-02 10:01:00+00', 'THOUGHT_LATENCY', 'failing', NULL, 0, 1, 5, 'ERROR'),
    ('2026-03-02 10:02:00+00', 'THOUGHT_LATENCY', 'failing', NULL, 0, 1, 5, 'cancelled'),
    ('2026-03-02 10:03:00+00', 'THOUGHT_LATENCY', 'only errors', NULL, 0, 1, 5, 'FAILED'),
    ('2026-03-02 10:04:00+00', 'THOUGHT_LATENCY', 'failing', NULL, 8000, 100, 5, 'OK'),
    ('2026-03-02 10:04:00+00', 'THOUGHT_LATENCY', NULL, NULL, 700, 100, 5, 'OK'),
    ('2026-03-02 10:05:00+00', 'VRAM_CHECK',      'gpu0', 20480, NULL, NULL, NULL, 'OK'),
    ('2026-03-02 10:06:00+00', 'VRAM_LOCKOUT',    'gpu0', 100, NULL, NULL, NULL, 'ERROR');

SELECT component, measurement_count AS n, error_count AS errors, avg_efficiency_score AS mean,
       weighted_efficiency_score AS weighted, best_efficiency AS best, worst_efficiency AS worst, total_tokens AS tokens
FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-02 12:00:00+00');
-- Percentiles as percentile_disc: values that were measured. Of a few events they are exact, of more within 0.55 %.
SELECT p50_efficiency, p95_efficiency, p99_efficiency, window_start, window_end
FROM telemetry.get_aggregated_efficiency('steady', 2, '2026-03-02 11:59:59+00');
SELECT jsonb_pretty(telemetry.get_60day_statistics('2026-03-02 12:00:00+00'));

-- The window is half-open and made of whole minutes.
SELECT * FROM telemetry.reading_window(1, '2026-03-02 11:01:30+00');
SELECT * FROM telemetry.reading_window(1, '2026-03-02 11:01:00+00');
SELECT * FROM telemetry.reading_window(24, '1999-12-31 23:59:59.999999+00');
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency('uneven', 1, '2026-03-02 11:01:59+00');
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency('uneven', 1, '2026-03-02 11:02:01+00');
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency('uneven', 1, '2026-03-02 11:03:00+00');
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency('uneven', 1, '2026-03-02 10:02:00+00');
SELECT telemetry.get_60day_statistics('2026-05-01 10:02:30+00')->'overall'->'total_measurements' AS after_60_days;
SELECT telemetry.get_60day_statistics('2026-03-01 00:00:00+00')->'overall'->'total_measurements' AS before;

-- Recent events: newest first, of all or of one.
SELECT * FROM telemetry.get_recent_events(3);
SELECT * FROM telemetry.get_recent_events("limit" => 2, component => 'steady');
SELECT count(*) FROM telemetry.get_recent_events(1000000);
SELECT count(*) FROM telemetry.get_recent_events(10, 'nobody');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type) SELECT '2026-03-03', 'TIE ' || n FROM generate_series(1, 3) AS n;
SELECT event_type FROM telemetry.get_recent_events(3);

-- Retention times: the defaults, and a change.
SELECT name, telemetry.retention_keep(name) FROM unnest(ARRAY['event', 'usage_stats', 'history', 'other']) AS name;
INSERT INTO telemetry.retention_policy VALUES ('event', '7 days'), ('usage_stats', NULL);
SELECT telemetry.get_60day_statistics()->'retention_window_days' AS days, telemetry.retention_keep('usage_stats');
INSERT INTO telemetry.retention_policy VALUES ('history', '1 hour');
DELETE FROM telemetry.retention_policy;

-- Footprint: exact rows, bytes that include indexes, the oldest record of each.
SELECT telemetry.log_usage('m', 'chat', 1, 2, 3.5) > 0 AS logged;
SELECT telemetry.log_history('user', 'hello') > 0 AS logged;
SELECT key AS name, value AS rows,
       CASE key WHEN 'system_telemetry' THEN telemetry.get_telemetry_footprint()->'oldest_record'->key END AS oldest
FROM jsonb_each(telemetry.get_telemetry_footprint()->'row_counts') WHERE key IN ('system_telemetry', 'usage_stats', 'history') ORDER BY key;
SELECT (f->'table_sizes'->>'usage_stats')::bigint = pg_total_relation_size('telemetry.usage_stats') AS usage_stats,
       (f->'table_sizes'->>'system_telemetry')::bigint = pg_total_relation_size('telemetry.event_default') AS system_telemetry,
       (f->>'total_size_bytes')::bigint = (SELECT sum(s.value::bigint) FROM jsonb_each_text(f->'table_sizes') AS s) AS total
FROM telemetry.get_telemetry_footprint() AS f;

-- A sum of the largest measurements that are taken stays a number.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT '2026-04-01', 'THOUGHT_LATENCY', 'slowest', 1e12, 2147483647 FROM generate_series(1, 1000);
SELECT measurement_count, weighted_efficiency_score, total_tokens
FROM telemetry.get_aggregated_efficiency('slowest', as_of => '2026-04-01 00:00:01+00');

-- A question that makes no sense says so.
SELECT * FROM telemetry.get_recent_events(0);
SELECT * FROM telemetry.get_recent_events(-1);
SELECT * FROM telemetry.get_recent_events(1000001);
SELECT * FROM telemetry.get_recent_events(NULL);
SELECT * FROM telemetry.get_aggregated_efficiency(hours => 0);
SELECT * FROM telemetry.get_aggregated_efficiency(hours => -24);
SELECT * FROM telemetry.get_aggregated_efficiency(hours => 2147483647);
SELECT * FROM telemetry.get_aggregated_efficiency(hours => NULL);
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => 'infinity');
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => '4713-01-01 00:00:00+00 BC');
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => NULL);
SELECT telemetry.get_60day_statistics('-infinity');

-- Nobody's search_path changes an answer.
CREATE FUNCTION public.count(integer) RETURNS bigint LANGUAGE sql AS 'SELECT 42::bigint';
CREATE TABLE public.event AS SELECT 1 AS a;
SET search_path = public, telemetry, pg_catalog;
SELECT get_60day_statistics('2026-03-02 12:00:00+00')->'overall'->'total_measurements' AS measurements;
RESET search_path;
DROP TABLE public.event;
DROP FUNCTION public.count(integer);
