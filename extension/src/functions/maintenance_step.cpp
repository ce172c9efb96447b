#include "functions/maintenance_step.hpp"

#include "pg/one_session.hpp"
#include "pg/relation.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace gravitas::telemetry {

namespace {

constexpr LOCKMODE one_at_a_time = ShareUpdateExclusiveLock;

void set(const char *setting, const char *value)
{
    (void)set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

bool may_commit(FunctionCallInfo fcinfo)
{
    return fcinfo->context != nullptr && IsA(fcinfo->context, CallContext) &&
           !castNode(CallContext, fcinfo->context)->atomic;
}

LockRelId maintenance_lock() { return {pg::relation_of("maintenance_lock"), MyDatabaseId}; }

} // namespace

Oid schema_owner()
{
    const Oid schema = get_namespace_oid("telemetry", false);
    HeapTuple const tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for schema %u", schema);
    const Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
    ReleaseSysCache(tuple);
    return owner;
}

void refuse_in_transaction(FunctionCallInfo fcinfo, const char *name)
{
    if (!may_commit(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                        errmsg("%s cannot run inside of a transaction block or a function", name),
                        errhint("It commits after each step: CALL it by itself.")));
    pg::refuse_unless_writing(name);
}

bool lock_maintenance()
{
    LockRelId lock = maintenance_lock();
    if (!ConditionalLockRelationOid(lock.relId, one_at_a_time))
        return false;
    LockRelationIdForSession(&lock, one_at_a_time);
    return true;
}

void unlock_maintenance()
{
    LockRelId lock = maintenance_lock();
    UnlockRelationIdForSession(&lock, one_at_a_time);
}

bool is_maintained_now()
{
    const LockRelId lock = maintenance_lock();
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, lock.dbId, lock.relId);
    int holders = 0;
    (void)GetLockConflicts(&tag, one_at_a_time, &holders);
    return holders > 0;
}

SchemaOwner::SchemaOwner()
{
    const Oid owner = schema_owner();
    GetUserIdAndSecContext(&user_, &security_context_);
    settings_ = NewGUCNestLevel();
    SetUserIdAndSecContext(owner, security_context_ | SECURITY_LOCAL_USERID_CHANGE);
    set("search_path", "pg_catalog, pg_temp");
    set("datestyle", "ISO, YMD");
    set("timezone", "UTC");
    set("lock_timeout", "50ms");
    set("jit", "off");
    PushActiveSnapshot(GetTransactionSnapshot()); // for SQL in a worker, where there is no portal that has one
}

void SchemaOwner::restore()
{
    PopActiveSnapshot();
    AtEOXact_GUC(true, settings_);
    SetUserIdAndSecContext(user_, security_context_);
}

MaintenanceStep::MaintenanceStep(const char *name)
    : name_(name), started_at_(GetCurrentTimestamp()), memory_(CurrentMemoryContext)
{
}

bool MaintenanceStep::may_go_on(const ErrorData &error) noexcept
{
    return error.sqlerrcode != ERRCODE_QUERY_CANCELED && error.sqlerrcode != ERRCODE_ADMIN_SHUTDOWN;
}

void MaintenanceStep::show(const char *activity) const
{
    char text[200];
    snprintf(text, sizeof text, "telemetry maintenance: %s", activity);
    pgstat_report_activity(STATE_RUNNING, text);
}

void MaintenanceStep::finish(const char *result)
{
    const double duration_ms = static_cast<double>(GetCurrentTimestamp() - started_at_) / 1000;
    const ErrorData *const failed = run("logging", [&] {
        static pg::PreparedStatement<6> statement{
            "INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, sqlstate, error)"
            " SELECT $1, $2, $3, $4, $5, $6 WHERE $4 IS NOT NULL OR $5 IS NOT NULL"
            " OR (SELECT l.sqlstate IS NOT NULL FROM telemetry.maintenance_log AS l WHERE l.step "
            "OPERATOR(pg_catalog.=) $1"
            " ORDER BY l.started_at DESC LIMIT 1)",
            {TEXTOID, TIMESTAMPTZOID, FLOAT8OID, TEXTOID, TEXTOID, TEXTOID}};
        statement.execute({CStringGetTextDatum(name_), TimestampTzGetDatum(started_at_), Float8GetDatum(duration_ms),
                           result == nullptr ? Datum{0} : CStringGetTextDatum(result),
                           error_ == nullptr ? Datum{0} : CStringGetTextDatum(unpack_sql_state(error_->sqlerrcode)),
                           error_ == nullptr ? Datum{0} : CStringGetTextDatum(error_->message)},
                          {false, false, false, result == nullptr, error_ == nullptr, error_ == nullptr},
                          SPI_OK_INSERT);
    });
    if (failed == nullptr)
        return;
    if (failed->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
        ReThrowError(const_cast<ErrorData *>(failed));
    // The extension is being dropped, say. What was done is done all the same.
    ereport(WARNING,
            (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
             errmsg("step \"%s\" of maintenance is not in telemetry.maintenance_log, which is locked", name_)));
}

} // namespace gravitas::telemetry
