#include "pg/table_appender.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/pg_class_d.h"
#include "utils/acl.h"
#include "utils/rls.h"
}

namespace gravitas::telemetry::pg {

namespace {

bool has_generated_column(TupleDesc columns) noexcept
{
    for (int i = 0; i < columns->natts; ++i) {
        const FormData_pg_attribute &column = *TupleDescAttr(columns, i);
        if (!column.attisdropped && (column.attgenerated != '\0' || column.attidentity != '\0'))
            return true;
    }
    return false;
}

void insert_index_entries(ResultRelInfo *target, TupleTableSlot *row, EState *executor)
{
    if (target->ri_NumIndices == 0)
        return;
#if PG_VERSION_NUM >= 160000
    List *const recheck = ExecInsertIndexTuples(target, row, executor, false, false, nullptr, NIL, false);
#else
    List *const recheck = ExecInsertIndexTuples(target, row, executor, false, false, nullptr, NIL);
#endif
    list_free(recheck); // of deferred constraints, which come with triggers: there are none
}

} // namespace

bool is_plain_table(Relation table) noexcept
{
    const char kind = table->rd_rel->relkind;
    return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) && table->trigdesc == nullptr &&
           table->rd_rules == nullptr && !has_generated_column(RelationGetDescr(table));
}

bool may_insert_plainly(Relation table)
{
    const Oid id = RelationGetRelid(table);
    return pg_class_aclcheck(id, GetUserId(), ACL_INSERT) == ACLCHECK_OK &&
           check_enable_rls(id, InvalidOid, true) != RLS_ENABLED;
}

void refuse_if_read_only()
{
    PreventCommandIfReadOnly("INSERT");
    PreventCommandIfParallelMode("INSERT");
}

TableAppender::TableAppender(Relation table) : executor_(CreateExecutorState())
{
    MemoryContext const caller = MemoryContextSwitchTo(executor_->es_query_cxt);
    target_ = makeNode(ResultRelInfo);
    // Not in a range table: nothing that would look there is ever asked.
    InitResultRelInfo(target_, table, 0, nullptr, 0);
    ExecOpenIndices(target_, false);
    MemoryContextSwitchTo(caller);
}

TupleTableSlot *TableAppender::next_row()
{
    if (filled_ == most_rows)
        store();
    if (filled_ == made_) {
        MemoryContext const caller = MemoryContextSwitchTo(executor_->es_query_cxt);
        rows_[made_++] = table_slot_create(target_->ri_RelationDesc, &executor_->es_tupleTable);
        MemoryContextSwitchTo(caller);
    }
    return ExecClearTuple(rows_[filled_++]);
}

void TableAppender::store()
{
    Relation const table = target_->ri_RelationDesc;
    MemoryContext const caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(executor_));
    for (int i = 0; i < filled_; ++i) {
        ExecStoreVirtualTuple(rows_[i]);
        if (RelationGetDescr(table)->constr != nullptr)
            ExecConstraints(target_, rows_[i], executor_);
    }
    const CommandId command = GetCurrentCommandId(true);
    if (filled_ == 1)
        table_tuple_insert(table, rows_[0], command, 0, nullptr);
    else
        table_multi_insert(table, rows_, filled_, command, 0, nullptr);
    for (int i = 0; i < filled_; ++i)
        insert_index_entries(target_, rows_[i], executor_);
    MemoryContextSwitchTo(caller);
    ResetPerTupleExprContext(executor_);
    filled_ = 0;
}

void TableAppender::finish()
{
    if (filled_ > 0)
        store();
    ExecCloseIndices(target_);
    ExecResetTupleTable(executor_->es_tupleTable, false);
    FreeExecutorState(executor_);
}

} // namespace gravitas::telemetry::pg
