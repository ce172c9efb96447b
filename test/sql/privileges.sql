-- What PUBLIC may do: nothing. What the README says a writer needs is enough.
\set SHOW_CONTEXT never
-- Which of several tables is named first is the planner's choice.
\set VERBOSITY sqlstate
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
CREATE ROLE regress_writer;

SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
SELECT * FROM telemetry.system_telemetry;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE');
RESET ROLE;

GRANT USAGE ON SCHEMA telemetry TO regress_writer;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
SELECT * FROM telemetry.get_recent_events();
SELECT telemetry.get_60day_statistics();
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day');
RESET ROLE;

-- Without the right to append its summary, no event is stored.
GRANT INSERT, SELECT (id) ON telemetry.event TO regress_writer;
GRANT USAGE ON telemetry.event_id_seq TO regress_writer;
GRANT INSERT ON telemetry.system_telemetry TO regress_writer;
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day') > 0 AS made;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
RESET ROLE;
SELECT count(*) FROM telemetry.event;
GRANT INSERT ON telemetry.rollup_delta TO regress_writer;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE') > 0 AS logged;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE');
SELECT event_type FROM telemetry.event;
DELETE FROM telemetry.event;
SELECT * FROM telemetry.rollup_delta;
SELECT telemetry.compact();
SELECT telemetry.rebuild_rollups(now() - interval '1 day', now());
SET gravitas_telemetry.max_series_per_day = 1;
RESET ROLE;
SELECT count(*), (SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_delta) AS summarized FROM telemetry.event;

-- A reader reads rollups, and no event for what is aggregated.
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA telemetry TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM telemetry.get_aggregated_efficiency();
RESET ROLE;
GRANT SELECT ON telemetry.rollup_delta, telemetry.rollup_minute, telemetry.rollup_hour, telemetry.rollup_day,
                telemetry.compaction, telemetry.retention_policy TO regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM telemetry.get_aggregated_efficiency();
SELECT count(*) FROM telemetry.efficiency_trend();
SELECT telemetry.get_60day_statistics(now() + interval '1 day')->'overall'->'total_measurements' AS measurements;
SELECT count(*) FROM telemetry.get_recent_events();
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

DROP OWNED BY regress_writer;
DROP ROLE regress_writer;
