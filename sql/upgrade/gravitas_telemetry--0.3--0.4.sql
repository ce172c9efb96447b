-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.4'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What closed days take, so that nobody has to open their partitions to know it.

CREATE TABLE telemetry.partition_size (
    partition   name PRIMARY KEY,
    day_start   timestamptz NOT NULL,
    row_count   bigint NOT NULL,
    heap_bytes  bigint NOT NULL,
    index_bytes bigint NOT NULL,
    toast_bytes bigint NOT NULL,
    oldest      timestamptz,
    newest      timestamptz,
    recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE telemetry.partition_size IS 'Rows and bytes of the days that are over, recorded by maintenance';
COMMENT ON COLUMN telemetry.partition_size.partition IS 'Name of the partition in schema telemetry';
COMMENT ON COLUMN telemetry.partition_size.day_start IS 'Start of its UTC day';
COMMENT ON COLUMN telemetry.partition_size.row_count IS 'Events in it';
COMMENT ON COLUMN telemetry.partition_size.heap_bytes IS 'Bytes of the table itself';
COMMENT ON COLUMN telemetry.partition_size.index_bytes IS 'Bytes of its indexes';
COMMENT ON COLUMN telemetry.partition_size.toast_bytes IS 'Bytes of its long values, with their index';
COMMENT ON COLUMN telemetry.partition_size.oldest IS 'Time of its first event';
COMMENT ON COLUMN telemetry.partition_size.newest IS 'Time of its last event';
COMMENT ON COLUMN telemetry.partition_size.recorded_at IS 'When this was recorded';

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
           ('maintenance_overdue', 3600, 600, 's', NULL, NULL, true, 'time since maintenance ran, or since the oldest summary that waits for it'),
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

-- How much disk and how many rows telemetry takes.

CREATE TYPE telemetry.footprint_row AS (
    table_name            text,
    heap_bytes            bigint,
    index_bytes           bigint,
    toast_bytes           bigint,
    total_bytes           bigint,
    row_count             bigint,
    row_count_is_estimate boolean,
    oldest_record         timestamptz,
    newest_record         timestamptz,
    partitions            integer,
    bytes_per_row         double precision,
    growth_bytes_per_day  double precision,
    days_until_cap        double precision
);
COMMENT ON TYPE telemetry.footprint_row IS 'A row of the view footprint';

CREATE FUNCTION telemetry.footprint(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.footprint_row
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 12
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_footprint';
COMMENT ON FUNCTION telemetry.footprint(timestamptz) IS
    'What each table of telemetry takes and holds, and all of them together (total), as the view footprint shows it. Waits for no lock: rows of what is locked, or not to be read by the caller, are estimated';

CREATE VIEW telemetry.footprint WITH (security_invoker = true) AS SELECT * FROM telemetry.footprint(now());
COMMENT ON VIEW telemetry.footprint IS 'What each table of telemetry takes and holds, and all of them together (total). Rows of events are those of the rollups: what was deleted by hand still counts';
COMMENT ON COLUMN telemetry.footprint.table_name IS 'system_telemetry (with all its days), a table of schema telemetry, or total';
COMMENT ON COLUMN telemetry.footprint.heap_bytes IS 'Bytes of the table itself; of days that are over, as maintenance recorded it';
COMMENT ON COLUMN telemetry.footprint.index_bytes IS 'Bytes of its indexes';
COMMENT ON COLUMN telemetry.footprint.toast_bytes IS 'Bytes of its long values, with their index';
COMMENT ON COLUMN telemetry.footprint.total_bytes IS 'All of these';
COMMENT ON COLUMN telemetry.footprint.row_count IS 'Rows; events are counted by the rollups of the days that are stored';
COMMENT ON COLUMN telemetry.footprint.row_count_is_estimate IS 'Whether row_count is an estimate: of a large table, of one that is locked or not to be read';
COMMENT ON COLUMN telemetry.footprint.oldest_record IS 'Time of the first row; NULL where finding it would take long';
COMMENT ON COLUMN telemetry.footprint.newest_record IS 'Time of the last row';
COMMENT ON COLUMN telemetry.footprint.partitions IS 'Tables that it is stored in';
COMMENT ON COLUMN telemetry.footprint.bytes_per_row IS 'total_bytes for each row';
COMMENT ON COLUMN telemetry.footprint.growth_bytes_per_day IS 'What a day adds: of events the last 7 whole days on average, of others since the oldest record';
COMMENT ON COLUMN telemetry.footprint.days_until_cap IS 'Of the total: after how many days it reaches the threshold of the alert rule size at this growth and with this retention; NULL: never';

CREATE OR REPLACE FUNCTION telemetry.get_telemetry_footprint() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT jsonb_build_object(
        'table_sizes', jsonb_object_agg(table_name, total_bytes) FILTER (WHERE table_name <> 'total'),
        'row_counts', jsonb_object_agg(table_name, row_count) FILTER (WHERE table_name <> 'total'),
        'oldest_record', jsonb_object_agg(table_name, oldest_record) FILTER (WHERE table_name <> 'total'),
        'newest_record', jsonb_object_agg(table_name, newest_record) FILTER (WHERE table_name <> 'total'),
        'estimated_row_counts', coalesce(jsonb_agg(table_name) FILTER (WHERE row_count_is_estimate AND table_name <> 'total'), '[]'),
        'partitions', max(partitions) FILTER (WHERE table_name = 'system_telemetry'),
        'bytes_per_event', max(bytes_per_row) FILTER (WHERE table_name = 'system_telemetry'),
        'total_size_bytes', max(total_bytes) FILTER (WHERE table_name = 'total'),
        'growth_bytes_per_day', max(growth_bytes_per_day) FILTER (WHERE table_name = 'total'),
        'cap_bytes', (SELECT r.threshold FROM telemetry.alert_rules() AS r WHERE r.rule = 'size'),
        'days_until_cap', max(days_until_cap) FILTER (WHERE table_name = 'total'))
    FROM telemetry.footprint(now());
END;
COMMENT ON FUNCTION telemetry.get_telemetry_footprint() IS
    'The view footprint as a document: bytes (heap, indexes, TOAST), rows, oldest and newest record of each table, all bytes, growth, and days until the cap';
