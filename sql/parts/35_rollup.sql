-- Rollups: summaries that every insert appends beside its events, and that compact() gathers by minute, hour and day.
--
-- At any snapshot each event is either in rollup_delta or in all three levels, so a question merges the levels that cover
-- its window and the deltas, and never touches an event.

CREATE FUNCTION telemetry.bucket_start(minutes integer, "timestamp" timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_bucket_start';
COMMENT ON FUNCTION telemetry.bucket_start(integer, timestamptz) IS 'Start of the UTC bucket of so many minutes (1, 60 or 1440) that holds the time';

CREATE FUNCTION telemetry.rollup_key(name text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_rollup_key';
COMMENT ON FUNCTION telemetry.rollup_key(text) IS 'The name under which an event type or component stands in the rollups: itself, or cut to 512 bytes with a hash at its end';

CREATE TABLE telemetry.rollup_delta (
    added_by   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    bucket     timestamptz NOT NULL,
    event_type text NOT NULL,
    component  text,
    summary    telemetry.summary NOT NULL
);
-- Reads and compaction start here at the mark of the last compaction, so that deltas which were compacted but which an
-- old snapshot keeps from being vacuumed are not looked at again.
CREATE INDEX rollup_delta_added_by_idx ON telemetry.rollup_delta (added_by);
COMMENT ON TABLE telemetry.rollup_delta IS 'Summaries appended by inserts and not compacted yet';
COMMENT ON COLUMN telemetry.rollup_delta.added_by IS 'The transaction that appended it';
COMMENT ON COLUMN telemetry.rollup_delta.bucket IS 'Start of the minute';
COMMENT ON COLUMN telemetry.rollup_delta.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_delta.component IS 'rollup_key() of the component';
COMMENT ON COLUMN telemetry.rollup_delta.summary IS 'What the events amount to';

CREATE TABLE telemetry.rollup_minute (
    bucket     timestamptz NOT NULL,
    event_type text NOT NULL,
    component  text,
    summary    telemetry.summary NOT NULL,
    UNIQUE NULLS NOT DISTINCT (bucket, event_type, component)
);
CREATE TABLE telemetry.rollup_hour (LIKE telemetry.rollup_minute INCLUDING ALL);
CREATE TABLE telemetry.rollup_day (LIKE telemetry.rollup_minute INCLUDING ALL);
-- Summaries do not compress, and a scan of them out of line costs three times one of them inline.
ALTER TABLE telemetry.rollup_minute SET (toast_tuple_target = 8160);
ALTER TABLE telemetry.rollup_hour SET (toast_tuple_target = 8160);
ALTER TABLE telemetry.rollup_day SET (toast_tuple_target = 8160);

COMMENT ON TABLE telemetry.rollup_minute IS 'Summaries by minute, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_minute.bucket IS 'Start of the minute';
COMMENT ON COLUMN telemetry.rollup_minute.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_minute.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_minute.summary IS 'What the events amount to';
COMMENT ON TABLE telemetry.rollup_hour IS 'Summaries by hour, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_hour.bucket IS 'Start of the hour';
COMMENT ON COLUMN telemetry.rollup_hour.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_hour.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_hour.summary IS 'What the events amount to';
COMMENT ON TABLE telemetry.rollup_day IS 'Summaries by UTC day, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_day.bucket IS 'Start of the UTC day';
COMMENT ON COLUMN telemetry.rollup_day.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_day.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_day.summary IS 'What the events amount to';

SELECT pg_extension_config_dump('telemetry.rollup_delta', '');
SELECT pg_extension_config_dump('telemetry.rollup_minute', '');
SELECT pg_extension_config_dump('telemetry.rollup_hour', '');
SELECT pg_extension_config_dump('telemetry.rollup_day', '');

-- Not dumped: a transaction number of one cluster means nothing in another.
CREATE TABLE telemetry.compaction (
    mark xid8 NOT NULL
);
COMMENT ON TABLE telemetry.compaction IS 'One row once something was compacted; none: nothing was';
COMMENT ON COLUMN telemetry.compaction.mark IS 'Every delta of an earlier transaction is compacted';

CREATE TABLE telemetry.compaction_lock ();
COMMENT ON TABLE telemetry.compaction_lock IS 'Empty; locked by whoever compacts or rebuilds, so that one does at a time';

CREATE FUNCTION telemetry.compaction_mark() RETURNS xid8
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((SELECT c.mark FROM telemetry.compaction AS c), '0'::xid8);
COMMENT ON FUNCTION telemetry.compaction_mark() IS 'Deltas of earlier transactions are compacted';

CREATE TYPE telemetry.rollup AS (
    bucket     timestamptz,
    event_type text,
    component  text,
    summary    telemetry.summary
);
COMMENT ON TYPE telemetry.rollup IS 'A row of a rollup';

-- Not inlined, because of its SET: whatever the statistics say, what was compacted and is not vacuumed yet is not read.
CREATE FUNCTION telemetry.deltas(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
    LANGUAGE sql STABLE PARALLEL SAFE
    SET enable_seqscan = off
    SET jit = off   -- what makes a plan without choice look expensive must not have it compiled
BEGIN ATOMIC
    SELECT d.bucket, d.event_type, d.component, d.summary
    FROM telemetry.rollup_delta AS d
    WHERE d.added_by >= telemetry.compaction_mark() AND d.bucket >= $1 AND d.bucket < $2;
END;
COMMENT ON FUNCTION telemetry.deltas(timestamptz, timestamptz) IS
    'The summaries of a window that were appended and not compacted yet';

CREATE FUNCTION telemetry.compact() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_compact';
COMMENT ON FUNCTION telemetry.compact() IS 'Moves all deltas into the minute, hour and day rollups and returns how many there were; NULL where another session is at it';

-- Which level answers for which part of a window of whole minutes: minutes up to hours_start, hours up to days_start,
-- days up to days_end, hours up to hours_end, then minutes again.
CREATE FUNCTION telemetry.window_levels(window_start timestamptz, window_end timestamptz,
                                        OUT hours_start timestamptz, OUT days_start timestamptz,
                                        OUT days_end timestamptz, OUT hours_end timestamptz)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_window_levels';
COMMENT ON FUNCTION telemetry.window_levels(timestamptz, timestamptz) IS 'The largest buckets that cover a window of whole minutes';

CREATE FUNCTION telemetry.readable_window(INOUT window_start timestamptz, INOUT window_end timestamptz)
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_readable_window';
COMMENT ON FUNCTION telemetry.readable_window(timestamptz, timestamptz) IS 'The window, widened to whole hours or days where retention has removed smaller rollups';

CREATE FUNCTION telemetry.rollups(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
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
