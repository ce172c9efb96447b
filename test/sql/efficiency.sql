-- efficiency(duration_ms, tokens): sum of durations over sum of tokens, as an aggregate and sliding in window frames.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET search_path = public, telemetry;

SELECT efficiency(d, t) FROM (VALUES (1000.0::float8, 100::bigint), (3000, 100)) AS v (d, t);
SELECT efficiency(d, t) FROM (VALUES (1000.0::float8, 100), (NULL, 50), (500, NULL), (700, 0)) AS v (d, t);
SELECT efficiency(d, t) FROM (VALUES (NULL::float8, 50), (500, NULL), (700, 0)) AS v (d, t);
SELECT efficiency(d, t) FROM (SELECT 1::float8, 1 WHERE false) AS v (d, t);
SELECT efficiency(0, 5), efficiency(1e12, 9007199254740992) AS huge;
SELECT g, efficiency(d, t) FILTER (WHERE d < 4) FROM (SELECT n % 3, n::float8, n FROM generate_series(1, 9) AS n) AS v (g, d, t)
GROUP BY g ORDER BY g;

-- Frames: whatever enters and leaves, the answer is that of the rows inside.
CREATE TABLE call (n integer, duration_ms double precision, tokens bigint);
INSERT INTO call SELECT n, CASE WHEN n % 11 = 0 THEN NULL WHEN n % 13 = 0 THEN 1e12 WHEN n % 17 = 0 THEN 0 ELSE exp(sin(n) * 10) END,
                        CASE WHEN n % 7 = 0 THEN 0 WHEN n % 19 = 0 THEN NULL ELSE n * 37 % 500 END
                 FROM generate_series(1, 400) AS n;
CREATE FUNCTION brute_force(integer, integer) RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT (sum(duration_ms::numeric) / nullif(sum(tokens), 0))::float8 FROM call
    WHERE n BETWEEN $1 AND $2 AND duration_ms IS NOT NULL AND tokens > 0 $$;
SELECT frame, count(*) AS rows, count(efficiency) AS answers,
       count(*) FILTER (WHERE efficiency IS NULL <> (exact IS NULL) OR abs(efficiency - exact) > 1e-12 * exact) AS wrong
FROM (SELECT '5 preceding', efficiency(duration_ms, tokens) OVER w, brute_force(n - 5, n)
      FROM call WINDOW w AS (ORDER BY n ROWS 5 PRECEDING)
      UNION ALL
      SELECT '1 row', efficiency(duration_ms, tokens) OVER w, brute_force(n, n)
      FROM call WINDOW w AS (ORDER BY n ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
      UNION ALL
      SELECT 'ahead', efficiency(duration_ms, tokens) OVER w, brute_force(n + 3, n + 40)
      FROM call WINDOW w AS (ORDER BY n ROWS BETWEEN 3 FOLLOWING AND 40 FOLLOWING)
      UNION ALL
      SELECT 'range', efficiency(duration_ms, tokens) OVER w, brute_force(n - 20, n + 20)
      FROM call WINDOW w AS (ORDER BY n RANGE BETWEEN 20 PRECEDING AND 20 FOLLOWING)
      UNION ALL
      SELECT 'to the end', efficiency(duration_ms, tokens) OVER w, brute_force(n, 400)
      FROM call WINDOW w AS (ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
      UNION ALL
      SELECT 'all', efficiency(duration_ms, tokens) OVER (), brute_force(1, 400) FROM call
     ) AS f (frame, efficiency, exact)
GROUP BY frame ORDER BY frame;
-- An empty frame is NULL, and what was huge leaves nothing behind.
SELECT n, efficiency(d, 1) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)
FROM (VALUES (1, 1e12::float8), (2, 1e-3), (3, 1e-3), (4, 0), (5, 0)) AS v (n, d);

-- The same with other work by the planner's choice: parallel, and by groups.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ANALYZE call;
EXPLAIN (COSTS OFF) SELECT efficiency(duration_ms, tokens) FROM call;
SELECT abs(efficiency(duration_ms, tokens) - brute_force(1, 400)) <= 1e-12 * brute_force(1, 400) AS equal FROM call;
RESET ALL;
SET search_path = public, telemetry;
\set SHOW_CONTEXT never

-- Impossible measurements.
\set VERBOSITY sqlstate
SELECT efficiency(-1, 5);
SELECT efficiency('nan', 5);
SELECT efficiency('infinity', 5);
SELECT efficiency(1e13, 5);
SELECT efficiency(1, -5);
SELECT efficiency(-1, NULL);

-- The state is anybody's array: called directly with what is no state, an error and no more.
SELECT efficiency_step('{0,0,0}', 10, 2), efficiency_inverse('{10,0,2}', 10, 2), efficiency_combine('{1,0,2}', '{10,0,3}'),
       efficiency_final('{11,0,5}'), efficiency_final('{0,0,0}');
SELECT efficiency_step(NULL, 10, 2);
SELECT efficiency_inverse(NULL, 10, 2);
SELECT efficiency_combine(NULL, NULL);
SELECT efficiency_combine('{0,0,0}', NULL);
SELECT efficiency_final(NULL);
SELECT efficiency_step('{}', 10, 2);
SELECT efficiency_step('{0,0}', 10, 2);
SELECT efficiency_step('{0,0,0,0}', 10, 2);
SELECT efficiency_step('{0,NULL,0}', 10, 2);
SELECT efficiency_step('{{0,0,0}}', 10, 2);
SELECT efficiency_combine('{0,0,0}', '{0}');
SELECT efficiency_inverse('{0}', 1, 1);
SELECT efficiency_final('{1,2}');
SELECT efficiency_final('{NULL,NULL,NULL}');
SELECT efficiency_final('{infinity,0,1}') AS infinite, efficiency_final('{-5,0,1}') AS negative;
SELECT efficiency_step(array_fill(0::float8, '{3}', '{-1}'), 10, 2);
CREATE TABLE state (s double precision[]);
INSERT INTO state VALUES ('{1,0,2}');
SELECT efficiency_step(s, 10, 2), s FROM state;
SELECT s FROM state;

\set VERBOSITY default
SELECT efficiency(-1, 5);
SELECT efficiency(1, -5);

DROP TABLE call, state;
DROP FUNCTION brute_force(integer, integer);
