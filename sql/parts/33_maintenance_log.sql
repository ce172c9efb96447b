-- What maintenance did.

CREATE TABLE telemetry.maintenance_log (
    step        text NOT NULL,
    started_at  timestamptz NOT NULL,
    duration_ms double precision NOT NULL,
    result      text,
    sqlstate    text,
    error       text
);
CREATE INDEX maintenance_log_started_at_idx ON telemetry.maintenance_log (started_at);
CREATE INDEX maintenance_log_step_started_at_idx ON telemetry.maintenance_log (step, started_at);
COMMENT ON TABLE telemetry.maintenance_log IS 'Rounds of maintenance (step maintain), and those of their steps that did something, failed, or succeeded after a failure';
COMMENT ON COLUMN telemetry.maintenance_log.step IS 'What was done';
COMMENT ON COLUMN telemetry.maintenance_log.started_at IS 'When it began';
COMMENT ON COLUMN telemetry.maintenance_log.duration_ms IS 'How long it took, in milliseconds';
COMMENT ON COLUMN telemetry.maintenance_log.result IS 'What came of it';
COMMENT ON COLUMN telemetry.maintenance_log.sqlstate IS 'SQLSTATE of what stopped it, or a part of it; NULL: nothing';
COMMENT ON COLUMN telemetry.maintenance_log.error IS 'What stopped it; NULL: nothing';
