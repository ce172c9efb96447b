// ensure_partitions(): makes the days that events are stored in.

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/relation.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

namespace {

constexpr std::int64_t max_days = 1000;
constexpr TimestampTz first_day = -30 * 365 * core::day_us - 7 * core::day_us;    // 1970-01-01
constexpr TimestampTz last_day = 8000 * 365 * core::day_us + 1940 * core::day_us; // 9999-12-31, or just before

struct PartitionName {
    char text[32]; // event_20261124
};

PartitionName partition_name(core::Microseconds day_start)
{
    const std::string date = core::iso_date(day_start);
    PartitionName name;
    snprintf(name.text, sizeof name.text, "event_%.4s%.2s%.2s", date.c_str(), date.c_str() + 5, date.c_str() + 8);
    return name;
}

struct Day {
    PartitionName partition;
    char start[32]; // 2026-11-24 00:00:00+00
    char end[32];
};

Day day_at(core::Microseconds start)
{
    const std::string date = core::iso_date(start);
    const std::string next = core::iso_date(start + core::day_us);
    Day day;
    day.partition = partition_name(start);
    snprintf(day.start, sizeof day.start, "%s 00:00:00+00", date.c_str());
    snprintf(day.end, sizeof day.end, "%s 00:00:00+00", next.c_str());
    return day;
}

// Whether the day has its partition; an error where something else bears its name.
bool exists(const Day &day)
{
    const Oid relation = pg::relation_of(day.partition.text);
    if (!OidIsValid(relation))
        return false;
    if (!get_rel_relispartition(relation) || get_partition_parent(relation, true) != pg::relation_of("event"))
        ereport(
            ERROR,
            (errcode(ERRCODE_DUPLICATE_TABLE),
             errmsg("relation \"telemetry.%s\" exists but is not a partition of telemetry.event", day.partition.text),
             errhint("Rename it, or attach it to telemetry.event FROM ('%s') TO ('%s').", day.start, day.end)));
    return true;
}

// A table of its own first, filled and indexed, then attached: the parent is never locked against writers. Rows of the
// day that went to the default partition move; that one is locked meanwhile, since attaching narrows what it may hold.
void create(const Day &day)
{
    pg::run_sql(psprintf("CREATE TABLE telemetry.%s (LIKE telemetry.event INCLUDING ALL,"
                         " CONSTRAINT one_day CHECK (\"timestamp\" >= '%s' AND \"timestamp\" < '%s'))",
                         day.partition.text, day.start, day.end));
    pg::run_sql(psprintf("WITH moved AS (DELETE FROM telemetry.event_default"
                         " WHERE \"timestamp\" >= '%s' AND \"timestamp\" < '%s' RETURNING *)"
                         " INSERT INTO telemetry.%s SELECT * FROM moved",
                         day.start, day.end, day.partition.text));
    pg::run_sql(psprintf("CREATE INDEX ON telemetry.%s (\"timestamp\")", day.partition.text));
    pg::run_sql(psprintf("ALTER TABLE telemetry.event ATTACH PARTITION telemetry.%s FOR VALUES FROM ('%s') TO ('%s')",
                         day.partition.text, day.start, day.end));
    pg::run_sql(psprintf("ALTER TABLE telemetry.%s DROP CONSTRAINT one_day", day.partition.text));
}

std::int32_t create_missing(core::Microseconds from, core::Microseconds to)
{
    std::int32_t created = 0;
    pg::run_sql("LOCK TABLE ONLY telemetry.event IN SHARE UPDATE EXCLUSIVE MODE"); // one creator at a time
    for (core::Microseconds start = from; start < to; start += core::day_us) {
        CHECK_FOR_INTERRUPTS();
        const Day day = day_at(start);
        if (exists(day))
            continue;
        if (created++ == 0)
            pg::run_sql("LOCK TABLE telemetry.event_default IN ACCESS EXCLUSIVE MODE");
        create(day);
    }
    return created;
}

} // namespace

// ensure_partitions("from", "to") → how many were made
TELEMETRY_FUNCTION(ensure_partitions)
{
    pg::require(fcinfo, 0, "from");
    pg::require(fcinfo, 1, "to");
    const TimestampTz from = PG_GETARG_TIMESTAMPTZ(0);
    const TimestampTz to = PG_GETARG_TIMESTAMPTZ(1);
    if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to) || from < first_day || to > last_day)
        throw core::Error(core::sqlstate::invalid_parameter_value, "partitions can be made for the years 1970 to 9999",
                          "Events of any other date are stored in the default partition.");
    if (from >= to)
        throw core::Error(core::sqlstate::invalid_parameter_value, "\"from\" must be before \"to\"",
                          "Try ensure_partitions(now(), now() + interval '7 days').");
    const core::Microseconds first = core::floor_to(from, core::day_us);
    const core::Microseconds end = core::ceil_to(to, core::day_us);
    if (const std::int64_t days = (end - first) / core::day_us; days > max_days)
        throw core::Error(core::sqlstate::program_limit_exceeded,
                          "cannot make \"" + std::to_string(days) + "\" partitions at once, the limit is " +
                              std::to_string(max_days),
                          "Make them in several calls; a partition is one day.");
    // With an older snapshot, events that others stored since then could not be moved.
    if (IsolationUsesXactSnapshot())
        throw core::Error("25001", "partitions can be made at isolation level read committed only",
                          "Call it outside of a transaction, or after SET TRANSACTION ISOLATION LEVEL READ COMMITTED.");
    std::int32_t created = 0;
    pg::with_spi([&] { created = create_missing(first, end); });
    PG_RETURN_INT32(created);
}
