-- What PUBLIC may do: nothing. What the README says a writer needs is enough.
\set SHOW_CONTEXT never
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

GRANT INSERT, SELECT (id) ON telemetry.event TO regress_writer;
GRANT USAGE ON telemetry.event_id_seq TO regress_writer;
GRANT INSERT ON telemetry.system_telemetry TO regress_writer;
SELECT telemetry.ensure_partitions(now(), now() + interval '1 day') > 0 AS made;
SET ROLE regress_writer;
SELECT telemetry.log('NOTE') > 0 AS logged;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE');
SELECT event_type FROM telemetry.event;
DELETE FROM telemetry.event;
RESET ROLE;
SELECT count(*) FROM telemetry.event;

DROP OWNED BY regress_writer;
DROP ROLE regress_writer;
