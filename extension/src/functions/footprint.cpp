// footprint(): what every table of telemetry takes and holds. No event is read and no lock is waited for.

#include <iterator>

#include "core/growth.hpp"
#include "core/time_bucket.hpp"
#include "functions/event_days.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/memory.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/float.h"
}

using namespace gravitas::telemetry;

namespace {

constexpr int days_of_growth = 7;

struct Footprint {
    const char *name;
    pg::RelationBytes bytes;
    Presence rows;
    int partitions = 1;
    std::optional<double> growth_per_day = {}; // bytes
    std::optional<double> days_until_cap = {};
};

struct Table {
    const char *name; // as the footprint shows it
    const char *stored_in;
    const char *time_column;
};

constexpr Table tables[] = {{"system_telemetry", "event", "timestamp"},
                            {"usage_stats", "usage_stats", "timestamp"},
                            {"history", "history", "timestamp"},
                            {"rollup_minute", "rollup_minute", "bucket"},
                            {"rollup_hour", "rollup_hour", "bucket"},
                            {"rollup_day", "rollup_day", "bucket"},
                            {"rollup_delta", "rollup_delta", "bucket"},
                            {"producer", "producer", "first_seen_at"},
                            {"partition_size", "partition_size", "day_start"},
                            {"maintenance_log", "maintenance_log", "started_at"},
                            {"alert_log", "alert_log", "changed_at"}};
constexpr std::size_t table_count = std::size(tables);

// ---- Sizes, rows, growth ----

// What the last whole days before as_of brought, on average; nothing before the first one.
std::optional<double> event_growth(const EventDays &events, TimestampTz as_of)
{
    const TimestampTz today = core::floor_to(as_of, core::day_us);
    const TimestampTz from = today - days_of_growth * core::day_us;
    TimestampTz first = today;
    double bytes = 0;
    for (const EventDay &day : events.days) {
        if (day.start >= today || day.events.rows == 0)
            continue;
        first = std::min(first, std::max(day.start, from));
        bytes += day.start >= from ? static_cast<double>(day.bytes.total()) : 0;
    }
    if (first == today)
        return std::nullopt;
    return bytes * core::day_us / static_cast<double>(today - first);
}

Footprint event_footprint(TimestampTz as_of)
{
    const EventDays events = stored_event_days(as_of);
    Footprint footprint = {.name = tables[0].name, .bytes = {}, .rows = {}};
    footprint.partitions = static_cast<int>(events.days.size() + events.others.size());
    for (const EventDay &day : events.days) {
        footprint.bytes += day.bytes;
        footprint.rows.merge(day.events);
    }
    for (const Oid table : events.others) {
        footprint.bytes += pg::relation_bytes(table);
        footprint.rows.merge(presence_in(table, "timestamp"));
    }
    footprint.growth_per_day = event_growth(events, as_of);
    return footprint;
}

// Even growth since the oldest row; nothing within the first day.
std::optional<double> even_growth(const Footprint &footprint)
{
    if (!footprint.rows.oldest || *footprint.rows.newest - *footprint.rows.oldest < core::day_us)
        return std::nullopt;
    return static_cast<double>(footprint.bytes.total()) * core::day_us /
           static_cast<double>(*footprint.rows.newest - *footprint.rows.oldest);
}

Footprint footprint_of(const Table &table, TimestampTz as_of)
{
    const Oid id = pg::relation_of(table.stored_in);
    Footprint footprint = &table == tables ? event_footprint(as_of)
                                           : Footprint{.name = table.name,
                                                       .bytes = pg::relation_bytes(id),
                                                       .rows = presence_in(id, table.time_column)};
    if (!footprint.growth_per_day)
        footprint.growth_per_day = even_growth(footprint);
    return footprint;
}

// ---- All of them together ----

// For how long rows of each table stay, in days, and how many bytes are worth an alert.
struct Limits {
    double keep_days[table_count];
    double cap_bytes;
};

Limits limits()
{
    static pg::PreparedStatement<1> statement{
        "SELECT array(SELECT coalesce(extract(epoch FROM telemetry.retention_keep(t.name)) / 86400, 'infinity')::float8"
        "             FROM unnest($1) WITH ORDINALITY AS t (name, place) ORDER BY t.place),"
        "       (SELECT r.threshold FROM telemetry.alert_rules() AS r WHERE r.rule = 'size')",
        {TEXTARRAYOID}};
    Datum names[table_count];
    for (std::size_t i = 0; i < table_count; ++i)
        names[i] = CStringGetTextDatum(tables[i].stored_in);
    ArrayType *const asked = construct_array(names, table_count, TEXTOID, -1, false, TYPALIGN_INT);
    Limits limits;
    pg::with_spi([&] {
        statement.read({PointerGetDatum(asked)});
        limits.cap_bytes = DatumGetFloat8(pg::only_value(2));
        Datum *days;
        int count;
        deconstruct_array(DatumGetArrayTypeP(pg::only_value(1)), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
                          TYPALIGN_DOUBLE, &days, nullptr, &count);
        for (int i = 0; i < count; ++i)
            limits.keep_days[i] = DatumGetFloat8(days[i]);
    });
    return limits;
}

Footprint total_of(const Footprint (&footprints)[table_count])
{
    const Limits limit = limits();
    core::GrowingTable growing[table_count];
    Footprint total = {.name = "total", .bytes = {}, .rows = {}, .partitions = 0};
    for (std::size_t i = 0; i < table_count; ++i) {
        const Footprint &one = footprints[i];
        growing[i] = {static_cast<double>(one.bytes.total()), one.growth_per_day.value_or(0), limit.keep_days[i]};
        total.bytes += one.bytes;
        total.rows.merge(one.rows);
        total.partitions += one.partitions;
        if (one.growth_per_day)
            total.growth_per_day = total.growth_per_day.value_or(0) + *one.growth_per_day;
    }
    total.days_until_cap = core::days_until(limit.cap_bytes, growing);
    return total;
}

void put(ReturnSetInfo *result, const Footprint &footprint)
{
    const double rows = static_cast<double>(footprint.rows.rows);
    const double bytes = static_cast<double>(footprint.bytes.total());
    pg::Columns columns;
    columns.add(CStringGetTextDatum(footprint.name));
    columns.add(Int64GetDatum(footprint.bytes.heap));
    columns.add(Int64GetDatum(footprint.bytes.index));
    columns.add(Int64GetDatum(footprint.bytes.toast));
    columns.add(Int64GetDatum(footprint.bytes.total()));
    columns.add_count(footprint.rows.rows);
    columns.add(BoolGetDatum(footprint.rows.is_estimate));
    columns.add(TimestampTzGetDatum(footprint.rows.oldest.value_or(0)), !footprint.rows.oldest);
    columns.add(TimestampTzGetDatum(footprint.rows.newest.value_or(0)), !footprint.rows.newest);
    columns.add(Int32GetDatum(footprint.partitions));
    columns.add(rows > 0 ? std::optional(bytes / rows) : std::nullopt);
    columns.add(footprint.growth_per_day);
    columns.add(footprint.days_until_cap);
    columns.put(result);
}

} // namespace

// footprint(as_of) → rows; strict
TELEMETRY_FUNCTION(footprint)
{
    const TimestampTz as_of = pg::finite_time(fcinfo, 0, "as_of");
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Footprint footprints[table_count];
    for (std::size_t i = 0; i < table_count; ++i) {
        footprints[i] = footprint_of(tables[i], as_of);
        put(result, footprints[i]);
    }
    put(result, total_of(footprints));
    PG_RETURN_NULL();
}
