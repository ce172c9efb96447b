-- maintain(): everything in one call.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
\set as_of '''2026-03-15 12:00:00+00'''

-- Events of today, of a day that is to be kept, of one whose time is over, and of one that is far off.
SELECT count(telemetry.log_thought_latency('m', 1, 10, event_time => at)) FROM unnest(
    '{2026-03-15 10:00:00+00,2026-02-01 10:00:00+00,2025-12-01 10:00:00+00,2027-01-01 00:00:00+00}'::timestamptz[]) AS at;
SELECT * FROM telemetry.missing_days(:as_of);
CALL telemetry.maintain(:as_of);
SELECT * FROM telemetry.event_partitions();
SELECT tableoid::regclass, "timestamp" FROM telemetry.event ORDER BY 2;
SELECT partition, day_start, row_count, heap_bytes > 0 AND index_bytes > 0 AS has_bytes, oldest, newest FROM telemetry.partition_size;
SELECT step, result, sqlstate, error, duration_ms > 0 AS took_time FROM telemetry.maintenance_log ORDER BY step;
SELECT finished_at >= started_at AS is_finished, has_failed FROM telemetry.maintenance_state;
SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency(hours => 24 * 365, as_of => '2026-03-16 00:00:00+00');

-- Again: nothing to do, and only the round is logged.
CALL telemetry.maintain(:as_of);
SELECT step, count(*) FROM telemetry.maintenance_log GROUP BY 1 ORDER BY 1;

-- A late event for a recorded day; the next day.
SELECT telemetry.log_thought_latency('m', 1, 10, event_time => '2026-02-01 11:00:00+00') > 0 AS logged;
CALL telemetry.maintain(timestamptz :as_of + interval '1 day');
SELECT tableoid::regclass, count(*) FROM telemetry.event GROUP BY 1 ORDER BY 1;
SET gravitas_telemetry.premake_days = 0;
SELECT count(*) FROM telemetry.missing_days(timestamptz :as_of + interval '1 day');
SELECT * FROM telemetry.missing_days(timestamptz :as_of + interval '9 days');
RESET gravitas_telemetry.premake_days;

-- A step that fails is logged and stops no other; when it succeeds again, that is logged, too.
CREATE TABLE telemetry.event_20260325 (a integer);
SELECT telemetry.log_thought_latency('m', 1, 10, event_time => '2026-03-16 11:00:00+00') > 0 AS logged;
CALL telemetry.maintain(timestamptz :as_of + interval '3 days');
SELECT step, result, sqlstate, error FROM telemetry.maintenance_log WHERE started_at >= (SELECT started_at FROM telemetry.maintenance_state) ORDER BY step;
SELECT has_failed FROM telemetry.maintenance_state;
DROP TABLE telemetry.event_20260325;
CALL telemetry.maintain(timestamptz :as_of + interval '3 days');
CALL telemetry.maintain(timestamptz :as_of + interval '3 days');
SELECT step, result, sqlstate, error FROM telemetry.maintenance_log WHERE step = 'partitions' ORDER BY started_at;
SELECT has_failed FROM telemetry.maintenance_state;

-- Hostile settings of the session change nothing.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.lt(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.< (leftarg = timestamptz, rightarg = timestamptz, function = hostile.lt);
SET search_path = hostile, pg_catalog;
SET datestyle = 'SQL, DMY';
SET timezone = 'America/New_York';
CALL telemetry.maintain(timestamptz '2026-03-19 12:00:00+00');
SHOW search_path;
SHOW datestyle;
RESET search_path; RESET datestyle; SET timezone = 'UTC';
SELECT max(partition) FROM telemetry.event_partitions();
SELECT count(*) FROM telemetry.event;
DROP SCHEMA hostile CASCADE;

-- A day that the rollups lack something of is kept. Rounds look again the more seldom, but an hour after the last time, and
-- when the rollups have changed; apply_retention() always looks.
INSERT INTO telemetry.event ("timestamp", event_type) VALUES ('2026-01-02 10:00:00+00', 'NOTE');
SET client_min_messages = warning;
SELECT telemetry.ensure_partitions('2026-01-01 00:00:00+00', '2026-01-02 00:00:00+00') AS another_day;
INSERT INTO telemetry.event ("timestamp", event_type) VALUES ('2026-01-01 10:00:00+00', 'NOTE');
CREATE PROCEDURE pg_temp.round_after(pause interval) LANGUAGE plpgsql AS $$
BEGIN
    CALL telemetry.maintain(timestamptz '2026-03-20 12:00:00+00' + pause);
END $$;
CALL pg_temp.round_after('0');
SELECT partition, reason, detail, since, tried_at, rollup_events FROM telemetry.retention_delay ORDER BY 1;
CREATE VIEW tried AS SELECT partition, tried_at - since AS after FROM telemetry.retention_delay ORDER BY 1;
CALL pg_temp.round_after('10 minutes');
SELECT * FROM tried;
CALL pg_temp.round_after('19 minutes');
SELECT * FROM tried;
CALL pg_temp.round_after('20 minutes');
CALL pg_temp.round_after('3 hours');
CALL pg_temp.round_after('3 hours 59 minutes');
SELECT * FROM tried;
SELECT result, sqlstate, error FROM telemetry.maintenance_log WHERE step = 'retention' ORDER BY started_at DESC LIMIT 1;
CALL telemetry.apply_retention('2026-03-20 15:59:01+00', freed_bytes => 0);
SELECT * FROM tried;
SELECT telemetry.log('NOTE', event_time => '2026-01-01 11:00:00+00') > 0 AS logged;
CALL pg_temp.round_after('4 hours');
SELECT * FROM tried;
SELECT telemetry.rebuild_rollups('2026-01-01 00:00:00+00', '2026-01-03 00:00:00+00') > 0 AS rebuilt;
CALL pg_temp.round_after('4 hours 1 minute');
SELECT * FROM tried;
SELECT count(*) FROM telemetry.event WHERE "timestamp" < '2026-01-03';
DROP VIEW tried;
RESET client_min_messages;

-- Wrong.
BEGIN;
CALL telemetry.maintain();
ROLLBACK;
DO $$ BEGIN CALL telemetry.maintain('2026-03-19 12:00:00+00'); END $$;
CREATE FUNCTION pg_temp.inside() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL telemetry.maintain(); END $$;
SELECT pg_temp.inside();
CALL telemetry.maintain(NULL);
CALL telemetry.maintain('infinity');
SET default_transaction_isolation = 'repeatable read';
CALL telemetry.maintain();
RESET default_transaction_isolation;
SELECT telemetry.grant_maintainer('nobody of that name');
SELECT telemetry.grant_maintainer(NULL);

-- A maintainer maintains, and touches no event.
CREATE ROLE "regress Maintainer";
SET ROLE "regress Maintainer";
CALL telemetry.maintain();
RESET ROLE;
SELECT telemetry.grant_maintainer('regress Maintainer');
SET ROLE "regress Maintainer";
SELECT telemetry.set_retention('event', '30 days');
SET client_min_messages = warning;
CALL telemetry.maintain('2026-03-25 12:00:00+00');
CALL telemetry.apply_retention('2026-03-25 12:00:00+00', true, freed_bytes => 0) \gset
RESET client_min_messages;
SELECT current_user, count(*) FROM telemetry.maintenance_log WHERE error IS NOT NULL GROUP BY 1;
SELECT count(*) FROM telemetry.event;
SELECT telemetry.log('NOTE');
RESET ROLE;
SELECT pg_get_userbyid(relowner) = current_user AS is_owners FROM pg_class WHERE relname = 'event_20260401';
DROP OWNED BY "regress Maintainer";
DROP ROLE "regress Maintainer";
-- Whoever may only look into the schema cannot call it.
CREATE ROLE regress_looker;
GRANT USAGE ON SCHEMA telemetry TO regress_looker;
SET ROLE regress_looker;
CALL telemetry.maintain();
CALL telemetry.apply_retention(dry_run => true);
SELECT telemetry.set_retention('event', '1 day');
SELECT telemetry.grant_maintainer('regress_looker');
RESET ROLE;
DROP OWNED BY regress_looker;
DROP ROLE regress_looker;
