-- What was said: prompts and answers, where an application chooses to keep them.

CREATE SEQUENCE telemetry.history_id_seq;

CREATE TABLE telemetry.history (
    id          bigint PRIMARY KEY DEFAULT nextval('telemetry.history_id_seq'),
    "timestamp" timestamptz NOT NULL DEFAULT clock_timestamp(),
    role        text NOT NULL,
    content     text NOT NULL,
    ghost_id    text,
    shell_id    text
);
CREATE INDEX history_timestamp_idx ON telemetry.history ("timestamp");
ALTER SEQUENCE telemetry.history_id_seq OWNED BY telemetry.history.id;

COMMENT ON SEQUENCE telemetry.history_id_seq IS 'Numbers the rows of history';
COMMENT ON TABLE telemetry.history IS 'Prompts and answers that the application chose to keep; it holds text of people';
COMMENT ON COLUMN telemetry.history.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.history."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.history.role IS 'Who spoke: user, assistant, system, tool or any other';
COMMENT ON COLUMN telemetry.history.content IS 'The text';
COMMENT ON COLUMN telemetry.history.ghost_id IS 'The application''s id of the persona';
COMMENT ON COLUMN telemetry.history.shell_id IS 'The application''s id of the session';

SELECT pg_extension_config_dump('telemetry.history', '');
SELECT pg_extension_config_dump('telemetry.history_id_seq', '');

CREATE FUNCTION telemetry.log_history(role text, content text, ghost_id text DEFAULT NULL, shell_id text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_history';
COMMENT ON FUNCTION telemetry.log_history(text, text, text, text) IS
    'Stores one row of history and returns its id';
