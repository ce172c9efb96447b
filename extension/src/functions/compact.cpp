// compact(): from deltas to rollups. rebuild_rollups(): from events to rollups.

#include "core/time_bucket.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/one_session.hpp"
#include "pg/relation.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "storage/lmgr.h"
}

using namespace gravitas::telemetry;

namespace {

// One statement, so one snapshot: what it takes from the deltas is what it adds to the levels, and the mark is the
// oldest transaction that this very snapshot may not see. %s: forget_sizes.
constexpr char move_deltas[] = R"(
    WITH taken AS (
        DELETE FROM telemetry.rollup_delta WHERE added_by >= telemetry.compaction_mark()
        RETURNING bucket, telemetry.bucket_start(1440, bucket) AS day, telemetry.rollup_key(event_type) AS event_type,
                  telemetry.rollup_key(component) AS component, summary
    ), series AS (
        SELECT DISTINCT day, event_type, component FROM taken WHERE component IS NOT NULL
    ), folded AS (
        -- Of the series that a day does not know yet, those that come after its last free place.
        SELECT day, event_type, component
        FROM (SELECT s.*, row_number() OVER (PARTITION BY day ORDER BY event_type, component) AS place
              FROM series AS s
              WHERE NOT EXISTS (SELECT FROM telemetry.rollup_day AS r
                                WHERE r.bucket = s.day AND r.event_type = s.event_type AND r.component = s.component)
             ) AS fresh
        WHERE place + (SELECT count(*) FROM telemetry.rollup_day AS r WHERE r.bucket = fresh.day)
              > current_setting('gravitas_telemetry.max_series_per_day')::bigint
    ), by_minute AS (
        SELECT t.bucket, t.event_type, CASE WHEN f.component IS NULL THEN t.component ELSE '(other)' END AS component,
               telemetry.merge(t.summary) AS summary
        FROM taken AS t LEFT JOIN folded AS f USING (day, event_type, component)
        GROUP BY 1, 2, 3
    ), by_hour AS (
        SELECT telemetry.bucket_start(60, bucket) AS bucket, event_type, component, telemetry.merge(summary) AS summary
        FROM by_minute GROUP BY 1, 2, 3
    ), by_day AS (
        SELECT telemetry.bucket_start(1440, bucket) AS bucket, event_type, component, telemetry.merge(summary) AS summary
        FROM by_hour GROUP BY 1, 2, 3
    ), to_minute AS (
        INSERT INTO telemetry.rollup_minute AS r SELECT * FROM by_minute
        ON CONFLICT (bucket, event_type, component)
        DO UPDATE SET summary = r.summary OPERATOR(telemetry.+) excluded.summary
    ), to_hour AS (
        INSERT INTO telemetry.rollup_hour AS r SELECT * FROM by_hour
        ON CONFLICT (bucket, event_type, component)
        DO UPDATE SET summary = r.summary OPERATOR(telemetry.+) excluded.summary
    ), to_day AS (
        INSERT INTO telemetry.rollup_day AS r SELECT * FROM by_day
        ON CONFLICT (bucket, event_type, component)
        DO UPDATE SET summary = r.summary OPERATOR(telemetry.+) excluded.summary
    ), %s set_mark AS (
        UPDATE telemetry.compaction SET mark = pg_snapshot_xmin(pg_current_snapshot()) RETURNING mark
    ), first_mark AS (
        -- Not before there was something: deltas of a dump, restored into an empty database, are numbered by another
        -- cluster.
        INSERT INTO telemetry.compaction SELECT pg_snapshot_xmin(pg_current_snapshot())
        WHERE NOT EXISTS (SELECT FROM telemetry.compaction) AND EXISTS (SELECT FROM taken)
    )
    SELECT count(*) FROM taken)";

// What was recorded of a day that is over holds no longer. Before ALTER EXTENSION UPDATE nothing is recorded.
constexpr char forget_sizes[] = R"(
    changed AS (
        DELETE FROM telemetry.partition_size AS p USING (SELECT DISTINCT bucket FROM by_day) AS d
        WHERE p.day_start = d.bucket
    ),)";

// Also one statement and one snapshot: the rollups and deltas of a stretch of time make way for new deltas, made from
// the events that this snapshot sees. $1 and $2: from, to.
constexpr char events_to_deltas[] = R"(
    WITH old_delta AS (
        DELETE FROM telemetry.rollup_delta
        WHERE added_by >= telemetry.compaction_mark() AND bucket >= $1 AND bucket < $2
    ), old_minute AS (
        DELETE FROM telemetry.rollup_minute WHERE bucket >= $1 AND bucket < $2
    ), old_hour AS (
        DELETE FROM telemetry.rollup_hour WHERE bucket >= $1 AND bucket < $2
    ), old_day AS (
        DELETE FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2
    )
    INSERT INTO telemetry.rollup_delta (bucket, event_type, component, summary)
    SELECT telemetry.bucket_start(1, "timestamp"), telemetry.rollup_key(event_type), telemetry.rollup_key(component),
           telemetry.summarize(event_type, "timestamp", value, duration_ms, first_token_ms, prompt_tokens,
                               tokens_generated, status)
    FROM telemetry.event WHERE "timestamp" >= $1 AND "timestamp" < $2
    GROUP BY 1, 2, 3)";

// Days of which the rollups know something and of which there is not one event.
constexpr char days_without_events[] = R"(
    SELECT bucket::text
    FROM (SELECT bucket FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2
          UNION SELECT telemetry.bucket_start(1440, bucket) FROM telemetry.deltas($1, $2)) AS r
    WHERE (SELECT 1 FROM telemetry.event AS e   -- LIMIT keeps it from becoming a join with all events
           WHERE e."timestamp" >= r.bucket AND e."timestamp" < r.bucket + interval '24 hours' LIMIT 1) IS NULL
    ORDER BY bucket LIMIT 1)";

// Days of which retention has removed events, and the rollups know more than there is.
constexpr char days_with_fewer_events[] = R"(
    SELECT day::text
    FROM (SELECT bucket AS day, telemetry.event_count(summary) AS n
          FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2
          UNION ALL SELECT telemetry.bucket_start(1440, bucket), telemetry.event_count(summary)
          FROM telemetry.deltas($1, $2)) AS r
    WHERE day < telemetry.expired_before('event')
    GROUP BY day
    HAVING sum(n) > (SELECT count(*) FROM telemetry.event AS e
                     WHERE e."timestamp" >= day AND e."timestamp" < day + interval '24 hours')
    ORDER BY day LIMIT 1)";

bool lock_compaction(const char *command) { return pg::lock_for_one_session("compaction_lock", command); }

// Inside with_spi(), with the lock; the number of deltas moved.
std::int64_t compact()
{
    const bool has_sizes = OidIsValid(pg::relation_of("partition_size"));
    pg::run_sql(psprintf(move_deltas, has_sizes ? forget_sizes : ""));
    return DatumGetInt64(pg::only_value(1));
}

// Retention must remove no events between the look for them and the end. It takes these locks in the same order.
void lock_out_retention()
{
    LockRelationOid(pg::relation_of("event"), AccessShareLock);
    if (const Oid horizon = pg::relation_of("retention_horizon"); OidIsValid(horizon))
        LockRelationOid(horizon, ShareLock);
}

// Late events may lie in a day that retention dropped: they are not all that the day had.
void refuse_dropped_days(core::Microseconds from, core::Microseconds to)
{
    static pg::PreparedStatement<2> statement{days_with_fewer_events, {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_SELECT);
    if (SPI_processed > 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("retention has removed events of the day \"%s\"",
                               SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
                        errhint("Its rollups are all that is left; rebuild the days after it.")));
}

void refuse_days_without_events(core::Microseconds from, core::Microseconds to)
{
    static pg::PreparedStatement<2> statement{days_without_events, {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_SELECT);
    if (SPI_processed > 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the events of the day \"%s\" are gone",
                               SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
                        errhint("Its rollups are all that is left; rebuild the days before and after it.")));
}

std::int64_t rebuild(core::Microseconds from, core::Microseconds to)
{
    static pg::PreparedStatement<2> statement{events_to_deltas, {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    lock_out_retention();
    refuse_dropped_days(from, to);
    refuse_days_without_events(from, to);
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_INSERT);
    const auto made = static_cast<std::int64_t>(SPI_processed);
    compact();
    return made;
}

} // namespace

// compact() → deltas moved, or NULL where another session is at it
TELEMETRY_FUNCTION(compact)
{
    if (!lock_compaction("compact()"))
        PG_RETURN_NULL();
    std::int64_t moved = 0;
    pg::with_spi([&] { moved = compact(); });
    PG_RETURN_INT64(moved);
}

// rebuild_rollups("from", "to") → summaries made
TELEMETRY_FUNCTION(rebuild_rollups)
{
    pg::require(fcinfo, 0, "from");
    pg::require(fcinfo, 1, "to");
    const TimestampTz from = PG_GETARG_TIMESTAMPTZ(0);
    const TimestampTz to = PG_GETARG_TIMESTAMPTZ(1);
    if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to) || from >= to)
        throw core::Error(core::sqlstate::invalid_parameter_value, "\"from\" must be before \"to\", and both finite",
                          "Try rebuild_rollups(now() - interval '1 day', now()).");
    if (!lock_compaction("rebuild_rollups()"))
        throw core::Error("55P03", "another session is writing rollups", "Try again in a moment.");
    std::int64_t made = 0;
    pg::with_spi([&] { made = rebuild(core::floor_to(from, core::day_us), core::ceil_to(to, core::day_us)); });
    PG_RETURN_INT64(made);
}
