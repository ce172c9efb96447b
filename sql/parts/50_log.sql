-- Logging, one event a call. Each returns the id of the stored event.

CREATE FUNCTION telemetry.log(event_type text, component text DEFAULT NULL, value double precision DEFAULT NULL,
                              metadata jsonb DEFAULT NULL, status text DEFAULT 'OK',
                              event_time timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log';
COMMENT ON FUNCTION telemetry.log(text, text, double precision, jsonb, text, timestamptz) IS
    'Stores one event of any type and returns its id; event_time is when it ended, now if NULL';

CREATE FUNCTION telemetry.log_load_latency(model_name text, load_time_seconds double precision,
                                           success boolean DEFAULT true, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_load_latency';
COMMENT ON FUNCTION telemetry.log_load_latency(text, double precision, boolean, timestamptz) IS
    'Stores how long a model took to load, in seconds, and returns the id; success => false stores status ERROR';

CREATE FUNCTION telemetry.log_thought_latency(model_name text, inference_time_seconds double precision,
                                              tokens_generated integer, prompt_tokens integer DEFAULT 0,
                                              success boolean DEFAULT true,
                                              first_token_seconds double precision DEFAULT NULL,
                                              metadata jsonb DEFAULT NULL, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_thought_latency';
COMMENT ON FUNCTION telemetry.log_thought_latency(text, double precision, integer, integer, boolean, double precision, jsonb, timestamptz) IS
    'Stores how long an inference took, in seconds, with its tokens, and returns the id; the score is ms per generated token';
