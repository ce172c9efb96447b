// recent_events_of() and events_where(): the newest events of one component, or of one event type. The rollups say in
// which minutes there are any, so that a component which speaks once a month is found without reading a month.

#include <algorithm>

#include "core/time_bucket.hpp"
#include "functions/retention_horizon.hpp"
#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

namespace {

// The minutes of the deltas; looked up once, since each look reads all deltas there are. $1: the component's key, $2:
// the event type's, each only where $3 or $4 says so.
constexpr char delta_minutes[] = R"(
    SELECT coalesce(array_agg(DISTINCT bucket), '{}') FROM telemetry.deltas('-infinity', 'infinity')
    WHERE (NOT $3 OR component = $1) AND (NOT $4 OR event_type = $2))";

// Buckets in which there are such events, or of a component that was folded into (other); newest first. $5 and $6:
// from, to, $7: the minutes of the deltas.
constexpr char days[] = R"(
    SELECT DISTINCT bucket FROM telemetry.rollup_day
    WHERE (NOT $3 OR component IN ($1, '(other)')) AND (NOT $4 OR event_type = $2) AND bucket >= $5 AND bucket < $6
    UNION SELECT telemetry.bucket_start(1440, b) FROM unnest($7) AS b WHERE b >= $5 AND b < $6 ORDER BY 1 DESC)";
constexpr char hours[] = R"(
    SELECT DISTINCT bucket FROM telemetry.rollup_hour
    WHERE (NOT $3 OR component IN ($1, '(other)')) AND (NOT $4 OR event_type = $2) AND bucket >= $5 AND bucket < $6
    UNION SELECT telemetry.bucket_start(60, b) FROM unnest($7) AS b WHERE b >= $5 AND b < $6 ORDER BY 1 DESC)";
constexpr char minutes[] = R"(
    SELECT DISTINCT bucket FROM telemetry.rollup_minute
    WHERE (NOT $3 OR component IN ($1, '(other)')) AND (NOT $4 OR event_type = $2) AND bucket >= $5 AND bucket < $6
    UNION SELECT b FROM unnest($7) AS b WHERE b >= $5 AND b < $6 ORDER BY 1 DESC)";
// Here $1 and $2 are what was asked for, not its keys.
constexpr char events[] = R"(
    SELECT event_type, component, value, metadata, status, "timestamp" FROM telemetry.system_telemetry
    WHERE (NOT $3 OR component = $1) AND (NOT $4 OR event_type = $2) AND "timestamp" >= $5 AND "timestamp" < $6
    ORDER BY "timestamp" DESC, id DESC LIMIT $7)";

// What to look for: the only component, the only event type, or both.
struct Search {
    ReturnSetInfo *result;
    const text *component; // nullptr: any
    const text *event_type;
    Datum component_key;
    Datum event_type_key;
    TimestampTz since;
    Datum delta_minutes;
    std::int64_t missing; // events still to be found

    [[nodiscard]] Datum has_component() const { return BoolGetDatum(component != nullptr); }
    [[nodiscard]] Datum has_event_type() const { return BoolGetDatum(event_type != nullptr); }
};

// A parameter that is not looked at must not be NULL either.
Datum name_or_empty(const text *name) { return PointerGetDatum(name != nullptr ? name : cstring_to_text("")); }

Datum key_of(text *name) { return name != nullptr ? PointerGetDatum(rollup_key(name)) : name_or_empty(nullptr); }

// Buckets of one level within [from, to), as an array in the current context.
Datum *buckets(pg::PreparedStatement<7> &level, const Search &search, core::Microseconds from, core::Microseconds to,
               std::uint64_t &count)
{
    level.read({search.component_key, search.event_type_key, search.has_component(), search.has_event_type(),
                TimestampTzGetDatum(from), TimestampTzGetDatum(to), search.delta_minutes});
    count = SPI_processed;
    Datum *const starts = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
    for (std::uint64_t i = 0; i < count; ++i) {
        bool is_null;
        starts[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);
    }
    SPI_freetuptable(SPI_tuptable);
    return starts;
}

Datum minutes_of_deltas(const Search &search)
{
    static pg::PreparedStatement<4> statement{delta_minutes, {TEXTOID, TEXTOID, BOOLOID, BOOLOID}};
    statement.read({search.component_key, search.event_type_key, search.has_component(), search.has_event_type()});
    const Datum minutes = PointerGetDatum(PG_DETOAST_DATUM_COPY(pg::only_value(1)));
    SPI_freetuptable(SPI_tuptable);
    return minutes;
}

void take_events(Search &search, core::Microseconds minute)
{
    static pg::PreparedStatement<7> statement{
        events, {TEXTOID, TEXTOID, BOOLOID, BOOLOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}};
    statement.read({name_or_empty(search.component), name_or_empty(search.event_type), search.has_component(),
                    search.has_event_type(), TimestampTzGetDatum(std::max(minute, search.since)),
                    TimestampTzGetDatum(minute + core::minute_us), Int64GetDatum(search.missing)});
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
        tuplestore_puttuple(search.result->setResult, SPI_tuptable->vals[i]);
    search.missing -= static_cast<std::int64_t>(SPI_processed);
    SPI_freetuptable(SPI_tuptable);
}

struct Level {
    pg::PreparedStatement<7> *statement; // lists its buckets; nullptr below the last level, where the events are
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

void find(Search &search)
{
    static constexpr Oid types[] = {
        TEXTOID, TEXTOID, BOOLOID, BOOLOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZARRAYOID};
    static pg::PreparedStatement<7> day{days, types};
    static pg::PreparedStatement<7> hour{hours, types};
    static pg::PreparedStatement<7> minute{minutes, types};
    static constexpr Level levels[] = {
        {&day, core::day_us}, {&hour, core::hour_us}, {&minute, core::minute_us}, {nullptr, 0}};

    // The rollups of days whose events are gone lead nowhere.
    const TimestampTz from = std::max<TimestampTz>({MIN_TIMESTAMP, expired_before("event"), search.since});
    pg::with_spi([&] {
        search.delta_minutes = minutes_of_deltas(search);
        walk(search, levels, from == MIN_TIMESTAMP ? from : core::floor_to(from, core::day_us), END_TIMESTAMP - 1);
    });
}

} // namespace

// recent_events_of(component, "limit") → rows; strict
TELEMETRY_FUNCTION(recent_events_of)
{
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    text *const component = PG_GETARG_TEXT_PP(0);
    Search search = {reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo),
                     component,
                     nullptr,
                     key_of(component),
                     key_of(nullptr),
                     MIN_TIMESTAMP,
                     Datum{0},
                     PG_GETARG_INT64(1)};
    find(search);
    PG_RETURN_NULL();
}

// events_where(event_type, component, since, "limit") → rows
TELEMETRY_FUNCTION(events_where)
{
    pg::require(fcinfo, 2, "since");
    pg::require(fcinfo, 3, "limit");
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    text *const event_type = pg::optional_text(fcinfo, 0);
    text *const component = pg::optional_text(fcinfo, 1);
    Search search = {reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo),
                     component,
                     event_type,
                     key_of(component),
                     key_of(event_type),
                     std::max<TimestampTz>(MIN_TIMESTAMP, PG_GETARG_TIMESTAMPTZ(2)),
                     Datum{0},
                     PG_GETARG_INT64(3)};
    find(search);
    PG_RETURN_NULL();
}
