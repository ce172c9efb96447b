#include "functions/event_days.hpp"

#include <algorithm>

#include "core/time_bucket.hpp"
#include "functions/rollup.hpp"
#include "pg/expanded.hpp"
#include "pg/memory.hpp"
#include "pg/relation.hpp"
#include "pg/scan.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/xid8.h"
}

namespace gravitas::telemetry {

namespace {

// Rollups and deltas that are looked at: beyond them, rows are estimated.
constexpr int most_summaries = 2'000; // some 0.6 us each

// The day of event_20261124; nothing for any other name.
std::optional<TimestampTz> day_of(const char *name)
{
    int year;
    int month;
    int day;
    int length = 0;
    if (sscanf(name, "event_%4d%2d%2d%n", &year, &month, &day, &length) != 3 || name[length] != '\0' || length != 14)
        return std::nullopt;
    return static_cast<TimestampTz>(date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * core::day_us;
}

// From the catalog: a lock on the parent would wait for whoever drops a day.
void find_partitions(Oid parent, EventDays &events)
{
    pg::ContextResource memory(CurrentMemoryContext);
    Relation const catalog = table_open(InheritsRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(parent));
    SysScanDesc const scan = systable_beginscan(catalog, InheritsParentIndexId, true, nullptr, 1, &key);
    for (HeapTuple tuple; HeapTupleIsValid(tuple = systable_getnext(scan));) {
        const Oid table = reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple))->inhrelid;
        const char *const name = get_rel_name(table);
        if (name == nullptr)
            continue;
        if (const std::optional<TimestampTz> day = day_of(name))
            events.days.push_back({table, *day, {}, {}, false}, memory);
        else
            events.others.push_back(table, memory);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    std::sort(events.days.begin(), events.days.end(),
              [](const EventDay &a, const EventDay &b) { return a.start < b.start; });
}

EventDay *find_day(EventDays &events, TimestampTz start)
{
    const auto day = std::lower_bound(events.days.begin(), events.days.end(), start,
                                      [](const EventDay &day, TimestampTz at) { return day.start < at; });
    return day != events.days.end() && day->start == start ? day : nullptr;
}

// ---- What maintenance recorded of closed days ----

struct Record {
    TimestampTz day_start;
    pg::RelationBytes bytes;
    Presence events;
};

// Values of a row by the names of its columns.
class NamedRow {
public:
    NamedRow(TupleTableSlot *slot, Oid table) : slot_(slot), table_(table) {}
    std::optional<std::int64_t> integer(const char *column) // a bigint or a timestamptz
    {
        bool is_null;
        const Datum value = slot_getattr(slot_, get_attnum(table_, column), &is_null);
        return is_null ? std::nullopt : std::optional(DatumGetInt64(value));
    }

private:
    TupleTableSlot *slot_;
    Oid table_;
};

Record record_of(NamedRow row)
{
    Record record = {};
    record.day_start = row.integer("day_start").value_or(0);
    record.bytes = {row.integer("heap_bytes").value_or(0), row.integer("index_bytes").value_or(0),
                    row.integer("toast_bytes").value_or(0)};
    record.events.rows = static_cast<std::uint64_t>(row.integer("row_count").value_or(0));
    record.events.oldest = row.integer("oldest");
    record.events.newest = row.integer("newest");
    return record;
}

// Closed days as they were recorded. compact() forgets the record of a day to which it adds events.
void take_records(EventDays &events, TimestampTz as_of)
{
    ReadableTable records(pg::relation_of("partition_size"));
    if (!records.is_open())
        return;
    pg::scan_table(records.relation(), GetActiveSnapshot(), [&](TupleTableSlot *row) {
        const Record record = record_of({row, RelationGetRelid(records.relation())});
        EventDay *const day = find_day(events, record.day_start);
        if (day == nullptr || day->start + core::day_us > as_of)
            return;
        day->bytes = record.bytes;
        day->events = record.events;
        day->is_recorded = true;
    });
    records.close();
}

// ---- Counting by the rollups ----

core::Occurrence occurrence_in(TupleTableSlot *row, AttrNumber column)
{
    bool is_null;
    core::Occurrence found;
    pg::with_bytes(slot_getattr(row, column, &is_null),
                   [&](std::span<const std::uint8_t> bytes) { found = core::occurrence_of(bytes); });
    return found;
}

// The events of one day; false once too much was looked at.
bool count_compacted(Relation rollups, Oid index, EventDay &day, int &looked_at)
{
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TIMESTAMPTZ_EQ, TimestampTzGetDatum(day.start));
    Presence found;
    pg::scan_index(rollups, index, &key, 1, [&](TupleTableSlot *row) {
        found.add(occurrence_in(row, 4));
        return ++looked_at < most_summaries;
    });
    if (looked_at >= most_summaries)
        return false;
    day.events = found;
    return true;
}

// The days that were not recorded, newest first: by their files and their rollups.
void measure_days(EventDays &events)
{
    ReadableTable rollups(pg::relation_of("rollup_day"));
    const Oid index = rollups.is_open() ? pg::find_btree(rollups.relation(), 1) : InvalidOid;
    int looked_at = 0;
    for (std::size_t i = events.days.size(); i-- > 0;) {
        EventDay &day = events.days[i];
        if (day.is_recorded)
            continue;
        day.bytes = pg::relation_bytes(day.table);
        if (day.bytes.heap == 0) // not a page, so not an event, whatever was measured once
            continue;
        if (!OidIsValid(index) || looked_at >= most_summaries ||
            !count_compacted(rollups.relation(), index, day, looked_at))
            day.events = recorded_estimate(day.table);
    }
    rollups.close();
}

std::optional<FullTransactionId> readable_mark()
{
    ReadableTable compaction(pg::relation_of("compaction"));
    if (!compaction.is_open())
        return std::nullopt;
    const FullTransactionId mark = compaction_mark(compaction.relation());
    compaction.close();
    return mark;
}

// Adds what was not compacted yet; false where that is too much to look at.
bool count_deltas(EventDays &events)
{
    const std::optional<FullTransactionId> mark = readable_mark();
    ReadableTable deltas(pg::relation_of("rollup_delta"));
    const Oid index = mark && deltas.is_open() ? pg::find_btree(deltas.relation(), 1) : InvalidOid;
    int looked_at = 0;
    if (OidIsValid(index)) {
        ScanKeyData key;
        ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_XID8GE, FullTransactionIdGetDatum(*mark));
        pg::scan_index(deltas.relation(), index, &key, 1, [&](TupleTableSlot *row) {
            bool is_null;
            const TimestampTz bucket = DatumGetTimestampTz(slot_getattr(row, 2, &is_null));
            EventDay *const day = find_day(events, core::floor_to(bucket, core::day_us));
            if (day != nullptr && day->bytes.heap > 0)
                day->events.add(occurrence_in(row, 5));
            return ++looked_at < most_summaries;
        });
    }
    deltas.close();
    return OidIsValid(index) && looked_at < most_summaries;
}

} // namespace

EventDays stored_event_days(TimestampTz as_of)
{
    EventDays events;
    find_partitions(pg::relation_of("event"), events);
    take_records(events, as_of);
    measure_days(events);
    if (!count_deltas(events))
        for (EventDay &day : events.days)
            day.events.is_estimate = true;
    return events;
}

} // namespace gravitas::telemetry
