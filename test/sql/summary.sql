-- The summary as a type, its aggregates, and what can be asked of it.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET search_path = public, telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;

-- Ten calls: eight scored, one failed, one without a token. Scores 5, 10, 10, 20, 20, 20, 40, 80 ms per token.
CREATE TABLE call (n integer, kind text, at timestamptz, value float8, duration_ms float8, first_token_ms float8, prompt integer, tokens integer, status text);
INSERT INTO call VALUES
    (1, 'THOUGHT_LATENCY', '2026-03-02 10:00:05+00',  5,  500,  100, 10, 100, 'OK'),
    (2, 'THOUGHT_LATENCY', '2026-03-02 10:00:01+00', 10, 1000,  200, 20, 100, NULL),
    (3, 'THOUGHT_LATENCY', '2026-03-02 10:00:02+00', 10,  100, NULL, 30,  10, 'WARNING'),
    (4, 'THOUGHT_LATENCY', '2026-03-02 10:00:03+00', 20,   20,    5,  0,   1, 'OK'),
    (5, 'THOUGHT_LATENCY', '2026-03-02 10:00:04+00', 20,   40,   10, NULL, 2, 'OK'),
    (6, 'THOUGHT_LATENCY', '2026-03-02 10:00:06+00', 20, 2000, 3000,  5, 100, 'OK'),
    (7, 'THOUGHT_LATENCY', '2026-03-02 10:00:07+00', 40,  400, NULL,  5,  10, 'OK'),
    (8, 'THOUGHT_LATENCY', '2026-03-02 10:00:08+00', 80, NULL, NULL,  5, NULL, 'OK'),
    (9, 'THOUGHT_LATENCY', '2026-03-02 10:00:09+00',  1,    1,    1,  1,   1, 'timeout'),
    (10, 'THOUGHT_LATENCY', '2026-03-02 10:00:10.5+00', NULL, 300, 50, 7, 0, 'OK'),
    (11, 'LOAD_LATENCY', '2026-03-02 09:00:00+00', 3, 3000, NULL, NULL, NULL, 'OK'),
    (12, 'LOAD_LATENCY', '2026-03-02 09:01:00+00', 600, 600000, NULL, NULL, NULL, 'FAILED'),
    (13, 'VRAM_LOCKOUT', '2026-03-02 08:00:00+00', -100, NULL, NULL, 5, 5, 'ERROR'),
    (14, 'VRAM_CHECK', '2026-03-02 08:00:01+00', 0, NULL, NULL, NULL, NULL, 'OK'),
    (15, 'VRAM_CHECK', '2026-03-02 08:00:02+00', NULL, NULL, NULL, NULL, NULL, NULL);
CREATE VIEW s AS SELECT kind, summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status) AS s FROM call GROUP BY kind;

SELECT kind, event_count(s) AS n, error_count(s) AS errors, unscored_count(s) AS unscored, error_rate(s), first_at(s), last_at(s),
       total_tokens(s) AS tokens, prompt_tokens(s) AS prompt FROM s ORDER BY kind;
-- 4060 ms for 323 tokens; decoding: 400 + 800 + 30 ms for 99 + 99 + 1 tokens.
SELECT kind, round(ms_per_token(s)::numeric, 9) AS weighted, round(4060 / 323.0, 9) AS exact, round(tokens_per_second(s)::numeric, 6) AS per_second,
       round(323000 / 4060.0, 6) AS exact, round(decode_ms_per_token(s)::numeric, 9) AS decode, round(1230 / 199.0, 9) AS exact,
       mean_score(s), best_score(s), worst_score(s) FROM s WHERE kind = 'THOUGHT_LATENCY';
SELECT kind, metric, measurement_count(s, metric) AS n, total(s, metric), mean(s, metric), min_value(s, metric) AS min, max_value(s, metric) AS max,
       standard_deviation(s, metric) AS deviation
FROM s, unnest('{value,duration_ms,first_token_ms}'::text[]) AS metric ORDER BY kind, metric DESC;
SELECT round(stddev(value)::numeric, 9) AS value, round(stddev(duration_ms)::numeric, 9) AS duration_ms, round(stddev(first_token_ms)::numeric, 9) AS first_token_ms
FROM call WHERE n IN (1, 2, 3, 4, 5, 6, 7, 8, 10);
SELECT kind, metric, percentile(s, 0, metric) AS p0, percentile(s, 1, metric) AS p100,
       (SELECT array_agg(round(x::numeric, 1)) FROM unnest(percentiles(s, '{0.25,0.5,NULL,0.75,0.99}', metric)) AS x) AS others,
       percentile_rank(s, 19, metric) AS up_to_19, percentile_rank(s, 1e9, metric) AS up_to_many
FROM s, unnest('{value,duration_ms,first_token_ms}'::text[]) AS metric ORDER BY kind, metric DESC;
SELECT percentile_disc('{0.25,0.5,0.75,0.99}'::float8[]) WITHIN GROUP (ORDER BY value) FROM call WHERE n <= 8;
-- value is what is asked about unless another metric is named
SELECT mean(s) = mean(s, 'value') AS mean, percentile(s, 0.5) = percentile(s, 0.5, 'value') AS percentile, measurement_count(s),
       sketch(s) = sketch(s, 'value') AS sketch, value_count(sketch(s, 'duration_ms')), sketch(s) = (SELECT sketch(value) FROM call WHERE n <= 8) AS own
FROM s WHERE kind = 'THOUGHT_LATENCY';

-- Text: up to eight events are listed, more are totals.
SELECT s FROM s ORDER BY kind;
SELECT jsonb_pretty(s::jsonb #- '{value,sketch}' #- '{duration_ms,sketch}' #- '{first_token_ms,sketch}' #- '{regression}') FROM s WHERE kind = 'THOUGHT_LATENCY';
SELECT '{"samples":[]}'::summary AS s, event_count('{"samples":[]}'), error_rate('{"samples":[]}'), first_at('{"samples":[]}'), ms_per_token('{"samples":[]}');
SELECT mean(s), min_value(s), percentile(s, 0.5), percentiles(s, '{0.5}'), total(s), measurement_count(s) FROM (SELECT '{"samples":[]}'::summary) AS v (s);

-- No rows and NULLs.
SELECT summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status) FROM call WHERE false;
SELECT summarize('VRAM_CHECK', '2000-01-01 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL);
SELECT merge(s) FROM (VALUES (NULL::summary), (NULL)) AS v (s);
SELECT merge(s) FROM (SELECT NULL::summary WHERE false) AS v (s);
SELECT event_count(merge(s)) FROM (SELECT s FROM s UNION ALL SELECT NULL) AS v;
SELECT mean(NULL::summary), percentile(s, NULL), percentiles(s, NULL), mean(s, NULL), s = NULL AS equal, s + NULL AS sum FROM s WHERE kind = 'LOAD_LATENCY';

-- Text and binary forms and back, exactly.
CREATE TABLE a (n integer, s summary);
INSERT INTO a SELECT 0, s FROM s;
INSERT INTO a SELECT i, summarize('THOUGHT_LATENCY', '1999-12-31 00:00:00+00'::timestamptz + n * interval '1 hour', exp(sin(n)) , exp(sin(n)) * (n % 100 + 1), sin(n) ^ 2 * 100,
                                  n % 77, n % 100 + 1, CASE n % 13 WHEN 0 THEN 'ERROR' END)
              FROM generate_series(1, 8) AS i, generate_series(1, i * i * 40) AS n GROUP BY i;
INSERT INTO a VALUES (200, NULL), (201, '{"samples":[]}');
INSERT INTO a SELECT 202, summarize('X', '2026-01-01', x, NULL, NULL, NULL, NULL, NULL) FROM unnest('{1.7976931348623157e308,1.7976931348623157e308,-1e-310,5e-324,0,-0,1,1,1,1}'::float8[]) AS x;
SELECT count(*), bool_and(s::text::summary = s) AS text, bool_and(summary(summary_send(s)) = s) AS binary,
       bool_and(summary_send(s::text::summary) = summary_send(s)) AS bytes, bool_and(s::jsonb = s::text::jsonb) AS jsonb FROM a;
CREATE TABLE b (LIKE a);
\copy a TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/summary.copy"' (FORMAT binary)
\copy b FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/summary.copy"' (FORMAT binary)
\copy a TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/summary.copy"'
\copy b FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/summary.copy"'
SELECT count(*), count(*) FILTER (WHERE a.s IS NOT DISTINCT FROM b.s AND summary_send(a.s) IS NOT DISTINCT FROM summary_send(b.s)) AS same
FROM a JOIN b USING (n) WHERE n > 0;
-- sums that left the range of a double are unknown, not infinite
SELECT total(s), mean(s), standard_deviation(s), max_value(s), measurement_count(s) FROM a WHERE n = 202;

-- Merging and equality: any order and any cut gives the same; groups and joins by hash.
SELECT x + y = y + x AS commutes, x + '{"samples":[]}' = x AS keeps, x <> y AS differ, x = y AS equal, event_count(x + y) = event_count(x) + event_count(y) AS adds_up
FROM (SELECT (SELECT s FROM a WHERE n = 2), (SELECT s FROM a WHERE n = 3)) AS v (x, y);
SELECT (SELECT summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status ORDER BY n) FROM call WHERE n <= 8)
       = (SELECT merge(s) FROM (SELECT summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status) FROM call WHERE n <= 8 GROUP BY n % 3) AS v (s)) AS few;
SELECT (SELECT summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status ORDER BY n) FROM call)
       = (SELECT merge(s) FROM (SELECT summarize(kind, at, value, duration_ms, first_token_ms, prompt, tokens, status) FROM call GROUP BY n % 3) AS v (s)) AS many;
SELECT n, count(*) FROM (SELECT DISTINCT n, s FROM b) AS d WHERE n > 0 GROUP BY n ORDER BY n;
SET enable_sort = off;
SELECT count(*), event_count(s) FROM b WHERE n > 0 GROUP BY s ORDER BY 2;
SET enable_nestloop = off; SET enable_mergejoin = off;
SELECT count(*) FROM a JOIN b ON a.s = b.s WHERE a.n BETWEEN 1 AND 8;
RESET enable_sort; RESET enable_nestloop; RESET enable_mergejoin;

-- Parallel plans: partial states travel between processes, and the answer is that of one process.
CREATE TABLE many AS
    SELECT n, 'model ' || n % 5 AS model, '2026-03-01 00:00:00+00'::timestamptz + n * interval '1 second' AS at, exp(sin(n) * 3) AS value,
           exp(sin(n) * 3) * (n % 100 + 1) AS duration_ms, exp(cos(n)) AS first_token_ms, n % 333 AS prompt, n % 100 + 1 AS tokens,
           CASE n % 17 WHEN 0 THEN 'ERROR' END AS status
    FROM generate_series(1, 20000) AS n;
ALTER TABLE many ADD s summary;
ALTER TABLE many ALTER s SET STORAGE main;
UPDATE many SET s = v.s FROM (SELECT n, summarize('THOUGHT_LATENCY', at, value, duration_ms, first_token_ms, prompt, tokens, status) FROM many GROUP BY n) AS v (n, s) WHERE v.n = many.n;
VACUUM ANALYZE many;
CREATE FUNCTION has_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found OR line ~ 'Partial (Hash|Group)?Aggregate';
    END LOOP;
    RETURN found;
END $$;
\set all 'summarize(''THOUGHT_LATENCY'', at, value, duration_ms, first_token_ms, prompt, tokens, status) AS summarized, merge(s) AS merged, sketch(value) FILTER (WHERE status IS NULL) AS values, merge(sketch(s)) AS sketches, efficiency(duration_ms, tokens)'
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT model, :all FROM many GROUP BY model UNION ALL SELECT 'all', :all FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SELECT has_partial($$SELECT summarize('THOUGHT_LATENCY', at, value, duration_ms, first_token_ms, prompt, tokens, status) FROM many$$) AS summarize,
       has_partial('SELECT merge(s) FROM many') AS merge, has_partial('SELECT sketch(value) FROM many') AS sketch,
       has_partial('SELECT merge(sketch(s)) FROM many') AS merge_sketch, has_partial('SELECT efficiency(duration_ms, tokens) FROM many') AS efficiency,
       has_partial('SELECT model, merge(s) FROM many GROUP BY model') AS grouped;
EXPLAIN (COSTS OFF) SELECT merge(s) FROM many;
CREATE TABLE parallel AS SELECT model, :all FROM many GROUP BY model;
INSERT INTO parallel SELECT 'all', v.* FROM (SELECT :all FROM many) AS v;
RESET max_parallel_workers_per_gather;
-- All but floating-point sums is equal; these and what is made of them, to 1e-12.
CREATE FUNCTION exact_parts(s summary) RETURNS jsonb LANGUAGE sql AS $$
    SELECT s::jsonb #- '{value,sum}' #- '{value,squares}' #- '{duration_ms,sum}' #- '{duration_ms,squares}'
           #- '{first_token_ms,sum}' #- '{first_token_ms,squares}' #- '{weighted,duration_ms}' #- '{decode,duration_ms}'
           #- '{regression,d}' #- '{regression,pd}' #- '{regression,gd}' #- '{regression,dd}' $$;
CREATE FUNCTION near(float8, float8) RETURNS boolean LANGUAGE sql AS 'SELECT abs($1 - $2) <= 1e-12 * abs($2)';
SELECT model, event_count(p.merged) AS events, s.values = p.values AS values, s.sketches = p.sketches AS sketches, s.values = s.sketches AS both,
       exact_parts(s.summarized) = exact_parts(p.summarized) AND exact_parts(s.merged) = exact_parts(p.merged) AND exact_parts(s.merged) = exact_parts(s.summarized) AS counts,
       near(p.efficiency, s.efficiency) AS efficiency,
       (SELECT bool_and(near(mean(x, m), mean(s.summarized, m)) AND near(standard_deviation(x, m), standard_deviation(s.summarized, m))
                        AND near(ms_per_token(x), ms_per_token(s.summarized)) AND near(decode_ms_per_token(x), decode_ms_per_token(s.summarized)))
        FROM unnest('{value,duration_ms,first_token_ms}'::text[]) AS m, unnest(ARRAY[p.summarized, p.merged, s.merged]) AS x) AS figures
FROM serial AS s JOIN parallel AS p USING (model) ORDER BY model;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET parallel_leader_participation;

-- Refused.
\set VERBOSITY sqlstate
SELECT percentile(s, 1.1) FROM s;
SELECT percentile(s, -1e-9) FROM s;
SELECT percentile(s, 'nan') FROM s;
SELECT percentile('{"samples":[]}'::summary, 7);
SELECT percentiles(s, '{0.1,2}') FROM s;
SELECT percentile(s, 1.1) FROM a WHERE n = 8;
SELECT percentile_rank(s, 'nan') FROM s;
SELECT percentile(s, 0.5, 'nonsense') FROM s;
SELECT mean(s, 'VALUE') FROM s;
SELECT mean(s, '') FROM s;
SELECT sketch(s, repeat('x', 10000)) FROM s;
SELECT measurement_count(s, 'tokens') FROM s;
SELECT summarize('THOUGHT_LATENCY', now(), 'nan', NULL, NULL, NULL, NULL, NULL);
SELECT summarize('THOUGHT_LATENCY', now(), 1, '-1', NULL, NULL, NULL, NULL);
SELECT summarize('THOUGHT_LATENCY', now(), 1, 'infinity', NULL, NULL, NULL, NULL);
SELECT summarize('THOUGHT_LATENCY', now(), 1, 1, -1, NULL, NULL, NULL);
SELECT summarize('THOUGHT_LATENCY', now(), 1, 1, 1, -1, NULL, NULL);
SELECT summarize('THOUGHT_LATENCY', now(), 1, 1, 1, 1, -1, NULL);
SELECT summarize_step(NULL, 'X', now(), 1, NULL, NULL, NULL, NULL, NULL);
SELECT summarize_step('{"samples":[]}', 'X', now(), 1, NULL, NULL, NULL, NULL, NULL);
SELECT summary_merge_step(NULL, '{"samples":[]}');
SELECT summary_merge_step('{"samples":[]}', '{"samples":[]}');
SELECT summary_merge_step(NULL, NULL), summary_merge_step('{"samples":[]}', NULL);
-- counts that overflow
SELECT event_count(s), event_count(s + '{"samples":[{"at":0}]}') AS one_more
FROM (SELECT '{"events":9223372036854775806,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}'::summary) AS v (s);
SELECT s + s FROM (SELECT '{"events":9223372036854775807,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}'::summary) AS v (s);
SELECT merge(s) FROM (SELECT '{"events":9223372036854775807,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}'::summary FROM generate_series(1, 2)) AS v (s);

-- Text and bytes that are no summary.
CREATE FUNCTION refusal(form text, input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(form, input);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT refusal('SELECT %L::telemetry.summary', t) AS code, count(*), array_agg(t) FILTER (WHERE refusal('SELECT %L::telemetry.summary', t) <> '22P02')
FROM unnest(ARRAY['', '{', '{}', '[]', 'null', '{"samples"}', '{"samples":{}}', '{"samples":[', '{"samples":[{}]}', '{"samples":[{"at":1},]}', '{"samples":[{"at":1.5}]}',
    '{"samples":[{"at":"1"}]}', '{"samples":[{"at":1,"value":nan}]}', '{"samples":[{"at":1,"value":1e999}]}', '{"samples":[{"at":1,"duration_ms":-1}]}',
    '{"samples":[{"at":1,"error":false}]}', '{"samples":[{"at":1,"error":true,"unscored":true}]}', '{"samples":[{"at":1,"prompt_tokens":1}]}',
    '{"samples":[{"at":1,"value":1,"tokens_generated":0}]}', '{"samples":[{"at":1,"value":1,"tokens_generated":2147483648}]}',
    '{"samples":[{"value":1,"at":1}]}', '{"samples":[{"at":99999999999999999999}]}', '{"samples":[]}x', '{"samples":[],"samples":[]}',
    '{"samples":[' || repeat('{"at":1},', 8) || '{"at":1}]}', '{"samples":[' || repeat('{"at":1},', 100000) || '{"at":1}]}',
    '{"events":8,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}',
    '{"events":9,"errors":10,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}',
    '{"events":9,"errors":0,"unscored":0,"first_at":1,"last_at":0,"tokens_generated":0,"prompt_tokens":0}',
    '{"events":9223372036854775808,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0}',
    '{"events":9,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0,"value":{"sum":[1,0],"squares":0,"sketch":{"count":0}}}',
    '{"events":9,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0,"value":{"sum":[1,0],"squares":-1,"sketch":{"count":1,"min":1,"max":1,"positive":[[-1,1]]}}}',
    '{"events":9,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0,"value":{"sum":[1,0],"squares":0,"sketch":{"count":10,"min":1,"max":1,"positive":[[-1,10]]}}}',
    '{"events":9,"errors":0,"unscored":0,"first_at":0,"last_at":0,"tokens_generated":0,"prompt_tokens":0,"weighted":{"duration_ms":[1,0],"tokens":5}}',
    repeat('{"samples":[', 50000), repeat('[', 100000)]) AS t GROUP BY 1 ORDER BY 1;
SELECT refusal('SELECT telemetry.summary(%L::bytea)', t) AS code, count(*), array_agg(t) FILTER (WHERE refusal('SELECT telemetry.summary(%L::bytea)', t) <> '22P03')
FROM unnest('{\\x,\\x00,\\x01,\\x02,\\x0200,\\xff,\\xffff,\\x0109,\\x0108,\\x01fe,\\x01ff,\\x01ff00,\\x010000,\\x010100ff,\\x0102000000,\\x01ff0008000000,\\x01ff00ffffffffffffffffff01000000,
              \\x01ff0009090a0000,\\x01ff010900000000040208ffffffffffffffff7f,\\x0101000108,\\x01010002097ff0000000000000,\\x010100fffffffffffffffffffffff0}'::text[]) AS t GROUP BY 1 ORDER BY 1;
-- Every truncation and every flipped bit of good bytes is refused with 22P03, or is another summary in canonical form.
CREATE FUNCTION damaged(good bytea) RETURNS TABLE (damage text, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    bad bytea;
    same boolean;
    codes text[] := '{}';
BEGIN
    FOR i IN 0 .. length(good) - 1 LOOP
        codes := codes || ('truncated:' || refusal('SELECT telemetry.summary(%L::bytea)', substr(good, 1, i)::text));
    END LOOP;
    codes := codes || ('extended:' || refusal('SELECT telemetry.summary(%L::bytea)', (good || '\x00')::text));
    FOR i IN 0 .. length(good) * 8 - 1 LOOP
        bad := set_bit(good, i, 1 - get_bit(good, i));
        BEGIN
            same := telemetry.summary_send(telemetry.summary(bad)) = bad
                    AND telemetry.summary_send((telemetry.summary(bad)::text)::telemetry.summary) = bad
                    AND telemetry.event_count(telemetry.summary(bad)) > 0 AND telemetry.percentile(telemetry.summary(bad), 0.5) IS DISTINCT FROM 'nan';
            codes := codes || CASE WHEN same THEN 'flipped:fine' ELSE 'flipped:changed' END;
        EXCEPTION WHEN OTHERS THEN
            codes := codes || (CASE SQLSTATE WHEN '22P03' THEN 'flipped:fine' ELSE 'flipped:' || SQLSTATE END);
        END;
    END LOOP;
    RETURN QUERY SELECT DISTINCT split_part(c, ':', 1), split_part(c, ':', 2) FROM unnest(codes) AS c ORDER BY 1, 2;
END $$;
SELECT kind, d.* FROM s, damaged(summary_send(s)) AS d ORDER BY 1, 2, 3;
SELECT d.* FROM a, damaged(summary_send(s)) AS d WHERE n = 3;

\set VERBOSITY default
SELECT percentile(s, 1.5) FROM s WHERE kind = 'LOAD_LATENCY';
SELECT mean(s, 'nonsense') FROM s WHERE kind = 'LOAD_LATENCY';
SELECT '{"samples":[{"at":1,"value":x}]}'::summary;
SELECT summary('\x0201'::bytea);

DROP VIEW s;
DROP TABLE call, a, b, many, serial, parallel;
DROP FUNCTION damaged(bytea), refusal(text, text), exact_parts(summary), near(float8, float8), has_partial(text);

-- A window that grows: each row keeps the summary that it was given, although the aggregate goes on.
SELECT n, telemetry.event_count(s) AS events, telemetry.max_value(s) AS max
FROM (SELECT n, telemetry.summarize('NOTE', '2026-03-01 00:00:00+00', n, NULL, NULL, NULL, NULL, NULL) OVER (ORDER BY n) AS s
      FROM generate_series(1, 12) AS n) AS w
ORDER BY n DESC LIMIT 3;
