-- What is worth an alert. Defaults live in alert_defaults(), the table holds what was changed.

CREATE TABLE telemetry.alert_rule (
    rule            text PRIMARY KEY,
    threshold       double precision,
    clear_threshold double precision,
    is_enabled      boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE telemetry.alert_rule IS 'Alert rules that differ from the defaults; changed by set_alert()';
COMMENT ON COLUMN telemetry.alert_rule.rule IS 'A rule of alert_defaults()';
COMMENT ON COLUMN telemetry.alert_rule.threshold IS 'The alert fires above it; NULL: the default';
COMMENT ON COLUMN telemetry.alert_rule.clear_threshold IS 'The alert is resolved at it or below; NULL: the default';
COMMENT ON COLUMN telemetry.alert_rule.is_enabled IS 'false: never fires';

SELECT pg_extension_config_dump('telemetry.alert_rule', '');

CREATE TYPE telemetry.alert_setting AS (
    rule            text,
    threshold       double precision,
    clear_threshold double precision,
    unit            text,
    measured_over   interval,
    minimum_samples integer,
    is_enabled      boolean,
    meaning         text
);
COMMENT ON TYPE telemetry.alert_setting IS 'An alert rule: it fires above threshold and is resolved at clear_threshold or below';

CREATE FUNCTION telemetry.alert_defaults() RETURNS SETOF telemetry.alert_setting
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
    VALUES ('size', 104857600::double precision, 94371840::double precision, 'bytes', NULL::interval, NULL::integer, true,
            'what all tables of telemetry take on disk'),
           ('rows', 1000000, 900000, 'rows', NULL, NULL, true,
            'rows of system_telemetry, of usage_stats or of history'),
           ('efficiency_drop', 0.2, 0.1, 'share', '1 hour', 30, true,
            'by how much the weighted ms per token of a model rose over its previous 60 days'),
           ('error_rate', 0.05, 0.02, 'share', '1 hour', 30, true, 'failed calls of a component among all of them'),
           ('no_data', 86400, 3600, 's', NULL, NULL, true, 'time since the last event'),
           ('maintenance_overdue', 3600, 600, 's', NULL, NULL, true, 'time since a step of maintenance last succeeded'),
           ('maintenance_failed', 0, 0, 'failures', NULL, NULL, true, 'whether a step of maintenance failed when it last ran'),
           ('clock_skew', 10000, 5000, 'ms', '1 day', NULL, true, 'by how much the clock of a producer differs from the server''s'),
           ('too_many_series', 0.9, 0.8, 'share', NULL, NULL, true,
            'event types and components of the day, of gravitas_telemetry.max_series_per_day');
END;
COMMENT ON FUNCTION telemetry.alert_defaults() IS 'The alert rules as they are unless set_alert() changes them';

CREATE FUNCTION telemetry.alert_rules() RETURNS SETOF telemetry.alert_setting
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
    SELECT d.rule, coalesce(r.threshold, d.threshold), coalesce(r.clear_threshold, d.clear_threshold), d.unit,
           d.measured_over, d.minimum_samples, coalesce(r.is_enabled, d.is_enabled), d.meaning
    FROM telemetry.alert_defaults() AS d LEFT JOIN telemetry.alert_rule AS r USING (rule);
END;
COMMENT ON FUNCTION telemetry.alert_rules() IS 'The alert rules as they are: what alert_rule says, or the defaults';
