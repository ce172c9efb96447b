-- What telemetry takes and holds.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;

-- Nothing yet.
SELECT table_name, row_count, row_count_is_estimate AS estimate, oldest_record, newest_record, partitions, bytes_per_row,
       growth_bytes_per_day, days_until_cap
FROM telemetry.footprint('2026-03-05 12:00:00+00');
SELECT jsonb_pretty(telemetry.get_telemetry_footprint() - '{table_sizes, row_counts, total_size_bytes}'::text[]);

-- Four days of events, two of them compacted, one event of a day without a partition, and rows of the other tables.
SELECT telemetry.ensure_partitions('2026-03-01', '2026-03-05 12:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT '2026-03-01 06:00:00+00'::timestamptz + n * interval '6 minutes', 'THOUGHT_LATENCY', 'm' || n % 3, n, 10
FROM generate_series(0, 479) AS n;
SELECT telemetry.compact();
INSERT INTO telemetry.system_telemetry ("timestamp", event_type)
SELECT '2026-03-03 06:00:00+00'::timestamptz + n * interval '6 minutes', 'TICK' FROM generate_series(0, 479) AS n;
SELECT telemetry.log('NOTE', event_time => '2026-02-01 12:00:00+00') > 0 AS logged;
SELECT telemetry.log_usage('m', 'chat', 1, 2, 3.5) > 0 AS logged;
SELECT telemetry.log_history('user', 'hello') > 0 AS logged;
CREATE VIEW counted AS
    SELECT 'system_telemetry' AS table_name, count(*), min("timestamp"), max("timestamp") FROM telemetry.event
    UNION ALL SELECT 'usage_stats', count(*), min("timestamp"), max("timestamp") FROM telemetry.usage_stats
    UNION ALL SELECT 'history', count(*), min("timestamp"), max("timestamp") FROM telemetry.history
    UNION ALL SELECT 'rollup_minute', count(*), min(bucket), max(bucket) FROM telemetry.rollup_minute
    UNION ALL SELECT 'rollup_hour', count(*), min(bucket), max(bucket) FROM telemetry.rollup_hour
    UNION ALL SELECT 'rollup_day', count(*), min(bucket), max(bucket) FROM telemetry.rollup_day
    UNION ALL SELECT 'rollup_delta', count(*), min(bucket), max(bucket) FROM telemetry.rollup_delta;
CREATE VIEW wrong AS
    SELECT * FROM telemetry.footprint('2026-03-05 12:00:00+00') AS f JOIN counted AS c USING (table_name)
    WHERE f.row_count <> c.count OR f.row_count_is_estimate OR f.oldest_record IS DISTINCT FROM c.min
       OR f.newest_record IS DISTINCT FROM c.max;
SELECT table_name, row_count, oldest_record, newest_record, partitions FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';
SELECT * FROM wrong;

-- Bytes are those of pg_total_relation_size(), of every part.
CREATE VIEW misjudged AS
    WITH part AS (
        SELECT 'system_telemetry' AS table_name, relid FROM pg_partition_tree('telemetry.event'::regclass)
        UNION ALL
        SELECT name, ('telemetry.' || name)::regclass
        FROM unnest('{usage_stats, history, rollup_minute, rollup_hour, rollup_day, rollup_delta, producer}'::text[]) AS name
    ), size AS (
        SELECT table_name, sum(pg_total_relation_size(relid)) AS total, sum(pg_indexes_size(relid)) AS index,
               sum(coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0)) AS toast
        FROM part JOIN pg_class ON pg_class.oid = relid GROUP BY 1
    )
    SELECT table_name, f.total_bytes, s.total, f.index_bytes, s.index, f.toast_bytes, s.toast
    FROM telemetry.footprint('2026-03-05 12:00:00+00') AS f JOIN size AS s USING (table_name)
    WHERE (total_bytes, index_bytes, toast_bytes, total_bytes) <> (s.total, s.index, s.toast, heap_bytes + index_bytes + toast_bytes);
SELECT * FROM misjudged;
INSERT INTO telemetry.history (role, content) SELECT 'user', string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n;
SELECT toast_bytes > 30000 AS long_values FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'history';
SELECT * FROM misjudged;
SELECT t.total_bytes = sum(f.total_bytes) AS bytes, t.row_count = sum(f.row_count) AS rows, t.growth_bytes_per_day = sum(f.growth_bytes_per_day) AS growth
FROM telemetry.footprint() AS t, telemetry.footprint() AS f WHERE t.table_name = 'total' AND f.table_name <> 'total'
GROUP BY t.total_bytes, t.row_count, t.growth_bytes_per_day;

-- A day that is dropped is not counted any longer, though its rollups stay. One deleted by hand still is.
DROP TABLE telemetry.event_20260301;
SELECT * FROM wrong;
DELETE FROM telemetry.system_telemetry WHERE "timestamp" >= '2026-03-02' AND "timestamp" < '2026-03-03';
SELECT row_count - count AS deleted FROM wrong;
TRUNCATE telemetry.event_20260302;
SELECT table_name, row_count, count FROM wrong;

-- Closed days are what maintenance recorded of them and what has come since, until compact() adds that to the day.
INSERT INTO telemetry.partition_size VALUES
    ('event_20260303', '2026-03-03', 7, 1000000, 200000, 30000, '2026-03-03', '2026-03-03', now()),
    ('event_20260305', '2026-03-05', 7, 1e12, 1e12, 1e12, '2026-03-03', '2026-03-03', now());   -- not over
SELECT f.row_count, f.row_count_is_estimate AS estimate,
       f.total_bytes = 1230000 + sum(pg_total_relation_size(p.relid)) AS recorded, f.partitions
FROM telemetry.footprint('2026-03-05 12:00:00+00') AS f, pg_partition_tree('telemetry.event'::regclass) AS p
WHERE f.table_name = 'system_telemetry' AND p.relid <> 'telemetry.event_20260303'::regclass GROUP BY 1, 2, 4, f.total_bytes;
-- 1,230,000 bytes and one more day of 24 kB or so over the days since the first that holds events.
SELECT round(growth_bytes_per_day / 1e5) AS growth FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';

SELECT telemetry.log('LATE', event_time => '2026-03-03 12:00:00+00') > 0 AS logged;
SELECT row_count, row_count_is_estimate AS estimate FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';
SELECT telemetry.compact();
SELECT partition FROM telemetry.partition_size;
SELECT row_count, row_count_is_estimate AS estimate FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';

-- When it is full, at this growth.
INSERT INTO telemetry.partition_size VALUES ('event_20260303', '2026-03-03', 7, 52000000, 0, 0, '2026-03-03', '2026-03-03', now());
SELECT round(days_until_cap * 10) AS tenths FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'total';
INSERT INTO telemetry.retention_policy VALUES ('event', '3 days');
SELECT days_until_cap > 1000 AS held FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'total';
DELETE FROM telemetry.retention_policy;
DELETE FROM telemetry.partition_size;

-- Many series and many deltas: then the rows of the days beyond are estimated, and say so.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component)
SELECT '2026-03-04 01:00:00+00', 'TICK', 'c' || n FROM generate_series(1, 3000) AS n;
SELECT row_count_is_estimate AS estimate FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';
SELECT telemetry.compact();
SELECT row_count_is_estimate AS estimate FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';

SELECT * FROM telemetry.footprint('infinity');

-- Parts of the user's own, one of them no plain table: their rows are estimated.
CREATE TABLE telemetry.old_events (LIKE telemetry.event) PARTITION BY LIST (event_type);
CREATE TABLE telemetry.old_notes PARTITION OF telemetry.old_events FOR VALUES IN ('NOTE');
ALTER TABLE telemetry.event ATTACH PARTITION telemetry.old_events FOR VALUES FROM ('2001-01-01') TO ('2002-01-01');
CREATE TABLE telemetry.older_events (LIKE telemetry.event);
ALTER TABLE telemetry.event ATTACH PARTITION telemetry.older_events FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
INSERT INTO telemetry.event ("timestamp", event_type) VALUES ('2001-05-05', 'NOTE'), ('2000-05-05', 'NOTE');
SELECT row_count_is_estimate AS estimate, oldest_record, partitions FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name = 'system_telemetry';
DROP TABLE telemetry.old_events, telemetry.older_events;

-- Whoever may read nothing gets sizes and estimates, and no error.
CREATE ROLE regress_nobody;
GRANT USAGE ON SCHEMA telemetry TO regress_nobody;
GRANT EXECUTE ON FUNCTION telemetry.footprint(timestamptz), telemetry.retention_keep, telemetry.alert_rules, telemetry.alert_defaults TO regress_nobody;
GRANT SELECT ON telemetry.alert_rule, telemetry.retention_policy TO regress_nobody;
SET ROLE regress_nobody;
SELECT table_name, heap_bytes > 0 AS sized, row_count_is_estimate AS estimate, oldest_record
FROM telemetry.footprint('2026-03-05 12:00:00+00') WHERE table_name IN ('system_telemetry', 'history');
RESET ROLE;
DROP OWNED BY regress_nobody;
DROP ROLE regress_nobody;
DROP VIEW wrong, misjudged, counted;
