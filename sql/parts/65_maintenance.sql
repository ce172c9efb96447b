-- What keeps it running: days made ahead, deltas compacted, old rows removed.

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
