#include "functions/presence.hpp"

#include "pg/scan.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "utils/syscache.h"
}

namespace gravitas::telemetry {

namespace {

constexpr BlockNumber small_table_pages = 32; // some 0.2 ms

Presence count(Relation table, AttrNumber time)
{
    Presence found;
    pg::scan_table(table, GetActiveSnapshot(), [&](TupleTableSlot *row) {
        bool is_null;
        const TimestampTz at = DatumGetTimestampTz(slot_getattr(row, time, &is_null));
        found.add({1, at, at});
    });
    return found;
}

std::optional<TimestampTz> end_of_index(Relation table, Oid index, AttrNumber time, ScanDirection direction)
{
    std::optional<TimestampTz> end;
    pg::scan_index(
        table, index, nullptr, 0,
        [&](TupleTableSlot *row) {
            bool is_null;
            end = DatumGetTimestampTz(slot_getattr(row, time, &is_null));
            return false;
        },
        direction);
    return end;
}

Presence estimate(Relation table, AttrNumber time)
{
    Presence found;
    BlockNumber pages;
    double rows;
    double visible_share;
    estimate_rel_size(table, nullptr, &pages, &rows, &visible_share);
    found.rows = static_cast<std::uint64_t>(rows);
    found.is_estimate = true;
    const Oid index = pg::find_btree(table, time);
    if (!OidIsValid(index))
        return found;
    found.oldest = end_of_index(table, index, time, ForwardScanDirection);
    found.newest = end_of_index(table, index, time, BackwardScanDirection);
    return found;
}

} // namespace

ReadableTable::ReadableTable(Oid id)
{
    if (!OidIsValid(id) || !ConditionalLockRelationOid(id, AccessShareLock))
        return;
    relation_ = try_table_open(id, NoLock);
    // A partition of the user's may be a foreign table, or partitioned itself.
    if (relation_ != nullptr && (relation_->rd_rel->relkind != RELKIND_RELATION || !pg::may_read_plainly(relation_))) {
        table_close(relation_, NoLock);
        relation_ = nullptr;
    }
    if (relation_ == nullptr)
        UnlockRelationOid(id, AccessShareLock);
}

// The lock goes, too: whoever asks for the footprint within a long transaction keeps nobody waiting.
void ReadableTable::close()
{
    if (relation_ != nullptr)
        table_close(relation_, AccessShareLock);
    relation_ = nullptr;
}

Presence presence_in(Oid id, const char *time_column)
{
    ReadableTable table(id);
    if (!table.is_open())
        return recorded_estimate(id);
    const AttrNumber time = get_attnum(id, time_column);
    const bool is_small = RelationGetNumberOfBlocks(table.relation()) <= small_table_pages;
    const Presence found = is_small ? count(table.relation(), time) : estimate(table.relation(), time);
    table.close();
    return found;
}

Presence recorded_estimate(Oid table)
{
    Presence found;
    found.is_estimate = true;
    HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (HeapTupleIsValid(tuple)) {
        const float4 rows = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
        found.rows = rows > 0 ? static_cast<std::uint64_t>(rows) : 0; // -1: never counted
        ReleaseSysCache(tuple);
    }
    return found;
}

} // namespace gravitas::telemetry
