// Reading a table, or a part of it by one of its indexes, without a plan.

#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "access/genam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace gravitas::telemetry::pg {

// Whether reading a table so leaves out no rule: the current user may read all of it, and no row security is in
// between.
bool may_read_plainly(Relation table);

// A valid B-tree index of the table whose first column is this one; InvalidOid where there is none.
Oid find_btree(Relation table, AttrNumber column);

// Calls visit(row); whether to go on, which a visit that returns nothing always does.
template <typename Visit>
bool visits_on(Visit &visit, TupleTableSlot *row)
{
    if constexpr (std::is_same_v<bool, std::invoke_result_t<Visit, TupleTableSlot *>>)
        return visit(row);
    else
        visit(row);
    return true;
}

// Calls visit(TupleTableSlot *) for each row that the snapshot sees, in no order, and for no more once it returned
// false.
template <typename Visit>
void scan_table(Relation table, Snapshot snapshot, Visit visit)
{
    TupleTableSlot *const slot = table_slot_create(table, nullptr);
    TableScanDesc const scan = table_beginscan(table, snapshot, 0, nullptr);
    while (table_scan_getnextslot(scan, ForwardScanDirection, slot) && visits_on(visit, slot))
        CHECK_FOR_INTERRUPTS();
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
}

// The same for the rows that the keys select, as the active snapshot sees them, in the order of the index or backwards.
template <typename Visit>
void scan_index(Relation table, Oid index_id, ScanKeyData *keys, int key_count, Visit visit,
                ScanDirection direction = ForwardScanDirection)
{
    Relation const index = index_open(index_id, AccessShareLock);
    TupleTableSlot *const slot = table_slot_create(table, nullptr);
#if PG_VERSION_NUM >= 180000
    IndexScanDesc const scan = index_beginscan(table, index, GetActiveSnapshot(), nullptr, key_count, 0);
#else
    IndexScanDesc const scan = index_beginscan(table, index, GetActiveSnapshot(), key_count, 0);
#endif
    index_rescan(scan, keys, key_count, nullptr, 0);
    while (index_getnext_slot(scan, direction, slot) && visits_on(visit, slot))
        CHECK_FOR_INTERRUPTS();
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, NoLock);
}

} // namespace gravitas::telemetry::pg
