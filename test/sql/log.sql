-- One event a call: what comes back, and what is refused.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- The two figures that every user of the predecessor knows.
SELECT telemetry.log_load_latency('gemma2:27b', 2.5030, event_time => '2026-03-01 12:00:00+00') > 0 AS logged;
SELECT telemetry.log_thought_latency('gemma2:27b', 3.0024, 200, 50, event_time => '2026-03-01 12:01:00+00') > 0 AS logged;
SELECT "timestamp", event_type, component, value, duration_ms, status, jsonb_pretty(metadata) AS metadata
FROM telemetry.system_telemetry ORDER BY "timestamp";
-- Stored are the columns; the document is made when it is read.
SELECT event_type, metadata IS NULL AS nothing_stored FROM telemetry.event ORDER BY "timestamp";

-- Beyond the old arguments.
SELECT telemetry.log_thought_latency('llama3', 1.5, 30, 10, success => false, first_token_seconds => 0.25,
                                     metadata => '{"gpu": 1, "model": "alias"}',
                                     event_time => '2026-03-01 12:02:00+00') > 0 AS logged;
SELECT component, value, first_token_ms, status, metadata FROM telemetry.system_telemetry WHERE component = 'llama3';

-- No tokens: no score, whatever was given.
SELECT telemetry.log_thought_latency('silent', 1.0, 0, 5) > 0 AS logged;
SELECT value IS NULL AS unscored, metadata FROM telemetry.system_telemetry WHERE component = 'silent';

-- Any type of event.
SELECT telemetry.log('VRAM_CHECK', 'gpu0', 20480) > 0 AS logged;
SELECT telemetry.log('HEARTBEAT') > 0 AS logged;
SELECT telemetry.log('NOTE', 'scheduler', -1.5, '{"why": ["a", {"b": null}]}', NULL) > 0 AS logged;
SELECT event_type, component, value, status, metadata FROM telemetry.system_telemetry
WHERE event_type IN ('VRAM_CHECK', 'HEARTBEAT', 'NOTE') ORDER BY id;

-- Ids rise in the order of storing, and the time is that of the call, not of the transaction.
BEGIN;
SELECT telemetry.log('FIRST') < telemetry.log('SECOND') AS rising;
SELECT a."timestamp" < b."timestamp" AS later FROM telemetry.event a, telemetry.event b
WHERE a.event_type = 'FIRST' AND b.event_type = 'SECOND';
ROLLBACK;

-- A name of a megabyte, unicode and quotes are names.
SELECT telemetry.log_load_latency(repeat('x', 1048576), 1) > 0 AS logged;
SELECT telemetry.log_load_latency(E'Größe "7b"\\\n''', 1) > 0 AS logged;
SELECT length(component), metadata->>'model' = component AS same FROM telemetry.system_telemetry
WHERE component LIKE 'xx%' OR component LIKE 'Gr%' ORDER BY 1;

-- Far times are stored.
SELECT telemetry.log_load_latency('old', 1, event_time => '1970-01-01 00:00:00+00') > 0 AS logged;
SELECT telemetry.log_load_latency('new', 1, event_time => '2100-01-01 00:00:00+00') > 0 AS logged;
SELECT tableoid::regclass, "timestamp" FROM telemetry.event WHERE component IN ('old', 'new') ORDER BY 2;

-- What no clock can measure is 0, and spoils no answer.
SELECT telemetry.log_thought_latency('tiny', 5e-324, 2147483647) > 0 AS logged;
SELECT value, duration_ms FROM telemetry.event WHERE component = 'tiny';
SELECT measurement_count, weighted_efficiency_score FROM telemetry.get_aggregated_efficiency('tiny');

-- Whatever is stored can be read: an event has a size.
SELECT telemetry.log_load_latency(repeat('x', 70000000), 1);

-- What cannot have been measured is refused, with a word on what to do.
SELECT telemetry.log_load_latency('m', -1);
SELECT telemetry.log_load_latency('m', 'NaN');
SELECT telemetry.log_load_latency('m', 'Infinity');
SELECT telemetry.log_load_latency('m', '-Infinity');
SELECT telemetry.log_load_latency('m', 1e10);
SELECT telemetry.log_load_latency('m', NULL);
SELECT telemetry.log_load_latency(NULL, 1);
SELECT telemetry.log_load_latency('', 1);
SELECT telemetry.log_load_latency('m', 1, NULL);
SELECT telemetry.log_load_latency('m', 1, event_time => 'infinity');
SELECT telemetry.log_thought_latency('m', -0.001, 10);
SELECT telemetry.log_thought_latency('m', 'NaN', 10);
SELECT telemetry.log_thought_latency('m', 1, -1);
SELECT telemetry.log_thought_latency('m', 1, NULL);
SELECT telemetry.log_thought_latency('m', 1, 10, -5);
SELECT telemetry.log_thought_latency('', 1, 10);
SELECT telemetry.log_thought_latency(NULL, 1, 10);
SELECT telemetry.log_thought_latency('m', 1, 10, first_token_seconds => -1);
SELECT telemetry.log_thought_latency('m', 1, 10, metadata => '[1, 2]');
SELECT telemetry.log_thought_latency('m', 1, 10, metadata => '"text"');
SELECT telemetry.log(NULL);
SELECT telemetry.log('');
SELECT telemetry.log('NOTE', '');
SELECT telemetry.log('NOTE', 'c', 'NaN');
SELECT telemetry.log('NOTE', 'c', 1, 'null');
SELECT telemetry.log('LOAD_LATENCY', 'c', -1);
SELECT telemetry.log('THOUGHT_LATENCY', 'c', 1e300, '{"tokens_generated": 2147483647}');

-- Nothing else was lost, and nothing half was stored.
SELECT component, count(*) FROM telemetry.event WHERE component IN ('m', 'c', 'gemma2:27b') GROUP BY 1;

-- Every spelling of a failure, and only those.
SELECT status, telemetry.is_error_status(status)
FROM unnest(ARRAY['ERROR', 'failed', 'Failure', 'timeout', 'CANCELLED', 'aborted', 'OK', 'WARNING', 'ERRORS', '', NULL])
     WITH ORDINALITY AS s (status, n) ORDER BY n;
