-- Token usage per model and layer.

CREATE SEQUENCE telemetry.usage_stats_id_seq;

CREATE TABLE telemetry.usage_stats (
    id                bigint PRIMARY KEY DEFAULT nextval('telemetry.usage_stats_id_seq'),
    "timestamp"       timestamptz NOT NULL DEFAULT clock_timestamp(),
    model             text NOT NULL,
    layer             text,
    prompt_tokens     integer CHECK (prompt_tokens >= 0),
    completion_tokens integer CHECK (completion_tokens >= 0),
    duration_ms       double precision CHECK (duration_ms >= 0)
);
CREATE INDEX usage_stats_timestamp_idx ON telemetry.usage_stats ("timestamp");
ALTER SEQUENCE telemetry.usage_stats_id_seq OWNED BY telemetry.usage_stats.id;

COMMENT ON SEQUENCE telemetry.usage_stats_id_seq IS 'Numbers the rows of usage_stats';
COMMENT ON TABLE telemetry.usage_stats IS 'Tokens used by a model in a layer of the application, a row a call';
COMMENT ON COLUMN telemetry.usage_stats.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.usage_stats."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.usage_stats.model IS 'Name of the model';
COMMENT ON COLUMN telemetry.usage_stats.layer IS 'Part of the application that made the call';
COMMENT ON COLUMN telemetry.usage_stats.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.usage_stats.completion_tokens IS 'Tokens generated';
COMMENT ON COLUMN telemetry.usage_stats.duration_ms IS 'Elapsed time of the call, in milliseconds';

SELECT pg_extension_config_dump('telemetry.usage_stats', '');
SELECT pg_extension_config_dump('telemetry.usage_stats_id_seq', '');

CREATE FUNCTION telemetry.log_usage(model text, layer text, prompt_tokens integer, completion_tokens integer,
                                    duration_ms double precision) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_usage';
COMMENT ON FUNCTION telemetry.log_usage(text, text, integer, integer, double precision) IS
    'Stores one row of usage_stats and returns its id';
