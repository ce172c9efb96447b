-- What maintenance did.

CREATE TABLE telemetry.maintenance_log (
    step        text NOT NULL,
    started_at  timestamptz NOT NULL,
    duration_ms double precision NOT NULL,
    result      text,
    error       text
);
CREATE INDEX maintenance_log_started_at_idx ON telemetry.maintenance_log (started_at);
COMMENT ON TABLE telemetry.maintenance_log IS 'Steps of maintenance, with how long each took and what came of it';
COMMENT ON COLUMN telemetry.maintenance_log.step IS 'What was done';
COMMENT ON COLUMN telemetry.maintenance_log.started_at IS 'When it began';
COMMENT ON COLUMN telemetry.maintenance_log.duration_ms IS 'How long it took, in milliseconds';
COMMENT ON COLUMN telemetry.maintenance_log.result IS 'What came of it';
COMMENT ON COLUMN telemetry.maintenance_log.error IS 'What stopped it; NULL: nothing';
