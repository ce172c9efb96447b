-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.6'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Compares levels only where both are kept.
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
               telemetry.expired_before('rollup_hour') AS hours_from,
               telemetry.expired_before('rollup_day') AS days_from
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
      AND bucket >= CASE minutes WHEN 1 THEN minutes_from   -- levels are compared where both are kept
                                 WHEN 60 THEN greatest(minutes_from, hours_from)
                                 ELSE greatest(hours_from, days_from) END
      AND NOT (minutes = 1 AND bucket < events_from AND coalesce(e.n, 0) < f.n)    -- what retention has dropped
    ORDER BY bucket, minutes, event_type, key;
END;

-- Nothing for PUBLIC.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
