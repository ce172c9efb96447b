-- Many events a call, as JSON.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

SELECT * FROM telemetry.log_batch('[
    {"timestamp": "2026-03-01 10:00:00+00", "event_type": "THOUGHT_LATENCY", "component": "m", "duration_ms": 3002.4, "tokens_generated": 200, "prompt_tokens": 50, "first_token_ms": 120.5},
    {"timestamp": "2026-03-01 10:00:01+00", "event_type": "LOAD_LATENCY", "component": "m", "value": 2.5, "status": "ERROR"},
    {"timestamp": "2026-03-01 10:00:02+00", "event_type": "THOUGHT_LATENCY", "metadata": {"model": "m", "inference_time_ms": 100, "tokens_generated": 10, "user": 7}},
    {"timestamp": "2026-03-01 10:00:03+00", "event_type": "NOTE", "component": null, "status": null, "metadata": null, "value": null}
]');
SELECT "timestamp", event_type, component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated, status, metadata FROM telemetry.event ORDER BY "timestamp";
SELECT component, measurement_count, total_tokens FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-01 11:00:00+00');
SELECT * FROM telemetry.log_batch('[]');
BEGIN;
SELECT stored FROM telemetry.log_batch('[{"event_type": "HEARTBEAT"}]');
SELECT "timestamp" BETWEEN now() AND clock_timestamp() AS now, status FROM telemetry.event WHERE event_type = 'HEARTBEAT';
COMMIT;

-- What cannot be stored: nothing is, or all the rest.
SELECT * FROM telemetry.log_batch('[{"event_type": "GOOD"}, {"event_type": "BAD", "duration_ms": -1}, {"event_type": "GOOD"}]');
SELECT count(*) FROM telemetry.event WHERE event_type = 'GOOD';
SELECT r.value->'index' AS index, r.value->>'sqlstate' AS sqlstate, r.value->>'reason' AS reason
FROM telemetry.log_batch('[{"event_type": "GOOD"}, 7, null, [], "x", {}, {"event_type": null}, {"event_type": 7}, {"event_type": ""}, {"event_type": "X", "component": ["m"]},
    {"event_type": "X", "value": "1"}, {"event_type": "X", "duration_ms": {}}, {"event_type": "X", "tokens_generated": 1.5}, {"event_type": "X", "prompt_tokens": 3000000000},
    {"event_type": "X", "timestamp": null}, {"event_type": "X", "timestamp": 7}, {"event_type": "X", "timestamp": "yesteryear"}, {"event_type": "X", "timestamp": "infinity"},
    {"event_type": "X", "metadata": [1]}, {"event_type": "X", "durationms": 1}, {"event_type": "X", "value": 1e400}, {"event_type": "GOOD"}]', on_error => 'skip') AS b,
    jsonb_array_elements(b.refused) AS r;
SELECT count(*) FROM telemetry.event WHERE event_type = 'GOOD';
SELECT count(*) FROM telemetry.check_rollups('2026-03-01 00:00:00+00', now());

-- Arguments.
SELECT * FROM telemetry.log_batch(NULL);
SELECT * FROM telemetry.log_batch('{"event_type": "NOTE"}');
SELECT * FROM telemetry.log_batch('7');
SELECT * FROM telemetry.log_batch('[]', on_error => 'ignore');
SELECT * FROM telemetry.log_batch('[]', on_error => NULL);

-- Not a batch. The rest of ingest() is tested with batches made by another encoder.
SELECT telemetry.ingest(NULL);
SELECT telemetry.ingest('');
SELECT telemetry.ingest('\x47544202ffffffff');
SELECT telemetry.ingest('\x47544201ffffffff');
SELECT telemetry.ingest('deadbeef and more of it');
