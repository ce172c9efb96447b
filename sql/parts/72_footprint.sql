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

CREATE FUNCTION telemetry.get_telemetry_footprint() RETURNS jsonb
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
