-- How long rows stay, and how they go.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';

-- What holds without a policy, and what other tables need.
SELECT name, telemetry.retention_keep(name), telemetry.retention_cutoff(name, '2026-03-15 12:00:00+00')
FROM unnest('{event,rollup_minute,rollup_hour,rollup_day,usage_stats,history,maintenance_log,alert_log,producer,other}'::text[]) AS name;
SELECT telemetry.set_retention('event', '90 days');
SELECT telemetry.set_retention('event', '100 days');
SELECT telemetry.set_retention('rollup_hour', '1 day');
SELECT telemetry.set_retention('history', '7 days');
SELECT telemetry.set_retention('history', NULL);
SELECT * FROM telemetry.retention_policy ORDER BY table_name;
SELECT name, telemetry.retention_cutoff(name, '2026-06-15 12:00:00+00')
FROM unnest('{event,rollup_minute,rollup_hour,rollup_day,history,producer}'::text[]) AS name;
SELECT telemetry.set_retention('event', NULL);
SELECT name, telemetry.retention_cutoff(name, '2026-06-15 12:00:00+00')
FROM unnest('{event,rollup_minute,rollup_hour,producer,usage_stats}'::text[]) AS name;

-- Refused.
SELECT telemetry.set_retention('event', '-1 day');
SELECT telemetry.set_retention('event', '0');
SELECT telemetry.set_retention('event', '23 hours 59 minutes');
SELECT telemetry.set_retention('event', '1 month -1 day');
SELECT telemetry.set_retention('event', '200000 years');
SELECT telemetry.set_retention('event_20260101', '1 day');
SELECT telemetry.set_retention('', '1 day');
SELECT telemetry.set_retention(NULL, '1 day');
INSERT INTO telemetry.retention_policy VALUES ('pg_class', '1 day');
INSERT INTO telemetry.retention_policy VALUES ('producer', '1 hour');
SELECT telemetry.set_retention('event', '24 hours');
DELETE FROM telemetry.retention_policy;

-- Three days of events; rollups lack one of the second, and of the third one was deleted by hand.
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT timestamptz '2026-03-01 00:00:00+00' + n * interval '1 hour', 'THOUGHT_LATENCY', 'm' || n % 2, n, 10 FROM generate_series(0, 95) AS n;
SELECT telemetry.compact();
INSERT INTO telemetry.event ("timestamp", event_type) VALUES ('2026-03-02 10:00:00+00', 'NOTE');
DELETE FROM telemetry.event WHERE "timestamp" = '2026-03-03 10:00:00+00';
SELECT * FROM telemetry.prove_rollups('2026-03-02 00:00:00+00', '2026-03-03 00:00:00+00');
SELECT * FROM telemetry.prove_rollups('2026-03-03 00:00:00+00', '2026-03-04 00:00:00+00');
-- Deltas count, and components without a place of their own.
SELECT telemetry.log('NOTE', event_time => '2026-03-01 10:00:00+00') > 0 AS logged;
SELECT * FROM telemetry.prove_rollups('2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00');
SET gravitas_telemetry.max_series_per_day = 3;
SELECT count(telemetry.log('NOTE', 'c' || n, event_time => '2026-03-01 10:00:00+00')) FROM generate_series(1, 5) AS n;
SELECT telemetry.compact();
RESET gravitas_telemetry.max_series_per_day;
SELECT component, telemetry.event_count(summary) FROM telemetry.rollup_day WHERE event_type = 'NOTE' ORDER BY 1;
SELECT * FROM telemetry.prove_rollups('2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00');
INSERT INTO telemetry.event ("timestamp", event_type, component) VALUES ('2026-03-01 10:00:00+00', 'NOTE', 'c9');
SELECT * FROM telemetry.prove_rollups('2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00');
DELETE FROM telemetry.event WHERE component = 'c9';

-- Old rows elsewhere, and an old event without a day.
SELECT telemetry.log('NOTE', 'long ago', event_time => '1999-12-31 23:00:00+00') > 0 AS logged;
INSERT INTO telemetry.usage_stats ("timestamp", model) SELECT timestamptz '2026-02-01 00:00:00+00' + n * interval '1 day', 'm' FROM generate_series(0, 59) AS n;
INSERT INTO telemetry.history ("timestamp", role, content) VALUES ('2020-01-01', 'user', 'kept');

-- A dry run tells, and changes nothing.
\set as_of '''2026-05-03 12:00:00+00'''
SELECT table_name, partition, row_count, size_bytes > 0 AS has_bytes, action, reason FROM telemetry.retention_plan(:as_of);
BEGIN;
CALL telemetry.apply_retention(:as_of, dry_run => true, freed_bytes => 0) \gset dry_
ROLLBACK;
SELECT :dry_dropped_days AS days, :dry_removed_rows AS rows, :dry_freed_bytes > 0 AS has_bytes, :dry_kept_days AS kept;
SELECT count(*) FROM telemetry.event;
SELECT count(*) FROM telemetry.retention_horizon;

SET client_min_messages = warning;   -- the bytes of a day are the machine's
CALL telemetry.apply_retention(:as_of) \gset
RESET client_min_messages;
SELECT :dropped_days AS days, :removed_rows AS rows, :freed_bytes = :dry_freed_bytes AS as_planned, :kept_days AS kept;
SELECT partition FROM telemetry.event_partitions();
SELECT partition, reason, detail, tried_at >= since AS is_tried FROM telemetry.retention_delay;
SELECT step, result ~ '^2 days dropped' AS dropped, sqlstate, error FROM telemetry.maintenance_log;
SELECT * FROM telemetry.retention_horizon ORDER BY 1;
SELECT min("timestamp"), count(*) FROM telemetry.usage_stats;
SELECT count(*) FROM telemetry.history;
SELECT count(*) FROM telemetry.event_default;
-- Everything measured is in the statistics yet.
SELECT component, measurement_count FROM telemetry.get_aggregated_efficiency(hours => 96, as_of => '2026-03-05 00:00:00+00');
SELECT problem, level, bucket, event_type, expected, found FROM telemetry.check_rollups('1999-01-01 00:00:00+00', '2026-05-01 00:00:00+00');

-- Mended, the day goes, too.
SELECT telemetry.rebuild_rollups('2026-03-02 00:00:00+00', '2026-03-03 00:00:00+00') > 0 AS rebuilt;
SET client_min_messages = warning;
CALL telemetry.apply_retention(:as_of) \gset
RESET client_min_messages;
SELECT :dropped_days AS days, :kept_days AS kept;
SELECT count(*) FROM telemetry.retention_delay;
SELECT step, sqlstate FROM telemetry.maintenance_log ORDER BY started_at;
SELECT * FROM telemetry.check_rollups('2026-03-01 00:00:00+00', '2026-05-01 00:00:00+00');

-- An event that comes late for a dropped day counts, and does not let its rollups be made again from it alone.
SELECT telemetry.log_thought_latency('m0', 1, 10, event_time => '2026-03-01 10:30:00+00') > 0 AS logged;
SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency(hours => 24, as_of => '2026-03-02 00:00:00+00');
SELECT telemetry.rebuild_rollups('2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00');
SET client_min_messages = warning;
CALL telemetry.apply_retention(:as_of) \gset
RESET client_min_messages;
SELECT count(*) FROM telemetry.event WHERE "timestamp" < '2026-03-04 00:00:00+00';
SELECT telemetry.compact();
SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency(hours => 24, as_of => '2026-03-02 00:00:00+00');

-- Where minutes are gone, windows are of whole hours; without hours, of days. Steps that are too fine have no rows.
SELECT * FROM telemetry.readable_window('2026-03-02 10:20:00+00', '2026-03-02 11:10:00+00');
SELECT * FROM telemetry.readable_window('2026-03-02 10:20:00+00', '2026-03-04 11:10:00+00');
SELECT count(*) FROM telemetry.efficiency_trend(hours => 4, step => '1 hour', as_of => '2026-03-02 04:00:00+00');
SELECT count(*) FROM telemetry.efficiency_trend(hours => 4, step => '1 minute', as_of => '2026-03-02 04:00:00+00');
SELECT telemetry.set_retention('rollup_hour', '60 days');
SET client_min_messages = warning;
CALL telemetry.apply_retention(:as_of) \gset
RESET client_min_messages;
SELECT * FROM telemetry.readable_window('2026-03-02 10:20:00+00', '2026-03-02 11:10:00+00');
SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollups('2026-03-02 10:20:00+00', '2026-03-02 11:10:00+00');
SELECT window_start, window_end, sum(measurement_count) FROM telemetry.get_aggregated_efficiency(hours => 1, as_of => '2026-03-02 10:30:00+00') GROUP BY 1, 2;
SELECT count(*) FROM telemetry.efficiency_trend(hours => 4, step => '1 hour', as_of => '2026-03-02 04:00:00+00');

-- Wrong.
CALL telemetry.apply_retention('infinity');
CALL telemetry.apply_retention(NULL);
CALL telemetry.apply_retention(now(), NULL);
SELECT * FROM telemetry.retention_plan('-infinity');
SELECT * FROM telemetry.retention_plan(NULL);
BEGIN;
CALL telemetry.apply_retention();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL telemetry.apply_retention(dry_run => true);
ROLLBACK;
SELECT telemetry.expired_before('nothing');

-- A day that is kept keeps its minutes, but not its hours: there is nothing to compare them by.
SELECT telemetry.ensure_partitions('2026-03-10 00:00:00+00', '2026-03-11 00:00:00+00');
SELECT telemetry.log('NOTE', event_time => '2026-03-10 10:00:00+00') > 0 AS logged;
SELECT telemetry.compact();
INSERT INTO telemetry.event ("timestamp", event_type) VALUES ('2026-03-10 10:00:00+00', 'NOTE');
SET client_min_messages = warning;
CALL telemetry.apply_retention('2026-05-20 12:00:00+00') \gset
RESET client_min_messages;
SELECT * FROM telemetry.retention_horizon ORDER BY 1;
SELECT problem, level, bucket, event_type, expected, found FROM telemetry.check_rollups('2026-03-10 00:00:00+00', '2026-03-11 00:00:00+00');
