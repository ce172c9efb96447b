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
    partition text PRIMARY KEY,
    reason    text NOT NULL CHECK (reason IN ('locked', 'missing in rollups', 'failed')),
    detail    text,
    since     timestamptz NOT NULL,
    tried_at  timestamptz NOT NULL
);
COMMENT ON TABLE telemetry.retention_delay IS 'Days of events whose time is over and that could not be dropped';
COMMENT ON COLUMN telemetry.retention_delay.partition IS 'Name of the partition; event_default with its day for days without one';
COMMENT ON COLUMN telemetry.retention_delay.reason IS 'locked: others used it every time; missing in rollups: rebuild_rollups() mends that; failed';
COMMENT ON COLUMN telemetry.retention_delay.detail IS 'What is missing, or the error';
COMMENT ON COLUMN telemetry.retention_delay.since IS 'When dropping it was tried for the first time';
COMMENT ON COLUMN telemetry.retention_delay.tried_at IS 'When it was tried last';

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
    has_failed  boolean NOT NULL
) WITH (fillfactor = 50);   -- its row is updated with every round, on its own page
COMMENT ON TABLE telemetry.maintenance_state IS 'The last round of maintenance, one row once there was one';
COMMENT ON COLUMN telemetry.maintenance_state.started_at IS 'When maintain() began';
COMMENT ON COLUMN telemetry.maintenance_state.finished_at IS 'When it, or a compaction of a worker since, ended';
COMMENT ON COLUMN telemetry.maintenance_state.has_failed IS 'Whether a step of it failed';

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
