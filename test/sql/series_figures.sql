-- series_figures() against the same question asked in SQL, and that it bypasses no rule.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

SELECT setseed(0.5);
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, tokens_generated, prompt_tokens, status)
SELECT timestamptz '2026-03-01 00:00:00+00' + random() * interval '4 days', CASE n % 3 WHEN 0 THEN 'VRAM_CHECK' ELSE 'THOUGHT_LATENCY' END,
       CASE WHEN n % 7 > 0 THEN 'm' || n % 7 END, CASE WHEN n % 3 = 0 THEN random() * 100 - 50 END, 1000 * random(), n % 50, n % 11, CASE WHEN n % 13 = 0 THEN 'ERROR' END
FROM generate_series(1, 5000) AS n;
SELECT telemetry.compact() > 0 AS compacted;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
SELECT timestamptz '2026-03-02 10:00:00+00' + n * interval '7 minutes', 'VRAM_CHECK', 'm1', n FROM generate_series(1, 100) AS n;

-- Each row of either that the other does not have: none. Times are cut to whole numbers of steps where there are any.
CREATE FUNCTION pg_temp.differences("from" timestamptz, "to" timestamptz, step integer, event_type text, component text)
    RETURNS bigint LANGUAGE sql AS $$
    WITH answer AS (
        SELECT * FROM telemetry.series_figures($1, $2, $3, $4, $5)
    ), expected AS (
        SELECT m.step_start, m.event_type, m.component, f.*
        FROM (SELECT telemetry.bucket_start($3, r.bucket) AS step_start, r.event_type, r.component, telemetry.merge(r.summary) AS summary
              FROM (SELECT bucket, event_type, component, summary FROM telemetry.rollup_minute WHERE bucket >= $1 AND bucket < $2
                    UNION ALL SELECT * FROM telemetry.deltas($1, $2)) AS r
              WHERE ($4 IS NULL OR r.event_type = $4) AND ($5 IS NULL OR r.component = $5)
              GROUP BY 1, 2, 3) AS m, telemetry.figures(m.summary) AS f
    ), rounded AS (   -- sums may differ in their last bits by the order of merging
        SELECT 1 AS side, step_start, event_type, component, event_count, error_count, measurement_count, total_tokens, prompt_tokens,
               first_at, last_at, ms_per_token::numeric(20, 6), mean_value::numeric(20, 6), min_value, max_value, p50, p95, p99 FROM answer
        UNION ALL
        SELECT -1, step_start, event_type, component, event_count, error_count, measurement_count, total_tokens, prompt_tokens,
               first_at, last_at, ms_per_token::numeric(20, 6), mean_value::numeric(20, 6), min_value, max_value, p50, p95, p99 FROM expected
    )
    SELECT count(*) FROM (SELECT sum(side) FROM rounded
                          GROUP BY step_start, event_type, component, event_count, error_count, measurement_count, total_tokens,
                                   prompt_tokens, first_at, last_at, ms_per_token, mean_value, min_value, max_value, p50, p95, p99
                          HAVING sum(side) <> 0) AS different
$$;
SELECT w.*, (SELECT count(*) FROM telemetry.series_figures(w.f, w.t, NULL, NULL, NULL)) AS series,
       pg_temp.differences(w.f, w.t, NULL, NULL, NULL) AS differences
FROM (VALUES ('2026-03-01 00:00:00+00'::timestamptz, '2026-03-05 00:00:00+00'::timestamptz),
             ('2026-03-01 10:17:00+00', '2026-03-04 21:03:00+00'), ('2026-03-02 10:05:00+00', '2026-03-02 10:50:00+00'),
             ('2026-03-02 10:05:00+00', '2026-03-02 13:50:00+00')) AS w (f, t);
SELECT step, pg_temp.differences('2026-03-01 00:00:00+00', '2026-03-04 00:00:00+00', step, 'VRAM_CHECK', NULL) AS differences
FROM unnest('{5, 60, 240, 1440}'::integer[]) AS step;
SELECT pg_temp.differences('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00', 60, 'THOUGHT_LATENCY', 'm3') AS of_one;
-- Without percentiles everything else is the same.
SELECT jsonb_agg(to_jsonb(f) - '{p50,p95,p99}'::text[]) = (SELECT jsonb_agg(to_jsonb(g) - '{p50,p95,p99}'::text[]) FROM
           telemetry.series_figures('2026-03-01 10:17:00+00', '2026-03-04 21:03:00+00', NULL, NULL, NULL, false) AS g) AS the_same,
       count(p50) AS with_percentiles,
       (SELECT count(coalesce(p50, p95, p99)) FROM
           telemetry.series_figures('2026-03-01 10:17:00+00', '2026-03-04 21:03:00+00', NULL, NULL, NULL, false)) AS without
FROM telemetry.series_figures('2026-03-01 10:17:00+00', '2026-03-04 21:03:00+00', NULL, NULL, NULL, true) AS f;
SELECT count(*) FROM telemetry.series_figures('2026-03-01', '2026-03-02', NULL, NULL, NULL, NULL);
SELECT count(*) FROM telemetry.series_figures('2026-04-01 00:00:00+00', '2026-05-01 00:00:00+00', NULL, NULL, NULL);

-- Through the executor, where there is no index to go by.
ALTER TABLE telemetry.rollup_hour DROP CONSTRAINT rollup_hour_bucket_event_type_component_key;
SELECT pg_temp.differences('2026-03-01 10:17:00+00', '2026-03-04 21:03:00+00', NULL, NULL, NULL) AS without_index;
ALTER TABLE telemetry.rollup_hour ADD UNIQUE NULLS NOT DISTINCT (bucket, event_type, component);

-- Privileges and row security are those of whoever asks.
CREATE ROLE series_reader;
GRANT USAGE ON SCHEMA telemetry TO series_reader;
GRANT SELECT ON telemetry.rollup_minute, telemetry.rollup_hour, telemetry.rollup_day, telemetry.compaction TO series_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA telemetry TO series_reader;
SET ROLE series_reader;
\set VERBOSITY terse
SELECT count(*) FROM telemetry.series_figures('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00', NULL, NULL, NULL);
RESET ROLE;
GRANT SELECT ON telemetry.rollup_delta TO series_reader;
ALTER TABLE telemetry.rollup_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_m1 ON telemetry.rollup_day TO series_reader USING (component = 'm1');
SET ROLE series_reader;
SELECT event_type, component FROM telemetry.series_figures('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00', NULL, NULL, NULL) ORDER BY 1, 2;
RESET ROLE;
ALTER TABLE telemetry.rollup_day DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON telemetry.compaction FROM series_reader;
SET ROLE series_reader;
SELECT count(*) FROM telemetry.series_figures('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00', NULL, NULL, NULL);
RESET ROLE;

-- Bad windows.
SELECT count(*) FROM telemetry.series_figures(NULL, '2026-03-05 00:00:00+00', NULL, NULL, NULL);
SELECT count(*) FROM telemetry.series_figures('2026-03-05 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL);
SELECT count(*) FROM telemetry.series_figures('-infinity', 'infinity', NULL, NULL, NULL);
DROP OWNED BY series_reader;
DROP ROLE series_reader;
