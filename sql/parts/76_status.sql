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
