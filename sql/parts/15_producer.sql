-- Who sends batches to ingest(), and how far each of them is stored: what makes delivery exactly once.

CREATE TABLE telemetry.producer (
    producer       uuid PRIMARY KEY,
    last_sequence  bigint NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    clock_ahead_ms double precision NOT NULL,
    accepted       bigint NOT NULL,
    stored         bigint NOT NULL,
    queued         bigint NOT NULL,
    spilled        bigint NOT NULL,
    dropped        bigint NOT NULL,
    refused        bigint NOT NULL
) WITH (fillfactor = 50);   -- a row is updated with every batch, on its own page
COMMENT ON TABLE telemetry.producer IS 'Each client that has sent batches, up to which sequence they are stored, and what it said became of its events';
COMMENT ON COLUMN telemetry.producer.producer IS 'The UUID that the client chose when it started';
COMMENT ON COLUMN telemetry.producer.last_sequence IS 'Sequence of the last batch that is stored';
COMMENT ON COLUMN telemetry.producer.first_seen_at IS 'When its first batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.last_seen_at IS 'When its last batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.clock_ahead_ms IS 'By how many milliseconds its clock was ahead when it sent the last batch, the time of transport included';
COMMENT ON COLUMN telemetry.producer.accepted IS 'Events given to the client when it sent the last batch: the sum of the following';
COMMENT ON COLUMN telemetry.producer.stored IS 'Events of which it knew that they are stored';
COMMENT ON COLUMN telemetry.producer.queued IS 'Events in its memory, in flight included';
COMMENT ON COLUMN telemetry.producer.spilled IS 'Events in its spill file';
COMMENT ON COLUMN telemetry.producer.dropped IS 'Events that it lost';
COMMENT ON COLUMN telemetry.producer.refused IS 'Events that can never be stored';

SELECT pg_extension_config_dump('telemetry.producer', '');
