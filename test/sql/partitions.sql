-- Days of storage.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';

CREATE FUNCTION days() RETURNS TABLE (partition name, bounds text) LANGUAGE sql AS $$
    SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class
    WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'telemetry.event'::regclass) ORDER BY relname $$;

-- Without a day of its own an event goes to the default partition, and moves when its day comes.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component) VALUES
    ('2026-03-01 23:59:59.999999+00', 'NOTE', 'last of the 1st'),
    ('2026-03-02 00:00:00+00', 'NOTE', 'first of the 2nd'),
    ('2026-03-02 23:59:59.999999+00', 'NOTE', 'last of the 2nd'),
    ('2026-03-03 00:00:00+00', 'NOTE', 'first of the 3rd'),
    ('1970-01-01 00:00:00+00', 'NOTE', 'long ago'), ('2100-01-01 00:00:00+00', 'NOTE', 'far off');
SELECT tableoid::regclass, count(*) FROM telemetry.event GROUP BY 1;
SELECT telemetry.ensure_partitions('2026-03-01 12:00:00+00', '2026-03-02 00:00:01+00');
SET timezone = 'UTC';
SELECT * FROM days();
SELECT tableoid::regclass AS partition, component FROM telemetry.event ORDER BY "timestamp";

-- Again: nothing to do. More: only what is missing.
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00');
SELECT telemetry.ensure_partitions('2026-02-28 00:00:00+00', '2026-03-03 00:00:00.000001+00');
SELECT tableoid::regclass AS partition, component FROM telemetry.event ORDER BY "timestamp";

-- Each day has its index, keeps the parent's defaults, and is not a member of the extension.
SELECT indexdef FROM pg_indexes WHERE schemaname = 'telemetry' AND tablename = 'event_20260301';
SELECT conname FROM pg_constraint WHERE conrelid = 'telemetry.event_20260301'::regclass AND contype = 'c';
SELECT count(*) AS members FROM pg_depend
WHERE objid = 'telemetry.event_20260301'::regclass AND deptype = 'e';

-- Before 2000, and the ends of the calendar that are served.
SELECT telemetry.ensure_partitions('1970-01-01 00:00:00+00', '1970-01-01 00:00:01+00');
SELECT telemetry.ensure_partitions('9999-12-30 00:00:00+00', '9999-12-30 00:00:01+00');
SELECT * FROM days() WHERE partition < 'event_2000' OR partition > 'event_9';

-- Refused.
SELECT telemetry.ensure_partitions(NULL, now());
SELECT telemetry.ensure_partitions(now(), NULL);
SELECT telemetry.ensure_partitions('2026-03-02', '2026-03-02');
SELECT telemetry.ensure_partitions('2026-03-02', '2026-03-01');
SELECT telemetry.ensure_partitions('-infinity', '2026-03-01');
SELECT telemetry.ensure_partitions('2026-03-01', 'infinity');
SELECT telemetry.ensure_partitions('1969-12-31 23:59:59+00', '2026-03-01');
SELECT telemetry.ensure_partitions('2000-01-01', '2026-03-01');
CREATE TABLE elsewhere ("timestamp" timestamptz) PARTITION BY RANGE ("timestamp");
CREATE TABLE telemetry.event_20260501 PARTITION OF elsewhere DEFAULT;
SELECT telemetry.ensure_partitions('2026-05-01 00:00:00+00', '2026-05-02 00:00:00+00');
DROP TABLE elsewhere;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT telemetry.ensure_partitions('2026-05-01 00:00:00+00', '2026-05-02 00:00:00+00');
ROLLBACK;
CREATE TABLE telemetry.event_20260401 (a integer);
SELECT telemetry.ensure_partitions('2026-04-01 00:00:00+00', '2026-04-02 00:00:00+00');
DROP TABLE telemetry.event_20260401;

-- Where a trigger keeps an event in the default partition, its day is not made.
SELECT telemetry.log('NOTE', event_time => '2026-06-01 10:00:00+00') > 0 AS logged;
CREATE FUNCTION pg_temp.stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER stays BEFORE DELETE ON telemetry.event_default FOR EACH ROW EXECUTE FUNCTION pg_temp.stays();
SELECT telemetry.ensure_partitions('2026-06-01 00:00:00+00', '2026-06-02 00:00:00+00');
DROP TRIGGER stays ON telemetry.event_default;
SELECT telemetry.ensure_partitions('2026-06-01 00:00:00+00', '2026-06-02 00:00:00+00');
SELECT conname FROM pg_constraint WHERE conrelid = 'telemetry.event_default'::regclass AND contype = 'c';

DROP FUNCTION days();

-- Dropping the extension drops the days with it.
DROP EXTENSION gravitas_telemetry;
SELECT count(*) FROM pg_class WHERE relname ~ '^event_' AND relkind IN ('r', 'i', 'S');
SELECT count(*) FROM pg_namespace WHERE nspname = 'telemetry';
CREATE EXTENSION gravitas_telemetry;
