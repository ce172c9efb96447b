-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.4'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

ALTER TABLE telemetry.retention_policy DROP CONSTRAINT retention_policy_table_name_check;
ALTER TABLE telemetry.retention_policy ADD CONSTRAINT retention_policy_table_name_check
    CHECK (table_name IN ('event', 'rollup_minute', 'rollup_hour', 'rollup_day', 'usage_stats',
                          'history', 'maintenance_log', 'alert_log', 'producer'));
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table; set_retention() writes it';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, rollup_minute, rollup_hour, rollup_day, usage_stats, history, maintenance_log, alert_log or producer';

CREATE OR REPLACE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
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

CREATE FUNCTION telemetry.readable_window(INOUT window_start timestamptz, INOUT window_end timestamptz)
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_readable_window';
COMMENT ON FUNCTION telemetry.readable_window(timestamptz, timestamptz) IS 'The window, widened to whole hours or days where retention has removed smaller rollups';

CREATE OR REPLACE FUNCTION telemetry.rollups(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH readable AS (SELECT * FROM telemetry.readable_window($1, $2))
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= w.window_start AND m.bucket < l.hours_start
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.hours_start AND h.bucket < l.days_start
    UNION ALL
    SELECT d.bucket, d.event_type, d.component, d.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_day AS d
    WHERE d.bucket >= l.days_start AND d.bucket < l.days_end
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.days_end AND h.bucket < l.hours_end
    UNION ALL
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= l.hours_end AND m.bucket < w.window_end
    UNION ALL
    SELECT d.* FROM readable AS w, telemetry.deltas(w.window_start, w.window_end) AS d;
END;
COMMENT ON FUNCTION telemetry.rollups(timestamptz, timestamptz) IS
    'Rollups of the fewest rows that cover a window of whole minutes, each event in exactly one of them; the window is widened as readable_window() says';

CREATE OR REPLACE FUNCTION telemetry.check_rollups("from" timestamptz, "to" timestamptz)
    RETURNS SETOF telemetry.rollup_difference
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    WITH days AS (
        SELECT telemetry.bucket_start(1440, $1) AS first,
               telemetry.bucket_start(1440, $2 - interval '1 microsecond') + interval '24 hours' AS past_last,
               telemetry.expired_before('event') AS events_from,
               telemetry.expired_before('rollup_minute') AS minutes_from,
               telemetry.expired_before('rollup_hour') AS hours_from
    ), stored AS (
        SELECT 1 AS minutes, m.bucket, m.event_type, m.component, m.summary
        FROM days, telemetry.rollup_minute AS m WHERE m.bucket >= greatest(first, minutes_from) AND m.bucket < past_last
        UNION ALL
        SELECT 60, h.bucket, h.event_type, h.component, h.summary
        FROM days, telemetry.rollup_hour AS h WHERE h.bucket >= greatest(first, hours_from) AND h.bucket < past_last
        UNION ALL
        SELECT 1440, d.bucket, d.event_type, d.component, d.summary
        FROM days, telemetry.rollup_day AS d WHERE d.bucket >= first AND d.bucket < past_last
        UNION ALL   -- an event is in a delta or in all levels
        SELECT l.minutes, telemetry.bucket_start(l.minutes, d.bucket), d.event_type, d.component, d.summary
        FROM days, telemetry.deltas(first, past_last) AS d, unnest('{1, 60, 1440}'::integer[]) AS l (minutes)
    ), found AS (   -- NULL components must join, too: the key tells them from every name
        SELECT minutes, bucket, event_type, component, coalesce('=' || component, '') AS key,
               sum(telemetry.event_count(summary))::bigint AS n
        FROM stored
        GROUP BY 1, 2, 3, 4
    ), raw AS (
        SELECT telemetry.bucket_start(1, e."timestamp") AS bucket, telemetry.rollup_key(e.event_type) AS event_type,
               telemetry.rollup_key(e.component) AS component, count(*) AS n
        FROM days, telemetry.event AS e WHERE e."timestamp" >= greatest(first, minutes_from) AND e."timestamp" < past_last
        GROUP BY 1, 2, 3
    ), placed AS (   -- what a component has no place for in its own row was folded into (other), where there is one
        SELECT r.bucket, r.event_type, r.component, r.n,
               CASE WHEN other.n IS NULL OR r.component IS NULL THEN r.n ELSE least(r.n, coalesce(own.n, 0)) END AS own
        FROM raw AS r
        LEFT JOIN found AS own ON own.minutes = 1 AND own.bucket = r.bucket AND own.event_type = r.event_type
                              AND own.key = coalesce('=' || r.component, '')
        LEFT JOIN found AS other ON other.minutes = 1 AND other.bucket = r.bucket AND other.event_type = r.event_type
                                AND other.key = '=(other)'
    ), minute AS (
        SELECT bucket, event_type, component, own AS n FROM placed WHERE own > 0
        UNION ALL
        SELECT bucket, event_type, '(other)', n - own FROM placed WHERE n > own
    ), expected AS (   -- minutes as the events say, larger buckets as the next smaller ones do
        SELECT 1 AS minutes, bucket, event_type, component, coalesce('=' || component, '') AS key, sum(n)::bigint AS n
        FROM minute GROUP BY 2, 3, 4
        UNION ALL
        SELECT l.minutes, telemetry.bucket_start(l.minutes, f.bucket), f.event_type, f.component, f.key, sum(f.n)::bigint
        FROM found AS f JOIN (VALUES (60, 1), (1440, 60)) AS l (minutes, smaller) ON f.minutes = l.smaller
        GROUP BY 1, 2, 3, 4, 5
    )
    SELECT CASE WHEN minutes > 1 THEN 'levels disagree'
                WHEN coalesce(e.n, 0) > coalesce(f.n, 0) THEN 'missing in rollups'
                ELSE 'events deleted' END,
           CASE minutes WHEN 1 THEN 'minute' WHEN 60 THEN 'hour' ELSE 'day' END,
           bucket, event_type, coalesce(e.component, f.component), coalesce(e.n, 0), coalesce(f.n, 0)
    FROM expected AS e FULL JOIN found AS f USING (minutes, bucket, event_type, key), days
    WHERE e.n IS DISTINCT FROM f.n
      AND bucket >= CASE minutes WHEN 1440 THEN hours_from ELSE minutes_from END   -- what there is nothing to check by
      AND NOT (minutes = 1 AND bucket < events_from AND coalesce(e.n, 0) < f.n)    -- what retention has dropped
    ORDER BY bucket, minutes, event_type, key;
END;
COMMENT ON FUNCTION telemetry.check_rollups(timestamptz, timestamptz) IS
    'Compares the UTC days from "from" to "to": "missing in rollups" and "levels disagree" are mended by rebuild_rollups(); "events deleted" is no error, since rollups keep what was measured';

CREATE OR REPLACE FUNCTION telemetry.reading_window(hours integer, as_of timestamptz,
                                         OUT window_start timestamptz, OUT window_end timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_reading_window';
COMMENT ON FUNCTION telemetry.reading_window(integer, timestamptz) IS
    'The half-open window of the last hours before as_of, widened to whole minutes, or to whole hours or days where retention has removed what is smaller';

-- What one table is needed for keeps the other: minutes lead to events, hours are checked by their minutes, and a batch is
-- told from its duplicate for twice the time that events stay.
CREATE FUNCTION telemetry.retention_cutoff(table_name text, as_of timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) = count(k.keep)
                THEN telemetry.bucket_start(1440, ($2 AT TIME ZONE 'UTC' - max(k.keep)) AT TIME ZONE 'UTC') END
    FROM (VALUES ('rollup_minute', 'event', 1), ('rollup_hour', 'event', 1), ('rollup_hour', 'rollup_minute', 1),
                 ('rollup_day', 'event', 1), ('rollup_day', 'rollup_minute', 1), ('rollup_day', 'rollup_hour', 1),
                 ('producer', 'event', 2), ($1, $1, 1)) AS n (name, needs, times),
         LATERAL (SELECT n.times * telemetry.retention_keep(n.needs) AS keep) AS k
    WHERE n.name = $1;
END;
COMMENT ON FUNCTION telemetry.retention_cutoff(text, timestamptz) IS
    'The start of the first UTC day of which a table keeps everything, with what other tables need of it; NULL: it keeps all';

CREATE TABLE telemetry.maintenance_lock ();
COMMENT ON TABLE telemetry.maintenance_lock IS 'Empty; locked by whoever maintains, so that one does at a time';

-- Not dumped: what was done in one database is to do in its copy.
CREATE TABLE telemetry.maintenance_state (
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    has_failed  boolean NOT NULL,
    worker_at   timestamptz
) WITH (fillfactor = 50);   -- its row is updated with every round, on its own page
COMMENT ON TABLE telemetry.maintenance_state IS 'The last round of maintenance, one row once there was one';
COMMENT ON COLUMN telemetry.maintenance_state.started_at IS 'When maintain() began';
COMMENT ON COLUMN telemetry.maintenance_state.finished_at IS 'When it, or a compaction of a worker since, ended';
COMMENT ON COLUMN telemetry.maintenance_state.has_failed IS 'Whether its compaction failed, which then waits before it is tried again';
COMMENT ON COLUMN telemetry.maintenance_state.worker_at IS 'When a background worker last did a round or a compaction; NULL: none ever did';

CREATE TYPE telemetry.event_partition AS (
    partition name,
    "from"    timestamptz,
    "to"      timestamptz
);
COMMENT ON TYPE telemetry.event_partition IS 'A row of event_partitions(): the times that a partition of event holds, "to" not among them';

CREATE FUNCTION telemetry.event_partitions() RETURNS SETOF telemetry.event_partition
    LANGUAGE c STABLE PARALLEL SAFE ROWS 70
    AS 'MODULE_PATHNAME', 'telemetry_event_partitions';
COMMENT ON FUNCTION telemetry.event_partitions() IS 'The partitions of event but for the default one, oldest first';

CREATE FUNCTION telemetry.missing_days(as_of timestamptz) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE kept AS (
        SELECT coalesce(telemetry.retention_cutoff('event', $1), '1970-01-01 00:00:00+00') AS first,
               telemetry.bucket_start(1440, $1) AS today,
               telemetry.bucket_start(1440, $1) + current_setting('gravitas_telemetry.premake_days')::integer * interval '24 hours' AS last
    ), settled (day) AS (   -- days of the events in the default partition, each found by the index
        SELECT (SELECT telemetry.bucket_start(1440, d."timestamp") FROM telemetry.event_default AS d
                WHERE d."timestamp" >= kept.first AND d."timestamp" < kept.last + interval '24 hours'
                ORDER BY d."timestamp" LIMIT 1)
        FROM kept
        UNION ALL
        SELECT (SELECT telemetry.bucket_start(1440, d."timestamp") FROM telemetry.event_default AS d
                WHERE d."timestamp" >= settled.day + interval '24 hours' AND d."timestamp" < kept.last + interval '24 hours'
                ORDER BY d."timestamp" LIMIT 1)
        FROM settled, kept WHERE settled.day IS NOT NULL
    )
    SELECT day
    FROM (SELECT day FROM settled WHERE day IS NOT NULL
          UNION SELECT generate_series(today, last, interval '24 hours') FROM kept) AS d
    WHERE NOT EXISTS (SELECT FROM telemetry.event_partitions() AS p
                      WHERE coalesce(p."from", '-infinity') <= d.day AND coalesce(p."to", 'infinity') > d.day)
    ORDER BY day < (SELECT today FROM kept), day;
END;
COMMENT ON FUNCTION telemetry.missing_days(timestamptz) IS
    'UTC days that should have a partition and have none: from as_of for premake_days ahead, then those of events in the default partition that are to be kept';

CREATE TYPE telemetry.day_proof AS (
    row_count bigint,
    missing   bigint
);
COMMENT ON TYPE telemetry.day_proof IS 'What prove_rollups() found: events, and how many of them the rollups lack';

-- At day level and one-sided: rollups may hold more, of what was deleted. What a component has no place for in its own
-- row was folded into (other).
CREATE FUNCTION telemetry.prove_rollups("from" timestamptz, "to" timestamptz) RETURNS telemetry.day_proof
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    WITH raw AS (
        SELECT telemetry.rollup_key(event_type) AS event_type, telemetry.rollup_key(component) AS component, sum(n) AS n
        FROM (SELECT e.event_type, e.component, count(*) AS n FROM telemetry.event AS e
              WHERE e."timestamp" >= $1 AND e."timestamp" < $2 GROUP BY 1, 2) AS e
        GROUP BY 1, 2
    ), found AS (
        SELECT event_type, component, sum(telemetry.event_count(summary)) AS n
        FROM (SELECT event_type, component, summary FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2
              UNION ALL SELECT event_type, component, summary FROM telemetry.deltas($1, $2)) AS stored
        GROUP BY 1, 2
    ), lacking AS (   -- NULL components must join, too
        SELECT r.event_type, r.component IS NULL AS is_nameless,
               sum(greatest(r.n - CASE WHEN r.component = '(other)' THEN 0 ELSE coalesce(f.n, 0) END, 0)) AS n
        FROM raw AS r LEFT JOIN found AS f ON f.event_type = r.event_type
                                          AND coalesce('=' || f.component, '') = coalesce('=' || r.component, '')
        GROUP BY 1, 2
    )
    SELECT coalesce((SELECT sum(n) FROM raw), 0)::bigint,
           coalesce(sum(greatest(l.n - CASE WHEN l.is_nameless THEN 0 ELSE coalesce(other.n, 0) END, 0)), 0)::bigint
    FROM lacking AS l LEFT JOIN found AS other ON other.event_type = l.event_type AND other.component = '(other)';
END;
COMMENT ON FUNCTION telemetry.prove_rollups(timestamptz, timestamptz) IS
    'Counts the events of UTC days, and those of them that day rollups and deltas lack';

CREATE TYPE telemetry.retention_action AS (
    table_name text,
    partition  text,
    row_count  bigint,
    size_bytes bigint,
    action     text,
    reason     text
);
COMMENT ON TYPE telemetry.retention_action IS 'A row of retention_plan()';

CREATE FUNCTION telemetry.retention_plan(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.retention_action
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_retention_plan';
COMMENT ON FUNCTION telemetry.retention_plan(timestamptz) IS
    'What apply_retention() would do: drop (a day of event), delete (rows of another table), or keep (a day that the rollups do not hold)';

CREATE PROCEDURE telemetry.apply_retention(as_of timestamptz DEFAULT now(), dry_run boolean DEFAULT false,
                                           INOUT dropped_days bigint DEFAULT NULL, INOUT removed_rows bigint DEFAULT NULL,
                                           INOUT freed_bytes bigint DEFAULT NULL, INOUT kept_days bigint DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'telemetry_apply_retention';
COMMENT ON PROCEDURE telemetry.apply_retention(timestamptz, boolean, bigint, bigint, bigint, bigint) IS
    'Removes what is older than its retention: days of events, one in a transaction, after proving that the rollups hold them, and rows of other tables in small batches; dry_run only says what it would do';

CREATE PROCEDURE telemetry.maintain(as_of timestamptz DEFAULT now())
    LANGUAGE c AS 'MODULE_PATHNAME', 'telemetry_maintain';
COMMENT ON PROCEDURE telemetry.maintain(timestamptz) IS
    'One round of maintenance: makes days, moves events into them, compacts, applies retention, records sizes, checks alerts, forgets old producers; each step commits, one that fails is logged and does not stop the others';

REVOKE ALL ON PROCEDURE telemetry.apply_retention(timestamptz, boolean, bigint, bigint, bigint, bigint),
                        telemetry.maintain(timestamptz) FROM PUBLIC;

CREATE FUNCTION telemetry.grant_maintainer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_maintainer';
COMMENT ON FUNCTION telemetry.grant_maintainer(text) IS
    'Lets a role call maintain() and apply_retention(), set how long rows stay, and see what maintenance did; it can neither read nor write events';

-- Are these values larger than those? What alerts about efficiency ask, and anybody may.

CREATE FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch,
                                       OUT superiority double precision, OUT z double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_mann_whitney';
COMMENT ON FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch) IS
    'Rank test of two distributions. superiority: the probability that a value of the first is larger than one of the second, ties half, 0.5 where neither is; z: how many standard deviations that is away from 0.5 if both were one. NULL where one is empty';

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

-- Alerts: what is measured, what fires now, and what has fired.
--
-- An alert fires when its measurement exceeds the threshold, and is resolved when it falls to the clear threshold or its
-- subject is gone. In between nothing changes: what lasts fires once, and what hovers about the threshold does not flap.

CREATE SEQUENCE telemetry.alert_id_seq;
COMMENT ON SEQUENCE telemetry.alert_id_seq IS 'Numbers the alerts';

CREATE TABLE telemetry.alert_firing (
    alert_id bigint PRIMARY KEY,
    rule     text NOT NULL,
    subject  text,
    since    timestamptz NOT NULL,
    value    double precision NOT NULL,
    UNIQUE NULLS NOT DISTINCT (rule, subject)
);
ALTER SEQUENCE telemetry.alert_id_seq OWNED BY telemetry.alert_firing.alert_id;
COMMENT ON TABLE telemetry.alert_firing IS 'Alerts that fire; the view alerts shows them. Written by check_alerts() only';
COMMENT ON COLUMN telemetry.alert_firing.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_firing.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_firing.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_firing.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alert_firing.value IS 'What was measured last';

CREATE TABLE telemetry.alert_log (
    alert_id   bigint NOT NULL,
    rule       text NOT NULL,
    subject    text,
    state      text NOT NULL CHECK (state IN ('firing', 'resolved')),
    changed_at timestamptz NOT NULL,
    value      double precision,
    threshold  double precision
);
CREATE INDEX alert_log_changed_at_idx ON telemetry.alert_log (changed_at);
COMMENT ON TABLE telemetry.alert_log IS 'Every alert that fired or was resolved';
COMMENT ON COLUMN telemetry.alert_log.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_log.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_log.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_log.state IS 'What it became: firing or resolved';
COMMENT ON COLUMN telemetry.alert_log.changed_at IS 'When that was found';
COMMENT ON COLUMN telemetry.alert_log.value IS 'What was measured; NULL where the subject is gone or the rule disabled';
COMMENT ON COLUMN telemetry.alert_log.threshold IS 'The threshold that was passed: to fire, or to be resolved';

SELECT pg_extension_config_dump('telemetry.alert_id_seq', '');
SELECT pg_extension_config_dump('telemetry.alert_firing', '');
SELECT pg_extension_config_dump('telemetry.alert_log', '');

CREATE TABLE telemetry.alert_lock ();
COMMENT ON TABLE telemetry.alert_lock IS 'Empty; locked by whoever checks alerts, so that one does at a time';

CREATE TYPE telemetry.alert_measurement AS (
    rule         text,
    subject      text,
    value        double precision,
    is_confirmed boolean
);
COMMENT ON TYPE telemetry.alert_measurement IS
    'A row of alert_measurements(). value: NULL where there are too few samples, then nothing changes; is_confirmed: whether the samples are evidence enough to fire';

-- Efficiency: the weighted ms per token of the last hour over that of the 60 days before it, less 1. It fires only where
-- the scores themselves have shifted, by the rank test of mann_whitney(): four standard deviations or more. So a few
-- calls with many tokens or a single outlier do not fire it. Of the last hour and of the days before, 30 calls at least.
-- Only models of which there is enough to compare are looked up in the 60 days, and those that fire.
CREATE FUNCTION telemetry.efficiency_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'efficiency_drop'
    ), recent AS MATERIALIZED (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component <> '(other)' GROUP BY 1
    ), wanted AS MATERIALIZED (
        SELECT r.component FROM rule, recent AS r WHERE telemetry.measurement_count(r.summary) >= rule.minimum_samples
        UNION
        SELECT f.subject FROM telemetry.alert_firing AS f WHERE f.rule = 'efficiency_drop'
    ), earlier AS (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start - interval '1440 hours', rule.window_start) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component IN (SELECT w.component FROM wanted AS w) GROUP BY 1
    ), compared AS (
        SELECT component, telemetry.ms_per_token(r.summary) / nullif(telemetry.ms_per_token(e.summary), 0) - 1 AS rise,
               least(telemetry.measurement_count(r.summary), telemetry.measurement_count(e.summary)) >= rule.minimum_samples AS enough,
               (telemetry.mann_whitney(telemetry.sketch(r.summary), telemetry.sketch(e.summary))).z AS z
        FROM rule, earlier AS e LEFT JOIN recent AS r USING (component)
    )
    SELECT 'efficiency_drop', component, CASE WHEN enough THEN rise END, coalesce(z >= 4, false) FROM compared;
END;
COMMENT ON FUNCTION telemetry.efficiency_measurements(timestamptz) IS
    'By how much the weighted ms per token of each model rose in the last hour over the 60 days before it, and whether the rank test confirms it';

-- A component that fires and has too few calls stays as it is for a day; silent for longer, it is none any longer.
CREATE FUNCTION telemetry.error_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'error_rate'
    ), measured AS MATERIALIZED (
        SELECT s.component, (sum(telemetry.error_count(s.summary)) / sum(telemetry.event_count(s.summary)))::double precision AS rate
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') AND s.component <> '(other)'
        GROUP BY 1, rule.minimum_samples HAVING sum(telemetry.event_count(s.summary)) >= rule.minimum_samples
    )
    SELECT 'error_rate', m.component, m.rate, true FROM measured AS m
    UNION ALL
    SELECT DISTINCT 'error_rate', f.subject, NULL::double precision, false
    FROM telemetry.alert_firing AS f, rule, telemetry.rollups(rule.window_end - interval '24 hours', rule.window_end) AS s
    WHERE f.rule = 'error_rate' AND s.component = f.subject AND s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY')
      AND f.subject NOT IN (SELECT m.component FROM measured AS m);
END;
COMMENT ON FUNCTION telemetry.error_measurements(timestamptz) IS
    'The share of failed loads and inferences of each component in the last hour';

CREATE FUNCTION telemetry.upkeep_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT 'maintenance_overdue', NULL::text, extract(epoch FROM $1 - max(l.started_at))::double precision, true
    FROM telemetry.maintenance_log AS l WHERE l.started_at <= $1 AND l.error IS NULL
    UNION ALL
    (SELECT DISTINCT ON (l.step) 'maintenance_failed', l.step, (l.error IS NOT NULL)::integer::double precision, true
     FROM telemetry.maintenance_log AS l WHERE l.started_at > $1 - interval '24 hours' AND l.started_at <= $1
     ORDER BY l.step, l.started_at DESC)
    UNION ALL
    SELECT 'clock_skew', p.producer::text, abs(p.clock_ahead_ms), true
    FROM telemetry.producer AS p, telemetry.alert_rules() AS r
    WHERE r.rule = 'clock_skew' AND p.last_seen_at > $1 - r.measured_over
    UNION ALL   -- not the newest event of all, which may be of a clock that is years ahead
    SELECT 'no_data', NULL, extract(epoch FROM $1 - greatest(c.last_at, d.last_at))::double precision, true
    FROM (SELECT max(telemetry.last_at(r.summary)) AS last_at FROM telemetry.rollup_day AS r
          WHERE r.bucket = (SELECT max(n.bucket) FROM telemetry.rollup_day AS n WHERE n.bucket <= $1)) AS c,
         (SELECT max(telemetry.last_at(d.summary)) AS last_at FROM telemetry.deltas('-infinity', $1) AS d) AS d
    UNION ALL   -- of the day before, too, so that it is not resolved at every midnight
    SELECT 'too_many_series', NULL,
           coalesce(max(d.series), 0) / current_setting('gravitas_telemetry.max_series_per_day')::double precision, true
    FROM (SELECT count(*) AS series FROM telemetry.rollup_day AS d
          WHERE d.bucket IN (telemetry.bucket_start(1440, $1), telemetry.bucket_start(1440, $1) - interval '24 hours')
          GROUP BY d.bucket) AS d;
END;
COMMENT ON FUNCTION telemetry.upkeep_measurements(timestamptz) IS
    'Time since the last event, how late maintenance is and what of it failed, clocks of producers, and how near the number of series is to its limit';

CREATE FUNCTION telemetry.alert_measurements(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH footprint AS MATERIALIZED (SELECT * FROM telemetry.footprint($1))
    SELECT 'size', NULL::text, f.total_bytes::double precision, true FROM footprint AS f WHERE f.table_name = 'total'
    UNION ALL
    SELECT 'rows', f.table_name, f.row_count::double precision, true FROM footprint AS f
    WHERE f.table_name IN ('system_telemetry', 'usage_stats', 'history')
    UNION ALL
    SELECT * FROM telemetry.efficiency_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.error_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.upkeep_measurements($1);
END;
COMMENT ON FUNCTION telemetry.alert_measurements(timestamptz) IS 'What the alert rules measure, whether it is worth an alert or not';

CREATE TYPE telemetry.alert_transition AS (
    alert_id   bigint,
    rule       text,
    subject    text,
    state      text,
    changed_at timestamptz,
    value      double precision,
    threshold  double precision
);
COMMENT ON TYPE telemetry.alert_transition IS 'A row of check_alerts(): an alert that fires from now on, or is resolved';

CREATE FUNCTION telemetry.check_alerts(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_transition
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_check_alerts';
COMMENT ON FUNCTION telemetry.check_alerts(timestamptz) IS
    'Measures, writes what fires or is resolved to alert_log, tells the channel telemetry_alert, and returns it; nothing where another session is at it';

CREATE FUNCTION telemetry.set_alert(rule text, threshold double precision DEFAULT NULL,
                                    clear_threshold double precision DEFAULT NULL, is_enabled boolean DEFAULT true)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_set_alert';
COMMENT ON FUNCTION telemetry.set_alert(text, double precision, double precision, boolean) IS
    'Changes an alert rule. threshold: NULL for the default; clear_threshold: NULL for the same share of the threshold as by default';

CREATE VIEW telemetry.alerts WITH (security_invoker = true) AS
    SELECT f.alert_id, f.rule, f.subject, f.since, f.value, r.threshold, r.clear_threshold, r.unit, r.meaning
    FROM telemetry.alert_firing AS f JOIN telemetry.alert_rules() AS r USING (rule)
    ORDER BY f.since, f.alert_id;
COMMENT ON VIEW telemetry.alerts IS 'Alerts that fire now';
COMMENT ON COLUMN telemetry.alerts.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alerts.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alerts.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alerts.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alerts.value IS 'What was measured last';
COMMENT ON COLUMN telemetry.alerts.threshold IS 'It fired above this';
COMMENT ON COLUMN telemetry.alerts.clear_threshold IS 'It is resolved at this or below';
COMMENT ON COLUMN telemetry.alerts.unit IS 'Unit of value and thresholds';
COMMENT ON COLUMN telemetry.alerts.meaning IS 'What value is';

-- Is it healthy? One row for each thing that may be wrong, what is wrong first, each with what to type next.

CREATE TYPE telemetry.status_row AS (
    item  text,
    value text,
    is_ok boolean,
    hint  text
);
COMMENT ON TYPE telemetry.status_row IS 'A row of the view status';

-- Maintenance, and what waits for it. Counting ends at 100,000.
CREATE FUNCTION telemetry.maintenance_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH backlog AS MATERIALIZED (
        SELECT count(*) AS deltas FROM (SELECT FROM telemetry.deltas('-infinity', 'infinity') LIMIT 100000) AS d
    ), run AS MATERIALIZED (
        SELECT max(l.started_at) AS last FROM telemetry.maintenance_log AS l WHERE l.started_at <= $1 AND l.error IS NULL
    ), failed AS MATERIALIZED (
        SELECT string_agg(step || ': ' || error, '; ' ORDER BY step) AS errors
        FROM (SELECT DISTINCT ON (l.step) l.step, l.error FROM telemetry.maintenance_log AS l
              WHERE l.started_at > $1 - interval '24 hours' AND l.started_at <= $1 ORDER BY l.step, l.started_at DESC) AS latest
        WHERE error IS NOT NULL
    )
    SELECT 'last maintenance', coalesce(run.last::text, 'never'),
           CASE WHEN run.last IS NULL THEN backlog.deltas <= 2000
                ELSE $1 - run.last <= r.threshold * interval '1 second' END,
           'CALL telemetry.maintain(); where it should run by itself, see item worker, and the server''s log'
    FROM run, backlog, telemetry.alert_rules() AS r WHERE r.rule = 'maintenance_overdue'
    UNION ALL
    SELECT 'next maintenance', coalesce((run.last + interval '1 minute')::text, 'with the next events'), true, NULL FROM run
    UNION ALL
    SELECT 'failed maintenance', coalesce(failed.errors, 'none'), failed.errors IS NULL,
           'SELECT * FROM telemetry.maintenance_log WHERE error IS NOT NULL ORDER BY started_at DESC'
    FROM failed
    UNION ALL
    SELECT 'delta backlog', CASE WHEN backlog.deltas < 100000 THEN backlog.deltas::text ELSE '100000 or more' END,
           backlog.deltas <= 20000, 'SELECT telemetry.compact(); reads take 1 to 2 us longer for each'
    FROM backlog;
END;
COMMENT ON FUNCTION telemetry.maintenance_status(timestamptz) IS 'The part of status about maintenance and what waits for it';

-- What the server has for maintenance that runs by itself.
CREATE FUNCTION telemetry.workers(OUT is_preloaded boolean, OUT has_launcher boolean, OUT slots integer, OUT free_slots integer,
                                  OUT owner_may_connect boolean)
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'telemetry_workers';
COMMENT ON FUNCTION telemetry.workers() IS
    'Whether the library is preloaded and its launcher runs, how many background workers the server may have and how many are free, and whether one can connect as the owner of schema telemetry';

-- What keeps maintenance from running by itself is wrong once nobody else does it.
CREATE FUNCTION telemetry.worker_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH fact AS MATERIALIZED (
        SELECT w.*, current_setting('gravitas_telemetry.maintenance')::boolean AS is_on,
               (SELECT s.worker_at FROM telemetry.maintenance_state AS s) AS worker_at,
               EXISTS (SELECT FROM telemetry.maintenance_log AS l, telemetry.alert_rules() AS r
                       WHERE r.rule = 'maintenance_overdue' AND l.error IS NULL AND l.started_at <= $1
                         AND l.started_at >= $1 - r.threshold * interval '1 second') AS is_maintained
        FROM telemetry.workers() AS w
    )
    SELECT 'worker',
           concat_ws('; ', CASE WHEN is_on THEN 'on' ELSE 'off' END,
                     CASE WHEN NOT is_preloaded THEN 'not preloaded' WHEN has_launcher THEN 'launcher runs' ELSE 'launcher does not run' END,
                     format('%s of %s worker slots free', free_slots, slots),
                     CASE WHEN NOT owner_may_connect THEN 'the owner of schema telemetry cannot log in' END,
                     'last worker ' || coalesce(worker_at::text, 'never')),
           is_maintained OR pg_is_in_recovery() OR (is_on AND owner_may_connect AND free_slots > 0),
           CASE WHEN NOT is_on THEN format('ALTER DATABASE %I SET gravitas_telemetry.maintenance = on; or have cron CALL telemetry.maintain() every minute', current_database())
                WHEN NOT owner_may_connect THEN format('ALTER ROLE %s LOGIN, as which workers connect before PostgreSQL 17; or have cron CALL telemetry.maintain() every minute', (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'telemetry'))
                ELSE 'raise max_worker_processes and restart the server; or have cron CALL telemetry.maintain() every minute' END
    FROM fact;
END;
COMMENT ON FUNCTION telemetry.worker_status(timestamptz) IS 'The part of status about what maintenance needs to run by itself';

CREATE FUNCTION telemetry.partition_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH kept AS MATERIALIZED (
        SELECT coalesce($1 - telemetry.retention_keep('event'), '-infinity') AS since
    ), misplaced AS MATERIALIZED (
        SELECT count(*) AS events
        FROM (SELECT FROM kept, telemetry.event_default AS e
              WHERE e."timestamp" >= kept.since AND e."timestamp" < $1 + interval '24 hours' LIMIT 100000) AS e
    ), future AS MATERIALIZED (
        SELECT count(*) AS events
        FROM (SELECT FROM telemetry.event_default AS e WHERE e."timestamp" >= $1 + interval '24 hours' LIMIT 100000) AS e
    ), ahead AS MATERIALIZED (
        SELECT count(*) AS days FROM telemetry.event_partitions() AS p WHERE p."from" > $1
    ), starved AS MATERIALIZED (   -- what others use goes a little later, as a rule
        SELECT string_agg(d.partition || ' (' || d.reason || ')', ', ' ORDER BY d.partition) AS days
        FROM telemetry.retention_delay AS d
        WHERE d.since <= $1 - CASE d.reason WHEN 'locked' THEN interval '1 hour' ELSE interval '0' END
    )
    SELECT 'misplaced events', CASE WHEN misplaced.events < 100000 THEN misplaced.events::text ELSE '100000 or more' END,
           misplaced.events = 0, 'they lie in the default partition, where reads of a day do not find them quickly: CALL telemetry.maintain()'
    FROM misplaced
    UNION ALL
    SELECT 'future events', CASE WHEN future.events < 100000 THEN future.events::text ELSE '100000 or more' END,
           future.events = 0, 'they count when their time comes; a clock is wrong: SELECT component, max("timestamp") FROM telemetry.event_default GROUP BY 1'
    FROM future
    UNION ALL
    SELECT 'partitions ahead', ahead.days::text, ahead.days > 0,
           'CALL telemetry.maintain()'
    FROM ahead
    UNION ALL
    SELECT 'starved drops', coalesce(starved.days, 'none'), starved.days IS NULL,
           'SELECT * FROM telemetry.retention_delay; locked: end what reads them for long, SELECT pid, query FROM pg_stat_activity ORDER BY xact_start; missing in rollups: rebuild_rollups() of their days'
    FROM starved;
END;
COMMENT ON FUNCTION telemetry.partition_status(timestamptz) IS 'The part of status about the days that events are stored in';

-- All producers together, and those in trouble one by one, the ten worst.
CREATE FUNCTION telemetry.producer_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH seen AS MATERIALIZED (
        SELECT p.*, abs(p.clock_ahead_ms) > r.threshold AS has_wrong_clock
        FROM telemetry.producer AS p, telemetry.alert_rules() AS r
        WHERE r.rule = 'clock_skew' AND p.last_seen_at > $1 - r.measured_over AND p.last_seen_at <= $1
    )
    SELECT 'producers', format('%s seen within a day; of %s events %s dropped, %s refused', count(*), coalesce(sum(s.accepted), 0),
                               coalesce(sum(s.dropped), 0), coalesce(sum(s.refused), 0)),
           coalesce(sum(s.dropped) = 0 AND NOT bool_or(s.has_wrong_clock), true), 'see those named here, and telemetry.producer'
    FROM seen AS s
    UNION ALL
    (SELECT 'producer ' || s.producer,
            format('clock %s ms ahead; of %s events %s dropped, %s refused', round(s.clock_ahead_ms), s.accepted, s.dropped, s.refused),
            false,
            concat_ws('; ', CASE WHEN s.has_wrong_clock THEN 'its clock is wrong: set it by NTP' END,
                            CASE WHEN s.dropped > 0 THEN 'it lost events: give it a larger queue, or OnFull::spill or block' END)
     FROM seen AS s WHERE s.has_wrong_clock OR s.dropped > 0
     ORDER BY s.dropped DESC, abs(s.clock_ahead_ms) DESC, s.producer LIMIT 10);
END;
COMMENT ON FUNCTION telemetry.producer_status(timestamptz) IS 'The part of status about the clients that were seen within a day';

CREATE FUNCTION telemetry.status(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT item, value, is_ok, CASE WHEN NOT is_ok THEN hint END
    FROM (SELECT 'version' AS item, e.extversion AS value, e.extversion = coalesce(a.default_version, e.extversion) AS is_ok,
                 'ALTER EXTENSION gravitas_telemetry UPDATE' AS hint, 1 AS place
          FROM pg_extension AS e LEFT JOIN pg_available_extensions() AS a (name, default_version, comment) ON a.name = e.extname
          WHERE e.extname = 'gravitas_telemetry'
          UNION ALL
          SELECT m.*, 2 FROM telemetry.maintenance_status($1) AS m
          UNION ALL
          SELECT w.*, 2 FROM telemetry.worker_status($1) AS w
          UNION ALL
          SELECT p.*, 3 FROM telemetry.partition_status($1) AS p
          UNION ALL
          SELECT p.*, 4 FROM telemetry.producer_status($1) AS p
          UNION ALL
          SELECT 'alerts', CASE count(*) WHEN 0 THEN 'none' ELSE string_agg(concat_ws(' of ', rule, subject), ', ' ORDER BY since, alert_id) END, count(*) = 0, 'SELECT * FROM telemetry.alerts', 5 FROM telemetry.alert_firing
         ) AS s
    ORDER BY is_ok, place, item;
END;
COMMENT ON FUNCTION telemetry.status(timestamptz) IS 'Whether telemetry is healthy, as the view status shows it';

CREATE VIEW telemetry.status WITH (security_invoker = true) AS SELECT * FROM telemetry.status(now());
COMMENT ON VIEW telemetry.status IS 'Whether telemetry is healthy: what is wrong comes first; bool_and(is_ok) says it in one word';
COMMENT ON COLUMN telemetry.status.item IS 'What is looked at';
COMMENT ON COLUMN telemetry.status.value IS 'What there is';
COMMENT ON COLUMN telemetry.status.is_ok IS 'Whether that is as it should be';
COMMENT ON COLUMN telemetry.status.hint IS 'What to do where it is not';

-- Rights for a purpose. They are granted by whoever calls these, who must be able to.

CREATE FUNCTION telemetry.grant_writer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_writer';
COMMENT ON FUNCTION telemetry.grant_writer(text) IS
    'Lets a role log by every function, by INSERT and COPY, and through the client; it sees the ids of what it logs and nothing else';

CREATE FUNCTION telemetry.grant_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_reader';
COMMENT ON FUNCTION telemetry.grant_reader(text) IS
    'Lets a role read everything but history, and ask every question; it can write nothing';

CREATE FUNCTION telemetry.grant_history_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_history_reader';
COMMENT ON FUNCTION telemetry.grant_history_reader(text) IS
    'Lets a role read history, which holds text of people';

-- Nothing for PUBLIC, not even what only computes: so one sentence says it, and grant_reader() gives the rest. Types stay
-- usable, since a type holds no data.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
