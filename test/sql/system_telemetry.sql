-- The view as a table to write to.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- An INSERT is completed, and RETURNING shows what is stored.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, prompt_tokens)
VALUES ('2026-03-01 00:00:00+00', 'THOUGHT_LATENCY', 'm1', 3002.4, 200, 50)
RETURNING id > 0 AS has_id, value, status, metadata;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms)
VALUES ('2026-03-01 00:00:01+00', 'LOAD_LATENCY', 'm1', 2503) RETURNING value, metadata;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('HEARTBEAT')
RETURNING "timestamp" BETWEEN now() AND clock_timestamp() AS now, status;

-- Older applications give metadata only; what does not parse stays there and spoils nothing.
INSERT INTO telemetry.system_telemetry (event_type, component, metadata) VALUES
    ('THOUGHT_LATENCY', 'm2', '{"model": "m2", "inference_time_ms": 100, "tokens_generated": 10, "prompt_tokens": 3, "total_tokens": 13, "latency_per_token_ms": 10, "user": 7}'),
    ('THOUGHT_LATENCY', 'm2', '{"inference_time_ms": "fast", "tokens_generated": -3}'),
    ('THOUGHT_LATENCY', 'm2', '{"inference_time_ms": 1e400, "tokens_generated": 2.5, "prompt_tokens": 99999999999}'),
    ('THOUGHT_LATENCY', 'm2', '{"inference_time_ms": 50, "tokens_generated": 0, "latency_per_token_ms": 0}'),
    ('LOAD_LATENCY', 'm2', '{"load_time_ms": 1250}')
RETURNING value, duration_ms, prompt_tokens, tokens_generated;
SELECT value, metadata FROM telemetry.event WHERE component = 'm2' ORDER BY id;
SELECT metadata->'user' AS "user", metadata->'latency_per_token_ms' AS score, metadata->'inference_time_ms' AS ms
FROM telemetry.system_telemetry WHERE component = 'm2' AND event_type = 'THOUGHT_LATENCY' ORDER BY id;

-- A score and tokens give the duration; both given, the score follows from the measurement.
INSERT INTO telemetry.system_telemetry (event_type, component, value, duration_ms, tokens_generated) VALUES
    ('THOUGHT_LATENCY', 'm3', 12.5, NULL, 8), ('THOUGHT_LATENCY', 'm3', 999, 100, 8), ('THOUGHT_LATENCY', 'm3', 5, NULL, NULL)
RETURNING value, duration_ms;

-- COPY.
COPY telemetry.system_telemetry ("timestamp", event_type, component, value) FROM stdin;
2026-03-02 00:00:00+00	VRAM_CHECK	gpu0	100
2026-03-02 00:00:01+00	VRAM_CHECK	gpu0	200
\.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
VALUES ('2026-03-02 00:00:02+00', 'VRAM_CHECK', 'gpu0', 300);
SELECT sum(value) FROM telemetry.event WHERE component = 'gpu0';

-- DELETE works, UPDATE does not.
DELETE FROM telemetry.system_telemetry WHERE component = 'gpu0' AND value < 250;
SELECT value FROM telemetry.system_telemetry WHERE component = 'gpu0';
UPDATE telemetry.system_telemetry SET value = 1 WHERE component = 'gpu0';

-- Nothing vanishes where triggers are off.
SET session_replication_role = replica;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('LOST');
RESET session_replication_role;

-- Somebody's operators change nothing.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.yes(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION hostile.yes(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = hostile.yes);
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.yes);
INSERT INTO telemetry.system_telemetry (event_type, component) VALUES ('NOTE', 'stays'), ('NOTE', 'goes');
SET search_path = hostile, pg_catalog;
DELETE FROM telemetry.system_telemetry WHERE component = 'goes';
RESET search_path;
SELECT component FROM telemetry.event WHERE event_type = 'NOTE';
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
RESET client_min_messages;

-- Nor do settings: a key of the caller's that differs is kept.
SET extra_float_digits = -15;
INSERT INTO telemetry.system_telemetry (event_type, component, duration_ms, metadata)
VALUES ('LOAD_LATENCY', 'digits', 1234.5, '{"load_time_ms": 1000}');
SELECT metadata FROM telemetry.system_telemetry WHERE component = 'digits';
RESET extra_float_digits;
SELECT telemetry.event_metadata('LOAD_LATENCY', 'x', NULL, 'NaN', NULL, NULL, NULL);

-- A trigger of the user's may keep events out.
CREATE FUNCTION no_noise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RETURN CASE WHEN NEW.event_type <> 'NOISE' THEN NEW END; END $$;
CREATE TRIGGER no_noise BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION no_noise();
SELECT telemetry.log('NOISE') IS NULL AS kept_out;
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOISE'), ('SOUND') RETURNING event_type;
SELECT event_type FROM telemetry.event WHERE event_type IN ('NOISE', 'SOUND');
DROP TRIGGER no_noise ON telemetry.event;
DROP FUNCTION no_noise();

-- Metadata names the model, and a score alone is a score.
INSERT INTO telemetry.system_telemetry (event_type, metadata) VALUES
    ('THOUGHT_LATENCY', '{"model": "named", "latency_per_token_ms": 10}'),
    ('LOAD_LATENCY', '{"model": 7, "load_time_ms": 10}'), ('NOTE', '{"model": "no model"}')
RETURNING event_type, component, value, metadata;

-- Row security on the events holds for the view, too.
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA telemetry TO regress_reader;
GRANT SELECT ON telemetry.event, telemetry.system_telemetry TO regress_reader;
ALTER TABLE telemetry.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY sounds ON telemetry.event FOR SELECT USING (event_type = 'SOUND');
SET ROLE regress_reader;
SELECT event_type FROM telemetry.system_telemetry;
RESET ROLE;
DROP POLICY sounds ON telemetry.event;
ALTER TABLE telemetry.event DISABLE ROW LEVEL SECURITY;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- Refused: as a table would, or as the functions do.
INSERT INTO telemetry.system_telemetry (id, event_type) VALUES (1, 'HEARTBEAT');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type) VALUES (NULL, 'HEARTBEAT');
INSERT INTO telemetry.system_telemetry (component) VALUES ('m1');
INSERT INTO telemetry.system_telemetry (event_type) VALUES ('');
INSERT INTO telemetry.system_telemetry (event_type, metadata) VALUES ('HEARTBEAT', '[]');
INSERT INTO telemetry.system_telemetry (event_type, duration_ms) VALUES ('THOUGHT_LATENCY', -1);
INSERT INTO telemetry.system_telemetry (event_type, first_token_ms) VALUES ('THOUGHT_LATENCY', 'NaN');
INSERT INTO telemetry.system_telemetry (event_type, "timestamp") VALUES ('HEARTBEAT', '-infinity');
SELECT telemetry.system_telemetry_write();
CREATE TABLE elsewhere (a integer);
CREATE TRIGGER t BEFORE INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION telemetry.system_telemetry_write();
INSERT INTO elsewhere VALUES (1);
DROP TABLE elsewhere;

-- Documents are made for the rows that are shown, not for all that are sorted.
CREATE FUNCTION plan(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (VERBOSE, FORMAT json) ' || query INTO plan; RETURN plan; END $$;
SELECT node->>'Node Type' ~ 'Sort' AS sort, node->>'Output' ~ 'event_metadata' AS documents
FROM jsonb_path_query(plan('SELECT * FROM telemetry.system_telemetry ORDER BY "timestamp" DESC, id DESC LIMIT 10'),
                      'strict $.** ? (@."Node Type" like_regex "Sort|Limit")') AS node;
DROP FUNCTION plan(text);

-- Coming from the Python class: its table, moved.
CREATE SCHEMA old;
CREATE TABLE old.system_telemetry (
    id serial PRIMARY KEY, event_type varchar(50), component varchar(100), value numeric, metadata jsonb,
    status varchar(20), timestamp timestamp DEFAULT now());
INSERT INTO old.system_telemetry (event_type, component, value, metadata, status, timestamp) VALUES
    ('LOAD_LATENCY', 'gemma', 2.503, '{"model": "gemma", "load_time_ms": 2503.0}', 'OK', '2026-02-28 23:59:59.5'),
    ('THOUGHT_LATENCY', 'gemma', 15.01, '{"model": "gemma", "inference_time_ms": 3002.4, "tokens_generated": 200, "prompt_tokens": 50, "total_tokens": 250, "latency_per_token_ms": 15.01}', 'OK', '2026-03-01 00:00:00'),
    ('THOUGHT_LATENCY', 'gemma', 0, '{"model": "gemma", "inference_time_ms": 10, "tokens_generated": 0, "prompt_tokens": 5, "total_tokens": 5, "latency_per_token_ms": 0}', 'OK', '2026-03-01 00:00:01'),
    ('VRAM_CHECK', 'gpu1', 11.5, NULL, 'OK', '2026-03-01 00:00:02');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, metadata, status)
SELECT "timestamp" AT TIME ZONE 'Europe/Berlin', event_type, component, value, metadata, status FROM old.system_telemetry;
SELECT "timestamp", event_type, component, value, duration_ms, prompt_tokens, tokens_generated, status, metadata
FROM telemetry.system_telemetry WHERE component IN ('gemma', 'gpu1') ORDER BY "timestamp";
DROP SCHEMA old CASCADE;
