-- The quantile sketch as a type, an aggregate, and what can be asked of it.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET search_path = public, telemetry;

-- Bucket i holds (base^i, base^(i+1)], base = 2^(1/64): 1 ends bucket -1, 2 ends bucket 63, 1.5 is in 37.
SELECT sketch(x) FROM (VALUES (1.0::float8), (2), (1.5), (0), (-2), (1)) AS v (x);
SELECT sketch(x) FROM (VALUES (NULL::float8), (3), (NULL)) AS v (x);
SELECT sketch(x) FROM (VALUES (NULL::float8)) AS v (x);
SELECT sketch(x), merge(sketch) FROM (SELECT 1::float8, NULL::sketch WHERE false) AS v (x, sketch);
SELECT sketch(x) FROM (VALUES ('-0'::float8), ('5e-324'), ('1.7976931348623157e308'), ('-1.7976931348623157e308')) AS v (x);
SELECT s, value_count(s), min_value(s), max_value(s), percentile(s, 0.5), percentile_rank(s, 1) FROM (SELECT '{"count":0}'::sketch) AS v (s);

-- Text and binary forms and back, exactly.
CREATE TABLE a (n integer, s sketch);
INSERT INTO a SELECT 0, '{"count":0}';
INSERT INTO a VALUES (1, NULL);
INSERT INTO a SELECT 2, sketch(x) FROM generate_series(-3, 3) AS x;
INSERT INTO a SELECT 3, sketch(exp(sin(x) * 20)) FROM generate_series(1, 2000) AS x;
INSERT INTO a SELECT 4, sketch(-exp(sin(x) * 3)) FROM generate_series(1, 70000) AS x;
INSERT INTO a SELECT 5, sketch(1000 + x % 3) FROM generate_series(1, 300) AS x;
SELECT n, s::text::sketch = s AS text, sketch(sketch_send(s)) = s AS binary, s::jsonb->'count' AS count, value_count(s),
       s::jsonb = s::text::jsonb AS jsonb, octet_length(sketch_send(s)) AS size FROM a ORDER BY n;
SELECT bool_and(sketch_send(s::text::sketch) = sketch_send(s)) AS same_bytes FROM a;
CREATE TABLE b (LIKE a);
\copy a TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/sketch.copy"' (FORMAT binary)
\copy b FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/sketch.copy"' (FORMAT binary)
SELECT count(*) FROM a JOIN b USING (n) WHERE sketch_send(a.s) IS DISTINCT FROM sketch_send(b.s) OR a.s <> b.s;
\copy a TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/sketch.copy"'
\copy b FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/sketch.copy"'
SELECT n, count(*) FROM (SELECT DISTINCT n, sketch_send(s), s FROM b) AS d GROUP BY n ORDER BY n;

-- Merging: with +, with merge(), whatever the order; equality; joins and groups by hash.
SELECT x + y = y + x AS commutes, (x + y) + z = x + (y + z) AS associates, x + '{"count":0}' = x AS keeps, x <> y AS differ,
       x = y AS equal, value_count(x + y + z) = value_count(x) + value_count(y) + value_count(z) AS adds_up
FROM (SELECT (SELECT s FROM a WHERE n = 2), (SELECT s FROM a WHERE n = 3), (SELECT s FROM a WHERE n = 4)) AS v (x, y, z);
SELECT (SELECT merge(s ORDER BY n) FROM a) = (SELECT merge(s ORDER BY n DESC) FROM a) AS same,
       (SELECT merge(s) FROM a) = (SELECT s FROM a WHERE n = 0) + (SELECT merge(s) FROM a WHERE n > 0) AS of_parts;
SELECT merge(s) FROM a WHERE n = 1;
SELECT (SELECT sketch(x) FROM generate_series(1, 1000) AS x)
       = (SELECT merge(s) FROM (SELECT sketch(x) FROM generate_series(1, 1000) AS x GROUP BY x % 7) AS v (s)) AS cut_and_merged;
SELECT count(*) FROM (SELECT DISTINCT s FROM b) AS d;
SET enable_sort = off;
SELECT count(*), value_count(s) FROM b GROUP BY s ORDER BY 2;
RESET enable_sort;
SET enable_nestloop = off; SET enable_mergejoin = off;
SELECT a.n, b.n FROM a JOIN b ON a.s = b.s GROUP BY 1, 2 ORDER BY 1;
RESET enable_nestloop; RESET enable_mergejoin;
SELECT s = NULL AS equal, s + NULL AS sum, percentile(s, NULL) AS percentile, percentiles(s, NULL) AS percentiles FROM a WHERE n = 2;

-- Figures. The first and the last are exact, the others within 0.55 %.
SELECT value_count(s), min_value(s), max_value(s), percentile(s, 0), percentile(s, 1), percentiles(s, '{0,NULL,1}'), percentiles(s, '{}')
FROM a WHERE n = 2;
SELECT n, bool_and(abs(u.q - u.exact) <= 0.0055 * abs(u.exact) AND u.q BETWEEN lowest AND highest) AS within
FROM (SELECT 3, percentiles(sketch(x), p.p), percentile_disc(p.p) WITHIN GROUP (ORDER BY x), min(x), max(x)
      FROM (SELECT exp(sin(n) * 20) FROM generate_series(1, 2000) AS n) AS v (x),
           (SELECT array_agg(i / 200.0::float8) FROM generate_series(0, 200) AS i) AS p (p) GROUP BY p.p
      UNION ALL
      SELECT 4, percentiles(sketch(x), p.p), percentile_disc(p.p) WITHIN GROUP (ORDER BY x), min(x), max(x)
      FROM (SELECT round(cos(n) * 50) FROM generate_series(1, 2000) AS n) AS v (x),
           (SELECT array_agg(i / 200.0::float8) FROM generate_series(0, 200) AS i) AS p (p) GROUP BY p.p
     ) AS f (n, qs, exacts, lowest, highest), LATERAL unnest(qs, exacts) AS u (q, exact)
GROUP BY n ORDER BY n;
SELECT percentile_rank(s, -4), percentile_rank(s, -3), round(percentile_rank(s, 0)::numeric, 4) AS zero, percentile_rank(s, 2.9) < 1 AS below,
       percentile_rank(s, 3), percentile_rank(s, 'infinity'), percentile_rank(s, '-infinity') FROM a WHERE n = 2;

-- An OpenTelemetry exponential histogram, against logarithms.
SELECT exponential_histogram(sketch(x)) FROM (VALUES (1.0::float8), (1), (1.02), (0), (-4)) AS v (x);
SELECT exponential_histogram('{"count":0}');
CREATE TABLE v AS SELECT (sin(n) * power(10, n % 9 - 3))::float8 AS x FROM generate_series(1, 3000) AS n
                  UNION ALL SELECT power(2, n) FROM generate_series(-21, 30) AS n UNION ALL SELECT 0 FROM generate_series(1, 5);
WITH h AS (
    SELECT exponential_histogram(sketch(x)) AS h FROM v
), stated AS (
    SELECT sign, (h->sign->>'offset')::integer + i - 1 AS bucket, n::bigint
    FROM h, unnest('{positive,negative}'::text[]) AS sign,
         LATERAL jsonb_array_elements_text(h->sign->'bucket_counts') WITH ORDINALITY AS c (n, i)
    WHERE n <> '0'
), computed AS (
    SELECT CASE WHEN x > 0 THEN 'positive' ELSE 'negative' END AS sign,
           (ceil(64 * log(2, abs(x)::numeric)) - 1)::integer AS bucket, count(*) AS n
    FROM v WHERE x <> 0 GROUP BY 1, 2
)
SELECT (SELECT count(*) FROM stated) AS buckets, (SELECT sum(n) FROM stated) AS counted, h->'zero_count' AS zeros, h->'count' AS count,
       h->'scale' AS scale, (h->>'min')::float8 = (SELECT min(x) FROM v) AS min, (h->>'max')::float8 = (SELECT max(x) FROM v) AS max,
       (SELECT count(*) FROM stated FULL JOIN computed USING (sign, bucket) WHERE stated.n IS DISTINCT FROM computed.n) AS wrong
FROM h;

-- Refused.
\set VERBOSITY sqlstate
SELECT percentile(s, 1.0000001) FROM a WHERE n = 2;
SELECT percentile(s, -0.1) FROM a WHERE n = 2;
SELECT percentile(s, 'nan') FROM a WHERE n = 2;
SELECT percentile('{"count":0}'::sketch, 2);
SELECT percentiles(s, '{0.5,1.5}') FROM a WHERE n = 2;
SELECT percentiles(s, '{{0.5},{0.6}}') FROM a WHERE n = 2;
SELECT percentile_rank(s, 'nan') FROM a WHERE n = 2;
SELECT sketch(x) FROM (VALUES (1.0::float8), ('nan')) AS v (x);
SELECT sketch(x) FROM (VALUES (1.0::float8), ('infinity')) AS v (x);
SELECT sketch_step(NULL, 1);
SELECT sketch_step('{"count":0}', 1);
SELECT sketch_merge_step(NULL, '{"count":0}');
SELECT sketch_merge_step('{"count":0}', '{"count":0}');
SELECT sketch_step(NULL, NULL), sketch_merge_step(NULL, NULL), sketch_merge_step('{"count":0}', NULL);
-- counts that overflow
SELECT value_count('{"count":9223372036854775807,"min":1,"max":1,"positive":[[-1,9223372036854775807]]}');
SELECT s + s FROM (SELECT '{"count":9223372036854775807,"min":1,"max":1,"positive":[[-1,9223372036854775807]]}'::sketch) AS v (s);
SELECT merge(s) FROM (SELECT '{"count":9223372036854775807,"min":1,"max":1,"positive":[[-1,9223372036854775807]]}'::sketch FROM generate_series(1, 2)) AS v (s);
SELECT '{"count":9223372036854775808,"min":1,"max":1,"positive":[[-1,9223372036854775808]]}'::sketch;
SELECT '{"count":18446744073709551616}'::sketch;
SELECT '{"count":2,"min":1,"max":1,"positive":[[-1,9223372036854775807],[0,9223372036854775807]]}'::sketch;

-- Text that is no sketch.
CREATE FUNCTION refusal(form text, input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(form, input);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT refusal('SELECT %L::telemetry.sketch', t) AS code, count(*), array_agg(t) FILTER (WHERE refusal('SELECT %L::telemetry.sketch', t) <> '22P02')
FROM unnest(ARRAY['', ' ', '{', '}', '{}', '[]', 'null', '{"count":1}', '{"count":-1}', '{"count":1.5}', '{"count":1e3}', '{"count":0',
    '{"count":0}x', '{"count":0} {"count":0}', '{"count":0,"count":0}', '{"count":1,"min":1,"max":1}', '{"count":1,"min":1,"positive":[[-1,1]]}',
    '{"count":1,"min":1,"max":2,"positive":[[-1,1]]}', '{"count":1,"min":1,"max":1,"positive":[[0,1]]}',
    '{"count":2,"min":1,"max":2,"positive":[[63,1],[-1,1]]}', '{"count":2,"min":1,"max":1,"positive":[[-1,1],[-1,1]]}',
    '{"count":1,"min":1,"max":1,"positive":[[-1,0]]}', '{"count":1,"min":1,"max":1,"positive":[[-1,1],]}',
    '{"count":1,"min":1,"max":1,"positive":[[-1]]}', '{"count":1,"min":1,"max":1,"positive":[]}',
    '{"count":1,"min":1,"max":1,"positive":[[99999999999,1]]}', '{"count":1,"min":1,"max":1,"positive":[[65536,1]]}',
    '{"count":1,"min":NaN,"max":1,"positive":[[-1,1]]}', '{"count":1,"min":1e999,"max":1e999,"positive":[[-1,1]]}',
    '{"count":1,"min":0,"max":0,"zero":2}', '{"count":0,"zero":1}', '{"count":1,"min":1,"max":1,"zero":1}',
    '{"count":3,"min":2,"max":1,"positive":[[-1,1],[63,1]]}', '{"count":1,"min":1,"max":1,"positive":[[-1,1]],"more":1}',
    repeat('[', 100000), repeat('{"count":', 50000), '{"count":' || repeat('9', 100000) || '}', '{"count":0}' || chr(1)]) AS t
GROUP BY 1 ORDER BY 1;

-- Bytes that are no sketch.
SELECT refusal('SELECT telemetry.sketch(%L::bytea)', t) AS code, count(*), array_agg(t) FILTER (WHERE refusal('SELECT telemetry.sketch(%L::bytea)', t) <> '22P03')
FROM unnest('{\\x,\\x00,\\x01,\\x0000,\\x0200,\\xff00,\\x0108,\\x010000,\\x0104,\\x010400,\\x01043ff0,\\x01ff,\\x0101,\\x010102,\\x0107ffffffffffffff,
    \\x010402f03f02f03f01ffffffffffffffffffffffff}'::text[]) AS t GROUP BY 1 ORDER BY 1;
-- 1 GB of buckets, or 2^63 values, in a few bytes
SELECT refusal('SELECT telemetry.sketch(%L::bytea)', '\x0104023ff0023ff001' || x)
FROM unnest(ARRAY['ffffffff0f', '80808080808080808001', 'ffffffffffffffffff01', '8180808010', '02ffffffffffffffff7f', 'fe01']) AS x;
-- Every truncation and every flipped bit of good bytes is refused with 22P03, or is another sketch in canonical form.
CREATE FUNCTION damaged(type text, good bytea) RETURNS TABLE (damage text, outcome text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
    bad bytea;
    same boolean;
    codes text[] := '{}';
BEGIN
    FOR i IN 0 .. length(good) - 1 LOOP
        bad := substr(good, 1, i);
        codes := codes || ('truncated:' || refusal('SELECT telemetry.' || type || '(%L::bytea)', bad::text));
    END LOOP;
    codes := codes || ('extended:' || refusal('SELECT telemetry.' || type || '(%L::bytea)', (good || '\x00')::text));
    FOR i IN 0 .. length(good) * 8 - 1 LOOP
        bad := set_bit(good, i, 1 - get_bit(good, i));
        BEGIN
            EXECUTE format('SELECT telemetry.%1$s_send(telemetry.%1$s($1)) = $1 AND telemetry.%1$s_send((telemetry.%1$s($1)::text)::telemetry.%1$s) = $1', type)
                INTO same USING bad;
            codes := codes || CASE WHEN same THEN 'flipped:fine' ELSE 'flipped:changed' END;
        EXCEPTION WHEN OTHERS THEN
            codes := codes || (CASE SQLSTATE WHEN '22P03' THEN 'flipped:fine' ELSE 'flipped:' || SQLSTATE END);
        END;
    END LOOP;
    RETURN QUERY SELECT split_part(c, ':', 1), split_part(c, ':', 2), count(*) FROM unnest(codes) AS c GROUP BY 1, 2 ORDER BY 1, 2;
END $$;
SELECT a.n, d.* FROM a, damaged('sketch', sketch_send(s)) AS d WHERE a.n IN (0, 2, 5) ORDER BY 1, 2, 3;
SELECT d.damage, d.outcome FROM (SELECT sketch(exp(sin(x) * 3)) FROM generate_series(1, 400) AS x) AS v (s), damaged('sketch', sketch_send(s)) AS d ORDER BY 1, 2;
\copy b FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\2\\1\\10\\377\\377"' (FORMAT binary)

\set VERBOSITY default
SELECT percentile(s, 1.5) FROM a WHERE n = 2;
SELECT '{"count":1}'::sketch;
SELECT sketch('\x02'::bytea);

-- One that is longer than the room in which most are encoded: stored, added and merged as any other.
CREATE TABLE wide (s sketch);
INSERT INTO wide SELECT sketch(exp(n * 0.005)) FROM generate_series(-8000, 8000) AS n GROUP BY n > 0;
SELECT length(sketch_send(whole)) > 4096 AS is_long, value_count(whole), merged = whole AS merged, added = whole AS added,
       sketch(sketch_send(whole)) = whole AS sent, whole::text::sketch = whole AS read,
       abs(percentile(whole, 0.5) - 1) < 0.01 AS is_median
FROM (SELECT sketch(exp(n * 0.005)) FROM generate_series(-8000, 8000) AS n) AS w (whole),
     (SELECT merge(s), min(s::text)::sketch OPERATOR(telemetry.+) max(s::text)::sketch FROM wide) AS parts (merged, added);

DROP TABLE a, b, v, wide;
DROP FUNCTION damaged(text, bytea);
DROP FUNCTION refusal(text, text);
