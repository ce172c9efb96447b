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

-- Writers of batches: log_batch() needs what log() does, ingest() the producers too. A missing right fails the whole
-- batch, and refuses no event of it. The batch is the first one of a producer and holds one NOTE of 2026-03-01.
\set batch '''\\x475442018500000066ae8cd822222222222242228222222222222222010000000000000000c003dd26930e0000c003dd26930e000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000102044e4f5445056f746865720180c0f8daa6fda5060100010100000000000000'''
CREATE ROLE regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
GRANT USAGE ON SCHEMA telemetry TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
SELECT * FROM telemetry.ingest(:batch);
RESET ROLE;
GRANT INSERT ON telemetry.event TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
GRANT USAGE ON telemetry.event_id_seq TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
GRANT INSERT ON telemetry.rollup_delta TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
SELECT * FROM telemetry.ingest(:batch);
RESET ROLE;
GRANT SELECT, INSERT ON telemetry.producer TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.ingest(:batch);
RESET ROLE;
GRANT UPDATE ON telemetry.producer TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.ingest(:batch);
RESET ROLE;
SELECT count(*) FROM telemetry.producer;
GRANT SELECT ON telemetry.retention_policy TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.ingest(:batch);
SELECT * FROM telemetry.ingest(:batch);
SELECT count(*) FROM telemetry.event;
RESET ROLE;
-- With a trigger of the user's on the events, their ids are read back.
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER nothing BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
GRANT SELECT (id) ON telemetry.event TO regress_batch_writer;
SET ROLE regress_batch_writer;
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}]', on_error => 'skip');
RESET ROLE;
DROP TRIGGER nothing ON telemetry.event;
DROP OWNED BY regress_batch_writer;
DROP ROLE regress_batch_writer;

DROP OWNED BY regress_writer;
DROP ROLE regress_writer;
