-- What PUBLIC may do: nothing. What grant_writer() and grant_reader() give is enough, and no more than that.
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

-- A role that may only look into the schema can call nothing.
GRANT USAGE ON SCHEMA telemetry TO regress_writer;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
SELECT * FROM telemetry.get_recent_events();
SELECT telemetry.get_60day_statistics();
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day');
SELECT telemetry.grant_writer('regress_writer');
SELECT telemetry.grant_reader('regress_writer');
RESET ROLE;
REVOKE USAGE ON SCHEMA telemetry FROM regress_writer;

-- A writer logs through every door and sees the ids. The batch is the first one of a producer, with one NOTE of 2026-03-01.
\set batch '''\\x475442018500000066ae8cd822222222222242228222222222222222010000000000000000c003dd26930e0000c003dd26930e000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000102044e4f5445056f746865720180c0f8daa6fda5060100010100000000000000'''
SELECT telemetry.grant_writer('regress_writer');
SELECT telemetry.grant_writer('regress_writer');
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day') > 0 AS made;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE') > 0 AS log, telemetry.log_load_latency('m', 1) > 0 AS load, telemetry.log_thought_latency('m', 1, 10) > 0 AS thought,
       telemetry.log_usage('m', 'chat', 1, 2, 3) > 0 AS usage, telemetry.log_history('user', 'hello') > 0 AS history;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE') RETURNING id > 0 AS id;
COPY telemetry.system_telemetry (event_type, component) FROM STDIN;
NOTE	copied
\.
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
SELECT * FROM telemetry.ingest(:batch);
SELECT * FROM telemetry.ingest(:batch);
SELECT telemetry.measure_latency(telemetry.start_timer()) >= 0 AS timer;
-- And nothing else.
SELECT event_type FROM telemetry.event;
SELECT event_type FROM telemetry.system_telemetry;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE') RETURNING event_type;
DELETE FROM telemetry.event;
DELETE FROM telemetry.system_telemetry;
UPDATE telemetry.event SET component = 'x';
TRUNCATE telemetry.event;
SELECT content FROM telemetry.history;
SELECT model FROM telemetry.usage_stats;
SELECT dropped FROM telemetry.producer;
DELETE FROM telemetry.producer;
SELECT * FROM telemetry.rollup_delta;
DELETE FROM telemetry.rollup_delta;
SELECT * FROM telemetry.get_aggregated_efficiency();
SELECT * FROM telemetry.footprint;
SELECT * FROM telemetry.status;
SELECT * FROM telemetry.alerts;
SELECT telemetry.compact();
SELECT telemetry.check_alerts();
SELECT telemetry.set_alert('size', 1e12);
SELECT telemetry.rebuild_rollups(now() - interval '1 day', now());
BEGIN;
LOCK TABLE telemetry.compaction_lock;
ROLLBACK;
CREATE TABLE telemetry.mine ();
CREATE TRIGGER mine BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SET gravitas_telemetry.max_series_per_day = 1;
RESET ROLE;
SELECT count(*), (SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_delta) AS summarized FROM telemetry.event;

-- Without the right to append its summary, no event is stored.
REVOKE INSERT ON telemetry.rollup_delta FROM regress_writer;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
SELECT telemetry.grant_writer('regress_writer');
-- Triggers and row security of the user's hold for every door, and a writer needs no more for them.
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER nothing BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
SET ROLE regress_writer;
SELECT telemetry.log('NOTE') > 0 AS log;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE') RETURNING id > 0 AS id;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
DROP TRIGGER nothing ON telemetry.event;
ALTER TABLE telemetry.event ENABLE ROW LEVEL SECURITY;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE');
RESET ROLE;
CREATE POLICY own ON telemetry.event FOR INSERT WITH CHECK (component = 'mine');
CREATE POLICY ids ON telemetry.event FOR SELECT USING (component = 'mine');
SET ROLE regress_writer;
SELECT telemetry.log('NOTE', 'mine') > 0 AS log, telemetry.log_load_latency('mine', 1) > 0 AS load, telemetry.log_thought_latency('mine', 1, 10) > 0 AS thought;
SELECT telemetry.log('NOTE', 'theirs');
SELECT telemetry.log_load_latency('theirs', 1);
SELECT telemetry.log_thought_latency('theirs', 1, 10);
INSERT INTO telemetry.system_telemetry (event_type, component) VALUES ('NOTE', 'mine') RETURNING id > 0 AS id;
INSERT INTO telemetry.system_telemetry (event_type, component) VALUES ('NOTE', 'theirs');
INSERT INTO telemetry.event (event_type, component) VALUES ('NOTE', 'theirs');
COPY telemetry.system_telemetry (event_type, component) FROM STDIN;
NOTE	theirs
\.
SELECT stored, refused->0->>'sqlstate' AS refused FROM telemetry.log_batch('[{"event_type": "NOTE", "component": "mine"}, {"event_type": "NOTE", "component": "theirs"}]', on_error => 'skip');
RESET ROLE;
DELETE FROM telemetry.producer;
SET ROLE regress_writer;
SELECT stored, refused->0->>'sqlstate' AS refused FROM telemetry.ingest(:batch);
RESET ROLE;
SELECT count(*), (SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_delta WHERE component = 'mine') AS summarized FROM telemetry.event WHERE component = 'mine';
SELECT count(*) AS theirs, (SELECT count(*) FROM telemetry.rollup_delta WHERE component = 'theirs') AS summarized FROM telemetry.event WHERE component = 'theirs';

-- So it does for rows that leave through the view, and for those that are shown.
CREATE ROLE regress_remover;
GRANT USAGE ON SCHEMA telemetry TO regress_remover;
GRANT SELECT, DELETE ON telemetry.event, telemetry.system_telemetry TO regress_remover;
GRANT EXECUTE ON FUNCTION telemetry.event_metadata TO regress_remover;
CREATE POLICY remove ON telemetry.event FOR DELETE TO regress_remover USING (event_type <> 'NOTE');
SET ROLE regress_remover;
SELECT DISTINCT component FROM telemetry.system_telemetry;
DELETE FROM telemetry.system_telemetry WHERE component = 'copied' RETURNING event_type;
DELETE FROM telemetry.system_telemetry RETURNING event_type;
RESET ROLE;
SELECT count(*) FILTER (WHERE component = 'mine') AS mine, count(*) FILTER (WHERE component = 'copied') AS copied FROM telemetry.event;
DROP POLICY remove ON telemetry.event;
DROP OWNED BY regress_remover;
DROP ROLE regress_remover;

-- A reader reads, by row security too, and writes nothing; history is for its own grant.
CREATE ROLE regress_reader;
SELECT telemetry.grant_reader('regress_reader');
SET ROLE regress_reader;
SELECT count(*) FROM telemetry.get_aggregated_efficiency();
SELECT count(*) > 0 AS trend FROM telemetry.efficiency_trend();
SELECT (telemetry.get_60day_statistics(now() + interval '1 day')->'overall'->'total_measurements')::integer > 0 AS statistics;
SELECT DISTINCT component FROM telemetry.get_recent_events(100);
SELECT (SELECT count(*) > 0 FROM telemetry.get_recent_events(100, 'mine')) AS mine, (SELECT count(*) FROM telemetry.get_recent_events(100, 'copied')) AS copied;
SELECT DISTINCT component FROM telemetry.system_telemetry;
SELECT count(*) > 0 AS footprint FROM telemetry.footprint;
SELECT telemetry.get_telemetry_footprint() IS NOT NULL AS footprint;
SELECT count(*) > 0 AS status FROM telemetry.status;
SELECT count(*) AS alerts FROM telemetry.alerts;
SELECT count(*) > 0 AS measurements FROM telemetry.alert_measurements();
SELECT telemetry.event_count(telemetry.merge(summary)) > 0 AS summaries FROM telemetry.rollup_delta;
SELECT (SELECT count(*) FROM telemetry.usage_stats) + (SELECT count(*) FROM telemetry.producer) AS others;
SELECT count(*) >= 0 AS checked FROM telemetry.check_rollups(now() - interval '1 day', now());
SELECT * FROM telemetry.history;
SELECT telemetry.log('NOTE', 'mine');
SELECT telemetry.log_history('user', 'hello');
INSERT INTO telemetry.system_telemetry (event_type, component) VALUES ('NOTE', 'mine');
DELETE FROM telemetry.system_telemetry;
SELECT telemetry.compact();
SELECT telemetry.check_alerts();
SELECT telemetry.set_alert('size', 1e12);
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day');
SELECT telemetry.rebuild_rollups(now() - interval '1 day', now());
SELECT nextval('telemetry.event_id_seq');
RESET ROLE;
SELECT telemetry.grant_history_reader('regress_reader');
SET ROLE regress_reader;
SELECT content FROM telemetry.history;
DELETE FROM telemetry.history;
RESET ROLE;
DROP POLICY own ON telemetry.event;
DROP POLICY ids ON telemetry.event;
ALTER TABLE telemetry.event DISABLE ROW LEVEL SECURITY;

-- Names that need quotes, and no role at all.
CREATE ROLE "regress ""odd"" Role";
SELECT telemetry.grant_writer('regress "odd" Role'), telemetry.grant_reader('regress "odd" Role'), telemetry.grant_history_reader('regress "odd" Role');
SELECT has_table_privilege('regress "odd" Role', 'telemetry.history', 'SELECT') AS granted;
\set VERBOSITY terse
SELECT telemetry.grant_writer('regress_nobody');
SELECT telemetry.grant_writer('public');
SELECT telemetry.grant_writer('');
SELECT telemetry.grant_reader(NULL);
DROP OWNED BY "regress ""odd"" Role", regress_reader, regress_writer;
DROP ROLE "regress ""odd"" Role", regress_reader, regress_writer;
