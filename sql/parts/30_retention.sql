-- How long rows stay. Defaults live in retention_keep(), the table holds what was changed.

CREATE TABLE telemetry.retention_policy (
    table_name text PRIMARY KEY CHECK (table_name IN ('event', 'rollup_minute', 'rollup_hour', 'rollup_day', 'usage_stats',
                                                      'history', 'maintenance_log', 'alert_log', 'producer')),
    keep       interval CHECK (keep >= interval '1 day')
);
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table; set_retention() writes it';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, rollup_minute, rollup_hour, rollup_day, usage_stats, history, maintenance_log, alert_log or producer';
COMMENT ON COLUMN telemetry.retention_policy.keep IS 'How long rows stay; NULL: for ever';

SELECT pg_extension_config_dump('telemetry.retention_policy', '');

CREATE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                THEN (SELECT p.keep FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                WHEN $1 IN ('event', 'rollup_minute', 'usage_stats', 'maintenance_log', 'alert_log', 'producer')
                THEN interval '60 days'
                WHEN $1 = 'rollup_hour' THEN interval '2 years'
           END;
END;
COMMENT ON FUNCTION telemetry.retention_keep(text) IS
    'How long rows of a table are meant to stay: what retention_policy says, or the default; NULL: for ever';

CREATE FUNCTION telemetry.set_retention(table_name text, keep interval) RETURNS interval
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_set_retention';
COMMENT ON FUNCTION telemetry.set_retention(text, interval) IS
    'Sets how long rows of a table stay, NULL for ever, and returns what held before; at least one day. What other tables need longer stays longer';

-- Dumped: rollups alone do not tell what is missing of them.
CREATE TABLE telemetry.retention_horizon (
    table_name     text PRIMARY KEY,
    expired_before timestamptz NOT NULL
);
COMMENT ON TABLE telemetry.retention_horizon IS 'Since when tables are complete, a row for each from which retention has removed something';
COMMENT ON COLUMN telemetry.retention_horizon.table_name IS 'event, rollup_minute, rollup_hour, rollup_day or producer';
COMMENT ON COLUMN telemetry.retention_horizon.expired_before IS 'Rows of earlier times may be gone';

SELECT pg_extension_config_dump('telemetry.retention_horizon', '');

CREATE FUNCTION telemetry.expired_before(table_name text) RETURNS timestamptz
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_expired_before';
COMMENT ON FUNCTION telemetry.expired_before(text) IS
    'The time before which retention may have removed rows of a table; -infinity: it has removed none';

CREATE TABLE telemetry.retention_delay (
    partition     text PRIMARY KEY,
    reason        text NOT NULL CHECK (reason IN ('locked', 'missing in rollups', 'failed')),
    detail        text,
    since         timestamptz NOT NULL,
    tried_at      timestamptz NOT NULL,
    rollup_events bigint
);
COMMENT ON TABLE telemetry.retention_delay IS 'Days of events whose time is over and that could not be dropped';
COMMENT ON COLUMN telemetry.retention_delay.partition IS 'Name of the partition; event_default with its day for days without one';
COMMENT ON COLUMN telemetry.retention_delay.reason IS 'locked: others used it every time; missing in rollups: rebuild_rollups() mends that; failed';
COMMENT ON COLUMN telemetry.retention_delay.detail IS 'What is missing, or the error';
COMMENT ON COLUMN telemetry.retention_delay.since IS 'When dropping it was tried for the first time';
COMMENT ON COLUMN telemetry.retention_delay.tried_at IS 'When it was tried last; what is missing in rollups is tried again within an hour, or once they have changed';
COMMENT ON COLUMN telemetry.retention_delay.rollup_events IS 'Of what is missing in rollups: the events that they held when it was tried last';
