-- INSERT and COPY on the view behave as on a table, although their rows are stored together.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE VIEW pg_temp.problems AS
    SELECT (SELECT count(*) FROM telemetry.event) AS events,
           (SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_delta) AS summarized,
           (SELECT count(*) FROM telemetry.check_rollups('2026-01-01 00:00:00+00', '2026-12-31 00:00:00+00')) AS problems;

-- A statement leaves one summary for each minute, event type and component; more rows than are kept at once.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
SELECT timestamptz '2026-03-01 10:00:00+00' + n * interval '1 second', 'NOTE', 'c' || n % 2, n FROM generate_series(0, 3599) AS n;
SELECT count(*) AS deltas, sum(telemetry.event_count(summary)) AS events FROM telemetry.rollup_delta;
TABLE pg_temp.problems;

-- RETURNING, in order and with the ids under which the rows are stored.
WITH inserted AS (
    INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
    SELECT timestamptz '2026-03-02 10:00:00+00', 'RETURNED', 'c', n FROM generate_series(1, 1500) AS n RETURNING id, value)
SELECT count(*), count(DISTINCT id), bool_and(value = place) AS in_order
FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM inserted) AS i;
SELECT count(*) FROM telemetry.event AS e WHERE event_type = 'RETURNED' AND value = (SELECT count(*) FROM telemetry.event AS b WHERE b.event_type = 'RETURNED' AND b.id <= e.id);

-- Several inserts in one statement, and a statement that sees nothing of what it stores.
WITH a AS (INSERT INTO telemetry.system_telemetry (event_type, "timestamp") SELECT 'CTE_A', '2026-03-03 00:00:00+00' FROM generate_series(1, 3) RETURNING id),
     b AS (INSERT INTO telemetry.system_telemetry (event_type, "timestamp") SELECT 'CTE_B', '2026-03-03 00:00:00+00' FROM a RETURNING id)
INSERT INTO telemetry.system_telemetry (event_type, "timestamp", value) SELECT 'CTE_C', '2026-03-03 00:00:00+00', (SELECT count(*) FROM telemetry.event WHERE event_type LIKE 'CTE__') FROM b RETURNING value;
SELECT event_type, count(*) FROM telemetry.event WHERE event_type LIKE 'CTE__' GROUP BY 1 ORDER BY 1;

-- Inserts within inserts: a function of the SELECT list, a trigger on storage, with errors that are caught.
CREATE FUNCTION pg_temp.nested(n integer) RETURNS double precision LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry.system_telemetry ("timestamp", event_type, value) VALUES ('2026-03-04 00:00:00+00', 'INNER', n);
    BEGIN
        INSERT INTO telemetry.system_telemetry ("timestamp", event_type, value) SELECT '2026-03-04 00:00:00+00', 'CAUGHT', 1 / (i - 3) FROM generate_series(1, 5) AS i;
    EXCEPTION WHEN division_by_zero THEN
        PERFORM telemetry.log('HANDLER', event_time => '2026-03-04 00:00:00+00');
    END;
    RETURN (SELECT count(*) FROM telemetry.event WHERE event_type IN ('INNER', 'CAUGHT', 'HANDLER'));
END $$;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, value) SELECT '2026-03-04 00:00:00+00', 'OUTER', pg_temp.nested(n) FROM generate_series(1, 3) AS n RETURNING value;
SELECT event_type, count(*) FROM telemetry.event WHERE "timestamp" = '2026-03-04 00:00:00+00' GROUP BY 1 ORDER BY 1;
CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.value > 0 THEN
        INSERT INTO telemetry.system_telemetry ("timestamp", event_type, value) VALUES (new."timestamp", 'FOLLOWED', new.value - 1);
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER follow AFTER INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION public.follow();
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, value) VALUES ('2026-03-05 00:00:00+00', 'FOLLOWED', 3), ('2026-03-05 00:00:00+00', 'FOLLOWED', 1);
SELECT value, count(*) FROM telemetry.event WHERE event_type = 'FOLLOWED' GROUP BY 1 ORDER BY 1;
DROP FUNCTION public.follow CASCADE;
TABLE pg_temp.problems;

-- Savepoints, errors half-way, and a transaction that goes on after them.
BEGIN;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type) VALUES ('2026-03-06 00:00:00+00', 'KEPT');
SAVEPOINT one;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type) VALUES ('2026-03-06 00:00:00+00', 'ROLLED_BACK');
ROLLBACK TO one;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, duration_ms) SELECT '2026-03-06 00:00:00+00', 'FAILED', 2000 - n FROM generate_series(1, 3000) AS n;
ROLLBACK TO one;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type) VALUES ('2026-03-06 00:00:00+00', 'KEPT');
COMMIT;
SELECT event_type, count(*) FROM telemetry.event WHERE "timestamp" = '2026-03-06 00:00:00+00' GROUP BY 1;
COPY telemetry.system_telemetry ("timestamp", event_type, duration_ms) FROM stdin;
2026-03-06 00:00:01+00	COPIED	1
2026-03-06 00:00:01+00	COPIED	-1
\.
COPY telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, metadata) FROM stdin;
2026-03-06 00:00:02+00	THOUGHT_LATENCY	m	30	3	{"a": 1}
2026-03-06 00:00:03+00	THOUGHT_LATENCY	m	\N	\N	{"inference_time_ms": 20, "tokens_generated": 4}
\.
SELECT value, duration_ms, metadata FROM telemetry.event WHERE component = 'm' ORDER BY "timestamp";
TABLE pg_temp.problems;

-- Days that are made, and rows of many days at once.
SELECT telemetry.ensure_partitions('2026-04-01 00:00:00+00', '2026-04-10 00:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type)
SELECT timestamptz '2026-03-31 12:00:00+00' + n * interval '7 hours', 'MANY_DAYS' FROM generate_series(1, 40) AS n;
SELECT tableoid::regclass AS partition, count(*) FROM telemetry.event WHERE event_type = 'MANY_DAYS' GROUP BY 1 ORDER BY 1;
TABLE pg_temp.problems;

-- Read-only transactions.
BEGIN READ ONLY;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE');
ROLLBACK;
BEGIN READ ONLY;
SELECT telemetry.log('NOTE');
ROLLBACK;
