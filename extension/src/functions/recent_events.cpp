// recent_events_of(): the newest events of one component. Its rollups say in which minutes it has any, so that a
// component which speaks once a month is found without reading a month.

#include <algorithm>

#include "core/time_bucket.hpp"
#include "functions/retention_horizon.hpp"
#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

namespace {

// The minutes of the component's deltas; looked up once, since each look reads all deltas there are.
constexpr char delta_minutes[] = R"(
    SELECT coalesce(array_agg(DISTINCT bucket), '{}')
    FROM telemetry.deltas('-infinity', 'infinity') WHERE component = $1)";

// Buckets in which the component, or one that was folded into (other), has events; newest first. $1: the component's
// key, $2 and $3: from, to, $4: the minutes of its deltas.
constexpr char days[] = R"(
    SELECT bucket FROM telemetry.rollup_day WHERE component IN ($1, '(other)') AND bucket >= $2 AND bucket < $3
    UNION SELECT telemetry.bucket_start(1440, b) FROM unnest($4) AS b WHERE b >= $2 AND b < $3 ORDER BY 1 DESC)";
constexpr char hours[] = R"(
    SELECT bucket FROM telemetry.rollup_hour WHERE component IN ($1, '(other)') AND bucket >= $2 AND bucket < $3
    UNION SELECT telemetry.bucket_start(60, b) FROM unnest($4) AS b WHERE b >= $2 AND b < $3 ORDER BY 1 DESC)";
constexpr char minutes[] = R"(
    SELECT bucket FROM telemetry.rollup_minute WHERE component IN ($1, '(other)') AND bucket >= $2 AND bucket < $3
    UNION SELECT b FROM unnest($4) AS b WHERE b >= $2 AND b < $3 ORDER BY 1 DESC)";
constexpr char events[] = R"(
    SELECT event_type, component, value, metadata, status, "timestamp" FROM telemetry.system_telemetry
    WHERE component = $1 AND "timestamp" >= $2 AND "timestamp" < $3 ORDER BY "timestamp" DESC, id DESC LIMIT $4)";

struct Search {
    ReturnSetInfo *result;
    Datum component;
    Datum key;
    Datum delta_minutes;
    std::int64_t missing; // events still to be found
};

// Buckets of one level within [from, to), as an array in the current context.
Datum *buckets(pg::PreparedStatement<4> &level, const Search &search, core::Microseconds from, core::Microseconds to,
               std::uint64_t &count)
{
    level.read({search.key, TimestampTzGetDatum(from), TimestampTzGetDatum(to), search.delta_minutes});
    count = SPI_processed;
    Datum *const starts = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
    for (std::uint64_t i = 0; i < count; ++i) {
        bool is_null;
        starts[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);
    }
    SPI_freetuptable(SPI_tuptable);
    return starts;
}

Datum minutes_of_deltas(Datum key)
{
    static pg::PreparedStatement<1> statement{delta_minutes, {TEXTOID}};
    statement.read({key});
    const Datum minutes = PointerGetDatum(PG_DETOAST_DATUM_COPY(pg::only_value(1)));
    SPI_freetuptable(SPI_tuptable);
    return minutes;
}

void take_events(Search &search, core::Microseconds minute)
{
    static pg::PreparedStatement<4> statement{events, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}};
    statement.read({search.component, TimestampTzGetDatum(minute), TimestampTzGetDatum(minute + core::minute_us),
                    Int64GetDatum(search.missing)});
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
        tuplestore_puttuple(search.result->setResult, SPI_tuptable->vals[i]);
    search.missing -= static_cast<std::int64_t>(SPI_processed);
    SPI_freetuptable(SPI_tuptable);
}

struct Level {
    pg::PreparedStatement<4> *statement; // lists its buckets; nullptr below the last level, where the events are
    core::Microseconds width;
};

// From the newest bucket of a level to the oldest, and into each, until enough events were found.
void walk(Search &search, const Level *level, core::Microseconds from, core::Microseconds to)
{
    if (level->statement == nullptr)
        return take_events(search, from);
    std::uint64_t count;
    Datum *const starts = buckets(*level->statement, search, from, to, count);
    for (std::uint64_t i = 0; i < count && search.missing > 0; ++i) {
        CHECK_FOR_INTERRUPTS();
        const core::Microseconds start = DatumGetTimestampTz(starts[i]);
        walk(search, level + 1, start, start + level->width);
    }
    pfree(starts);
}

} // namespace

// recent_events_of(component, "limit") → rows; strict
TELEMETRY_FUNCTION(recent_events_of)
{
    static constexpr Oid types[] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZARRAYOID};
    static pg::PreparedStatement<4> day{days, types};
    static pg::PreparedStatement<4> hour{hours, types};
    static pg::PreparedStatement<4> minute{minutes, types};
    static constexpr Level levels[] = {
        {&day, core::day_us}, {&hour, core::hour_us}, {&minute, core::minute_us}, {nullptr, 0}};

    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    Search search = {reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), PG_GETARG_DATUM(0),
                     PointerGetDatum(rollup_key(PG_GETARG_TEXT_PP(0))), Datum{0}, PG_GETARG_INT64(1)};
    pg::with_spi([&] {
        search.delta_minutes = minutes_of_deltas(search.key);
        // The rollups of days whose events are gone lead nowhere.
        walk(search, levels, std::max<TimestampTz>(MIN_TIMESTAMP, expired_before("event")), END_TIMESTAMP - 1);
    });
    PG_RETURN_NULL();
}
