-- How long rows are meant to stay. Defaults live in retention_keep(), the table holds what was changed.

CREATE TABLE telemetry.retention_policy (
    table_name text PRIMARY KEY CHECK (table_name IN ('event', 'usage_stats', 'history')),
    keep       interval CHECK (keep >= interval '1 day')
);
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, usage_stats or history';
COMMENT ON COLUMN telemetry.retention_policy.keep IS 'How long rows stay; NULL: for ever';

SELECT pg_extension_config_dump('telemetry.retention_policy', '');

CREATE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                THEN (SELECT p.keep FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                WHEN $1 IN ('event', 'usage_stats') THEN interval '60 days'
           END;
END;
COMMENT ON FUNCTION telemetry.retention_keep(text) IS
    'How long rows of event, usage_stats or history are meant to stay: what retention_policy says, or the default; NULL: for ever';
