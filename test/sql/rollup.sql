-- Rollups: what inserts append, what compact() makes of it, what checks and rebuilds them.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE VIEW stored AS
    SELECT 'delta' AS level, bucket, event_type, component, summary FROM telemetry.rollup_delta
    UNION ALL SELECT 'minute', * FROM telemetry.rollup_minute
    UNION ALL SELECT 'hour', * FROM telemetry.rollup_hour
    UNION ALL SELECT 'day', * FROM telemetry.rollup_day;

-- Names and times of buckets; those before 2000 are floored too.
SELECT telemetry.rollup_key('model'), telemetry.rollup_key(''), telemetry.rollup_key(NULL);
SELECT length(telemetry.rollup_key(repeat('x', 512))) AS whole, octet_length(telemetry.rollup_key(repeat('x', 513))) AS cut,
       right(telemetry.rollup_key(repeat('x', 513)), 17) AS hash, octet_length(telemetry.rollup_key(repeat('☃', 300))) AS wide,
       telemetry.rollup_key(repeat('x', 600) || 'a') <> telemetry.rollup_key(repeat('x', 600) || 'b') AS differ,
       octet_length(telemetry.rollup_key(repeat('x', 1000000))) AS huge;
SELECT minutes, telemetry.bucket_start(minutes, '2026-03-02 13:14:59.999999+00') AS bucket,
       telemetry.bucket_start(minutes, '1999-12-31 23:59:59.999999+00') AS before, telemetry.bucket_start(minutes, '2000-01-01 00:00:00+00') AS exact
FROM unnest('{1,5,60,1440}'::integer[]) AS minutes;
SELECT telemetry.bucket_start(1440, 'infinity'), telemetry.bucket_start(NULL, now()), telemetry.bucket_start(1, NULL);
SELECT telemetry.bucket_start(0, now());
SELECT telemetry.bucket_start(1441, now());
-- A window is covered by the largest buckets.
SELECT to_char(s, 'DD HH24:MI') AS since, to_char(e, 'DD HH24:MI') AS until, to_char(hours_start, 'DD HH24:MI') AS hours_start,
       to_char(days_start, 'DD HH24:MI') AS days_start, to_char(days_end, 'DD HH24:MI') AS days_end, to_char(hours_end, 'DD HH24:MI') AS hours_end
FROM (VALUES ('2026-03-02 10:05+00'::timestamptz, '2026-03-02 10:50+00'::timestamptz), ('2026-03-02 10:05+00', '2026-03-02 11:30+00'),
             ('2026-03-02 10:05+00', '2026-03-03 11:30+00'), ('2026-03-02 10:05+00', '2026-03-05 11:30+00'), ('2026-03-02', '2026-03-03'),
             ('2026-03-02 10:00+00', '2026-03-02 11:00+00'), ('1999-12-30 22:58+00', '2000-01-01 00:01+00')) AS v (s, e),
     telemetry.window_levels(s, e);

-- Every way in appends in its own transaction, and what is rolled back leaves nothing.
SELECT telemetry.compact() AS nothing_to_do;
SELECT telemetry.log('VRAM_CHECK', 'gpu', 1, event_time => '2026-03-02 10:00:30+00') > 0 AS logged;
SELECT telemetry.log_load_latency('m', 2, event_time => '2026-03-02 10:00:31+00') > 0 AS logged;
SELECT telemetry.log_thought_latency('m', 1, 100, event_time => '2026-03-02 10:59:59.999999+00') > 0 AS logged;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
VALUES ('2026-03-02 10:00:00+00', 'THOUGHT_LATENCY', 'm', 3000, 100), ('2026-03-02 10:00:59.999999+00', 'THOUGHT_LATENCY', 'm', 1000, 100),
       ('2026-03-02 10:01:00+00', 'THOUGHT_LATENCY', NULL, 1000, 100);
COPY telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated) FROM STDIN;
2026-03-03 00:00:00+00	THOUGHT_LATENCY	m	500	100
2026-03-02 23:59:59.999999+00	THOUGHT_LATENCY	m	700	100
\.
BEGIN;
SELECT telemetry.log('NOTE', 'never', event_time => '2026-03-02 10:00:00+00') > 0 AS logged;
SAVEPOINT s;
SELECT telemetry.log('NOTE', 'never', event_time => '2026-03-02 10:00:00+00') > 0 AS logged;
ROLLBACK TO s;
ROLLBACK;
SELECT bucket, event_type, component, sum(telemetry.event_count(summary)) AS n FROM stored GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM telemetry.check_rollups('2026-03-01', '2026-03-04');
CREATE TABLE answer AS
    SELECT 'efficiency' AS question, to_jsonb(e) AS answer FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-03 00:00:30+00') AS e
    UNION ALL SELECT '60 days', telemetry.get_60day_statistics('2026-03-03 12:00:00+00')
    UNION ALL SELECT 'recent', to_jsonb(r) FROM telemetry.get_recent_events(10, 'm') AS r;
SELECT telemetry.compact() = count(*) AS moved_all FROM telemetry.rollup_delta;
SELECT telemetry.compact() AS again;
SELECT level, bucket, event_type, component, telemetry.event_count(summary) AS n FROM stored ORDER BY 1, 2, 3, 4;
SELECT * FROM telemetry.check_rollups('2026-03-01', '2026-03-04');
SELECT question FROM (
    SELECT 'efficiency' AS question, to_jsonb(e) AS answer FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-03 00:00:30+00') AS e
    UNION ALL SELECT '60 days', telemetry.get_60day_statistics('2026-03-03 12:00:00+00')
    UNION ALL SELECT 'recent', to_jsonb(r) FROM telemetry.get_recent_events(10, 'm') AS r) AS a
EXCEPT ALL SELECT question FROM answer;
-- A late event counts at once, beside what is compacted.
SELECT telemetry.log_thought_latency('m', 5, 100, event_time => '2026-03-02 10:00:20+00') > 0 AS logged;
SELECT component, measurement_count, worst_efficiency FROM telemetry.get_aggregated_efficiency('m', 1, '2026-03-02 11:00:00+00');
SELECT * FROM telemetry.check_rollups('2026-03-01', '2026-03-04');

-- Trends: steps are UTC-aligned and the first and last are whole, before and after a compaction.
CREATE VIEW trend AS
    SELECT step, t.component, t.step_start, t.measurement_count AS n, t.weighted_efficiency_score AS weighted, t.p50_efficiency AS p50, t.total_tokens AS tokens
    FROM (VALUES (interval '5 minutes', 2, timestamptz '2026-03-02 11:00:30+00'), ('1 hour', 3, '2026-03-02 10:30:00+00'), ('1 day', 24, '2026-03-02 12:00:00+00'))
         AS q (step, hours, as_of), telemetry.efficiency_trend('m', hours, step, as_of) AS t;
SELECT * FROM trend ORDER BY step, step_start;
SELECT telemetry.log_thought_latency('m', 9, 100, event_time => '2026-03-02 10:45:00+00') > 0 AS logged;
CREATE TABLE uncompacted AS SELECT * FROM trend;
SELECT telemetry.compact();
(TABLE uncompacted EXCEPT ALL TABLE trend) UNION ALL (TABLE trend EXCEPT ALL TABLE uncompacted) ORDER BY step, step_start;
SELECT * FROM trend ORDER BY step, step_start;
\set VERBOSITY sqlstate
SELECT telemetry.efficiency_trend(step => '0 minutes');
SELECT telemetry.efficiency_trend(step => '-1 hour');
SELECT telemetry.efficiency_trend(step => '7 minutes');
SELECT telemetry.efficiency_trend(step => '30 seconds');
SELECT telemetry.efficiency_trend(step => '1 month');
SELECT telemetry.efficiency_trend(step => '2 days');
SELECT telemetry.efficiency_trend(step => '213503982 days 10:01:49.551616');   -- 2^64 microseconds and an hour
SELECT telemetry.efficiency_trend(step => NULL);
SELECT telemetry.efficiency_trend(hours => 0);
SELECT telemetry.efficiency_trend(hours => NULL);
SELECT telemetry.efficiency_trend(hours => 1000, step => '1 minute');
SELECT telemetry.efficiency_trend(as_of => 'infinity');
\set VERBOSITY default
SELECT telemetry.efficiency_trend(step => '7 minutes');

-- Damage: what is missing, what disagrees, and what is no error.
CREATE VIEW problem AS SELECT problem, level, bucket, event_type, component, expected, found FROM telemetry.check_rollups('2026-03-01', '2026-03-04');
BEGIN;
DELETE FROM telemetry.rollup_minute WHERE bucket = '2026-03-02 10:00:00+00' AND event_type = 'LOAD_LATENCY';
SELECT * FROM problem;
ROLLBACK;
BEGIN;
UPDATE telemetry.rollup_hour SET summary = summary OPERATOR(telemetry.+) summary WHERE event_type = 'VRAM_CHECK';
DELETE FROM telemetry.rollup_day WHERE component IS NULL;
INSERT INTO telemetry.rollup_day SELECT bucket, 'NONSENSE', component, summary FROM telemetry.rollup_day WHERE event_type = 'VRAM_CHECK';
SELECT * FROM problem;
SELECT telemetry.rebuild_rollups('2026-03-02 12:00:00+00', '2026-03-02 12:00:01+00') > 0 AS rebuilt;
SELECT * FROM problem;
ROLLBACK;
-- stored past the doors
BEGIN;
INSERT INTO telemetry.event ("timestamp", event_type, component) VALUES ('2026-03-02 10:00:00+00', 'NOTE', 'by hand');
SELECT * FROM problem;
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-03') > 0 AS rebuilt;
SELECT * FROM problem;
ROLLBACK;
-- deleted: rollups keep what was measured, until they are rebuilt
BEGIN;
DELETE FROM telemetry.system_telemetry WHERE event_type = 'VRAM_CHECK';
SELECT * FROM problem;
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-03') > 0 AS rebuilt;
SELECT * FROM problem;
ROLLBACK;
SELECT telemetry.check_rollups('2026-03-02', '2026-03-02'), telemetry.check_rollups(NULL, NULL);

-- A rebuild gives what was there: days before and after it are left alone, deltas included.
CREATE TABLE before AS SELECT level, bucket, event_type, component, summary::text FROM stored;
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-03') AS minutes;
SELECT * FROM problem;
SELECT count(*) FROM (SELECT level, bucket, event_type, component, summary::text FROM stored EXCEPT ALL TABLE before) AS d;
SELECT telemetry.rebuild_rollups('2025-01-01', '2025-01-02') AS nothing_there;

-- Where the events of a day are gone, compacted or not, its rollups are all that is left.
SELECT telemetry.log('NOTE', 'gone', event_time => '2026-02-27 01:00:00+00') > 0 AS logged;
SELECT telemetry.compact();
DELETE FROM telemetry.system_telemetry WHERE component = 'gone';
SELECT telemetry.rebuild_rollups('2026-02-26', '2026-03-04');
SELECT telemetry.get_60day_statistics('2026-02-27 12:00:00+00')->'overall'->'total_measurements' AS kept;
SELECT telemetry.log('NOTE', 'gone uncompacted', event_time => '2026-02-25 01:00:00+00') > 0 AS logged;
DELETE FROM telemetry.system_telemetry WHERE component = 'gone uncompacted';
SELECT telemetry.rebuild_rollups('2026-02-25', '2026-02-26');
SELECT telemetry.get_60day_statistics('2026-02-25 12:00:00+00')->'overall'->'total_measurements' AS kept;

\set VERBOSITY sqlstate
SELECT telemetry.rebuild_rollups(NULL, now());
SELECT telemetry.rebuild_rollups(now(), NULL);
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-02');
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-01');
SELECT telemetry.rebuild_rollups('-infinity', '2026-03-01');
SELECT telemetry.rebuild_rollups('2026-03-02', 'infinity');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT telemetry.compact();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT telemetry.rebuild_rollups('2026-03-02', '2026-03-03');
ROLLBACK;
BEGIN READ ONLY;
SELECT telemetry.compact();
ROLLBACK;

-- Series beyond the limit are summed up as (other); nothing is lost, and their events are found.
\set VERBOSITY default
SET gravitas_telemetry.max_series_per_day = 2;
SELECT telemetry.log_thought_latency(c, 1, 10, event_time => '2026-04-01 10:00:00+00') > 0 AS logged FROM unnest('{a,b,c,d}'::text[]) AS c;
SELECT telemetry.log('NOTE', NULL, event_time => '2026-04-01 10:00:00+00') > 0 AS logged;
SELECT telemetry.compact();
SELECT level, event_type, component, telemetry.event_count(summary) AS n FROM stored WHERE bucket >= '2026-04-01' ORDER BY 1, 2, 3;
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency(as_of => '2026-04-01 12:00:00+00');
SELECT component, metadata->'tokens_generated' AS tokens FROM telemetry.get_recent_events(10, 'd');
SELECT count(*) FROM telemetry.get_recent_events(10, '(other)');
SELECT * FROM telemetry.check_rollups('2026-04-01', '2026-04-02');
-- A series that was folded speaks again: known ones keep their places, it stays folded.
SELECT telemetry.log_thought_latency(c, 1, 10, event_time => '2026-04-01 10:00:00+00') > 0 AS logged FROM unnest('{a,d}'::text[]) AS c;
SELECT * FROM telemetry.check_rollups('2026-04-01', '2026-04-02');
SELECT telemetry.compact();
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency(as_of => '2026-04-01 12:00:00+00');
SELECT * FROM telemetry.check_rollups('2026-04-01', '2026-04-02');
-- A higher limit, and a rebuild: everybody has a place.
RESET gravitas_telemetry.max_series_per_day;
SELECT telemetry.log_thought_latency('d', 1, 10, event_time => '2026-04-01 10:00:00+00') > 0 AS logged;
SELECT telemetry.compact();
SELECT * FROM telemetry.check_rollups('2026-04-01', '2026-04-02');
SELECT count(*) FROM telemetry.get_recent_events(10, 'd');
SELECT telemetry.rebuild_rollups('2026-04-01', '2026-04-02') AS minutes;
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency(as_of => '2026-04-01 12:00:00+00') ORDER BY component;
SELECT * FROM telemetry.check_rollups('2026-04-01', '2026-04-02');
SET gravitas_telemetry.max_series_per_day = 0;

DROP VIEW stored, trend, problem;
DROP TABLE answer, uncompacted, before;
