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
