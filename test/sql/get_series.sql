-- get_series() and get_events(): what charts show, against the same question asked of the events.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- Nothing yet.
SELECT count(*) FROM telemetry.get_series();
SELECT count(*) FROM telemetry.get_events();
SELECT count(*) FROM telemetry.get_events('THOUGHT_LATENCY', 'm1', 1);

SELECT setseed(0.5);
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, first_token_ms, tokens_generated, prompt_tokens, status)
SELECT timestamptz '2026-03-01 00:00:30+00' + n * interval '1 minute', CASE n % 3 WHEN 0 THEN 'VRAM_CHECK' ELSE 'THOUGHT_LATENCY' END,
       CASE WHEN n % 4 > 0 THEN 'm' || n % 4 END, CASE WHEN n % 3 = 0 THEN random() * 100 END, 1000 * random(),
       CASE WHEN n % 3 > 0 AND n % 5 > 0 THEN 100 * random() END, n % 50, n % 11, CASE WHEN n % 13 = 0 THEN 'ERROR' END
FROM generate_series(1, 2000) AS n;
SELECT telemetry.compact() > 0 AS compacted;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, status)
VALUES ('2026-03-02 09:00:30+00', 'LOAD_LATENCY', 'm1', 4, 'OK'), ('2026-03-02 09:00:40+00', 'LOAD_LATENCY', 'm1', 6, 'OK'),
       ('2026-03-02 09:00:50+00', 'LOAD_LATENCY', 'm1', 60, 'FAILED'), ('2026-02-10 09:00:00+00', 'RARE', 'm1', 1, NULL);

-- Each row of either that the other does not have: none.
CREATE FUNCTION pg_temp.differences(event_type text, component text, hours integer, step integer, as_of timestamptz)
    RETURNS bigint LANGUAGE sql AS $$
    WITH "window" AS (
        SELECT CASE WHEN $4 IS NULL THEN w.window_start ELSE date_bin(make_interval(mins => $4), w.window_start, '2000-01-01 00:00:00+00') END AS "from",
               CASE WHEN $4 IS NULL THEN w.window_end
                    ELSE date_bin(make_interval(mins => $4), w.window_end - interval '1 microsecond', '2000-01-01 00:00:00+00') + make_interval(mins => $4) END AS "to"
        FROM telemetry.reading_window($3, $5) AS w
    ), answer AS (
        SELECT s.event_type, s.component, s.step_start, s.event_count, s.error_count, s.measurement_count, s.mean_value::numeric(20, 6),
               s.min_value, s.max_value, s.total_tokens, s.prompt_tokens, s.first_token_p50_ms, s.last_at
        FROM telemetry.get_series($1, $2, $3, make_interval(mins => $4), $5) AS s
    ), call AS (   -- of the calls that did not fail, as the README defines a measurement
        SELECT e.*, e.event_type NOT IN ('THOUGHT_LATENCY', 'LOAD_LATENCY') OR NOT coalesce(telemetry.is_error_status(e.status), false) AS is_measured,
               date_bin(make_interval(mins => $4), e."timestamp", '2000-01-01 00:00:00+00') AS step_start
        FROM telemetry.event AS e, "window" AS w
        WHERE e."timestamp" >= w."from" AND e."timestamp" < w."to" AND ($1 IS NULL OR e.event_type = $1) AND ($2 IS NULL OR e.component = $2)
    ), expected AS (
        SELECT c.event_type, c.component, c.step_start, count(*), count(*) FILTER (WHERE telemetry.is_error_status(c.status)),
               count(c.value) FILTER (WHERE c.is_measured), avg(c.value) FILTER (WHERE c.is_measured)::numeric(20, 6),
               min(c.value) FILTER (WHERE c.is_measured), max(c.value) FILTER (WHERE c.is_measured),
               coalesce(sum(c.tokens_generated) FILTER (WHERE c.is_measured AND c.event_type = 'THOUGHT_LATENCY'), 0),
               coalesce(sum(c.prompt_tokens) FILTER (WHERE c.is_measured AND c.event_type = 'THOUGHT_LATENCY'), 0),
               percentile_disc(0.5) WITHIN GROUP (ORDER BY c.first_token_ms) FILTER (WHERE c.is_measured), max(c."timestamp")
        FROM call AS c GROUP BY 1, 2, 3
    )
    SELECT count(*) FROM ((TABLE answer EXCEPT ALL TABLE expected) UNION ALL (TABLE expected EXCEPT ALL TABLE answer)) AS d
$$;
-- Of few events a step, so that percentiles are exact.
SELECT s.*, (SELECT count(*) FROM telemetry.get_series(s.event_type, s.component, s.hours, make_interval(mins => s.step), '2026-03-02 09:30:00+00')) AS rows,
       pg_temp.differences(s.event_type, s.component, s.hours, s.step, '2026-03-02 09:30:00+00') AS differences
FROM (VALUES (NULL, NULL, 3, 5), (NULL, NULL, 24, 10), ('THOUGHT_LATENCY', NULL, 24, 10), (NULL, 'm1', 5, 15), ('LOAD_LATENCY', 'm1', 1, NULL),
             ('VRAM_CHECK', 'm2', 1, NULL), ('THOUGHT_LATENCY', 'nobody', 24, 60)) AS s (event_type, component, hours, step);
-- Of many, within 0.55 % of the exact ones.
SELECT s.event_type, s.component, s.step_start, s.event_count,
       s.p50 BETWEEN e.p50 * 0.9945 AND e.p50 * 1.0055 AS p50, s.p95 BETWEEN e.p95 * 0.9945 AND e.p95 * 1.0055 AS p95,
       s.p99 BETWEEN e.p99 * 0.9945 AND e.p99 * 1.0055 AS p99,
       s.first_token_p50_ms BETWEEN e.f50 * 0.9945 AND e.f50 * 1.0055 AS f50, s.first_token_p95_ms BETWEEN e.f95 * 0.9945 AND e.f95 * 1.0055 AS f95
FROM telemetry.get_series('THOUGHT_LATENCY', as_of => '2026-03-02 09:30:00+00', hours => 48) AS s
JOIN (SELECT component, percentile_disc(0.5) WITHIN GROUP (ORDER BY value) AS p50, percentile_disc(0.95) WITHIN GROUP (ORDER BY value) AS p95,
             percentile_disc(0.99) WITHIN GROUP (ORDER BY value) AS p99, percentile_disc(0.5) WITHIN GROUP (ORDER BY first_token_ms) AS f50,
             percentile_disc(0.95) WITHIN GROUP (ORDER BY first_token_ms) AS f95
      FROM telemetry.event WHERE event_type = 'THOUGHT_LATENCY' AND telemetry.is_error_status(status) IS NOT TRUE GROUP BY 1) AS e
  ON s.component IS NOT DISTINCT FROM e.component
ORDER BY 1, 2;

-- The events behind, newest first, however they are asked for.
SELECT f.*, (SELECT count(*) FROM telemetry.get_events(f.event_type, f.component, f.hours, f."limit", '2026-03-02 09:30:00+00')) AS found,
       ARRAY(SELECT e."timestamp" FROM telemetry.get_events(f.event_type, f.component, f.hours, f."limit", '2026-03-02 09:30:00+00') AS e)
       = ARRAY(SELECT t."timestamp" FROM telemetry.system_telemetry AS t
               WHERE (f.event_type IS NULL OR t.event_type = f.event_type) AND (f.component IS NULL OR t.component = f.component)
                 AND (f.hours IS NULL OR t."timestamp" >= timestamptz '2026-03-02 09:30:00+00' - f.hours * interval '1 hour')
               ORDER BY t."timestamp" DESC, t.id DESC LIMIT f."limit") AS the_same
FROM (VALUES (NULL, NULL, NULL, 5), (NULL, NULL, 2, 5000), ('THOUGHT_LATENCY', NULL, NULL, 7), (NULL, 'm1', NULL, 7), ('RARE', NULL, NULL, 10),
             ('RARE', 'm1', 24, 10), ('VRAM_CHECK', 'm2', NULL, 100), ('VRAM_CHECK', 'm2', 3, 100), ('LOAD_LATENCY', NULL, 1, 2),
             ('nothing', NULL, NULL, 2)) AS f (event_type, component, hours, "limit");
SELECT event_type, component, value, metadata, status, "timestamp" FROM telemetry.get_events('LOAD_LATENCY', "limit" => 1);
-- A name too long for the rollups is found by itself.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component) VALUES ('2026-03-02 09:10:00+00', 'LONG', repeat('x', 5000));
SELECT length(component) FROM telemetry.get_events('LONG', repeat('x', 5000));
SELECT count(*) FROM telemetry.get_events('LONG', repeat('x', 4999));
SELECT event_count FROM telemetry.get_series('LONG', repeat('x', 5000), as_of => '2026-03-02 09:30:00+00');

-- What makes no sense.
SELECT * FROM telemetry.get_series(hours => 0);
SELECT * FROM telemetry.get_series(hours => NULL);
SELECT * FROM telemetry.get_series(step => '7 minutes');
SELECT * FROM telemetry.get_series(hours => 24000, step => '1 minute');
SELECT * FROM telemetry.get_events("limit" => 0);
SELECT * FROM telemetry.get_events(hours => -1);
SELECT * FROM telemetry.events_where('x', 'y', NULL, 1);
SELECT * FROM telemetry.series_rows(NULL, now(), NULL, NULL, NULL);
