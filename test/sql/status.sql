-- Is it healthy?
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- Nothing yet: all that is missing is a place for tomorrow's events.
SELECT item, CASE item WHEN 'version' THEN value ~ '^[0-9.]+$' ELSE NULL END AS version, CASE item WHEN 'version' THEN NULL WHEN 'worker' THEN regexp_replace(value, '\d+ of \d+', 'n of n') ELSE value END AS value, is_ok, hint
FROM telemetry.status('2026-03-10 12:00:00+00');
SELECT count(*) > 0 AS shown, bool_and(is_ok) AS healthy FROM telemetry.status;

-- Maintenance ran, days are ahead, a producer is well.
SELECT telemetry.ensure_partitions('2026-03-09', '2026-03-12 12:00:00+00');
SELECT telemetry.log('NOTE', event_time => '2026-03-10 11:00:00+00') > 0 AS logged;
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, error) VALUES ('compact', '2026-03-10 11:59:30+00', 12, '5 deltas', NULL);
INSERT INTO telemetry.producer VALUES ('11111111-1111-1111-1111-111111111111', 7, '2026-03-10', '2026-03-10 11:00:00+00', -3.4, 1000, 990, 5, 0, 0, 5);
SELECT bool_and(is_ok) AS healthy FROM telemetry.status('2026-03-10 12:00:00+00');
SELECT item, value FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item ~ 'maintenance|misplaced|partition|producer' ORDER BY 1;

-- Everything that can be wrong.
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, error) VALUES ('retention', '2026-03-10 11:00:00+00', 1, NULL, 'canceling statement due to lock timeout');
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, error) VALUES ('alerts', '2026-03-10 10:00:00+00', 1, NULL, 'out of memory'), ('alerts', '2026-03-10 11:00:00+00', 1, 'none', NULL);
SELECT telemetry.log('NOTE', event_time => '2026-03-05 11:00:00+00') > 0 AS misplaced, telemetry.log('NOTE', event_time => '2026-05-05 11:00:00+00') > 0 AS future,
       telemetry.log('NOTE', event_time => '2020-05-05 11:00:00+00') > 0 AS for_retention;
INSERT INTO telemetry.retention_delay VALUES
    ('event_20260105', 'locked', 'canceling statement due to lock timeout', '2026-03-10 12:00:00+00', '2026-03-10 13:00:00+00'),
    ('event_20260106', 'locked', 'canceling statement due to lock timeout', '2026-03-10 12:00:02+00', '2026-03-10 13:00:00+00'),
    ('event_20260107', 'missing in rollups', 'rollups lack 1 of its 2 events', '2026-03-10 13:00:00+00', '2026-03-10 13:00:00+00');
INSERT INTO telemetry.producer VALUES
    ('22222222-2222-2222-2222-222222222222', 7, '2026-03-10', '2026-03-10 11:00:00+00', 86400000.4, 1000, 900, 5, 0, 90, 5),
    ('33333333-3333-3333-3333-333333333333', 7, '2026-03-10', '2026-03-10 11:00:00+00', -60000, 1000, 1000, 0, 0, 0, 0),
    ('44444444-4444-4444-4444-444444444444', 7, '2026-03-10', '2026-03-08 11:00:00+00', -60000, 1000, 0, 0, 0, 1000, 0);
SELECT telemetry.set_alert('clock_skew', 20000);
SELECT count(*) FROM telemetry.check_alerts('2026-03-10 12:00:00+00') WHERE rule = 'clock_skew';
SELECT item, value, is_ok, hint FROM telemetry.status('2026-03-10 13:00:01+00') WHERE item NOT IN ('version', 'next maintenance', 'worker');
-- Where nothing is removed, nothing is late, and what is old is misplaced, too.
DELETE FROM telemetry.retention_delay;
INSERT INTO telemetry.retention_policy VALUES ('event', NULL);
SELECT item, value FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item IN ('starved drops', 'misplaced events');

-- A backlog.
SELECT count(*) FROM (SELECT telemetry.log('TICK', event_time => '2026-03-10 11:00:00+00') FROM generate_series(1, 20001)) AS logged;
SELECT value, is_ok FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item = 'delta backlog';
DELETE FROM telemetry.maintenance_log;
SELECT item, value, is_ok FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item = 'last maintenance';
SELECT telemetry.compact();
SELECT item, value, is_ok FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item IN ('last maintenance', 'delta backlog') ORDER BY 1;

-- Whether it can run by itself is asked where nobody maintained within the hour. Before PostgreSQL 17 workers log in.
CREATE VIEW worker AS
    SELECT split_part(value, ';', 1) AS setting, value ~ 'cannot log in' AS no_login, is_ok, hint
    FROM telemetry.status('2026-03-10 12:00:00+00') WHERE item = 'worker';
SELECT * FROM worker;
SET gravitas_telemetry.maintenance = on;
SELECT * FROM worker;
CREATE ROLE regress_nologin;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_nologin;
ALTER SCHEMA telemetry OWNER TO regress_nologin;
SELECT no_login = (needs_login AND NOT is_ok) AS told, CASE WHEN needs_login THEN hint ~ '^ALTER ROLE regress_nologin LOGIN' ELSE hint IS NULL END AS right_hint
FROM worker, (SELECT current_setting('server_version_num')::integer < 170000 AS needs_login) AS version;
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms) VALUES ('maintain', '2026-03-10 11:30:00+00', 1);
SELECT is_ok, hint FROM worker;
DELETE FROM telemetry.maintenance_log;
ALTER SCHEMA telemetry OWNER TO CURRENT_USER;
DROP OWNED BY regress_nologin;
DROP ROLE regress_nologin;
RESET gravitas_telemetry.maintenance;
SELECT (w).slots = current_setting('max_worker_processes')::integer AS slots, (w).free_slots BETWEEN 1 AND (w).slots AS free,
       (w).is_preloaded, (w).has_launcher, (w).owner_may_connect
FROM (SELECT telemetry.workers() AS w) AS w;
DROP VIEW worker;
