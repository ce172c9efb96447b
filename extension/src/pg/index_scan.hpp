// Reading a table by one of its indexes with the caller's snapshot, without a plan.

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

// Calls visit(TupleTableSlot *) for each row that the keys select, in the order of the index or backwards; where visit
// returns a bool, until it returns false.
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
    while (index_getnext_slot(scan, direction, slot)) {
        CHECK_FOR_INTERRUPTS();
        if constexpr (std::is_same_v<bool, std::invoke_result_t<Visit, TupleTableSlot *>>) {
            if (!visit(slot))
                break;
        } else {
            visit(slot);
        }
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(index, NoLock);
}

} // namespace gravitas::telemetry::pg
