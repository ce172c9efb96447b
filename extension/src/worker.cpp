#include "worker.hpp"

#include "functions/maintenance.hpp"
#include "functions/maintenance_step.hpp"
#include "functions/overdue.hpp"
#include "pg/boundary.hpp"
#include "pg/relation.hpp"
#include "settings.hpp"

extern "C" {
#include "catalog/pg_authid.h"
#include "commands/extension.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/syscache.h"
}

namespace gravitas::telemetry::worker {

namespace {

#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
constexpr std::uint32_t owner_connection = BGWORKER_BYPASS_ROLELOGINCHECK;
#else
constexpr std::uint32_t owner_connection = 0;
#endif

// As this role, or InvalidOid: as the bootstrap superuser.
bool start(const char *name, Oid database, Oid role, BackgroundWorkerHandle **handle)
{
    BackgroundWorker worker = {};
    strlcpy(worker.bgw_name, name, sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, name, sizeof worker.bgw_type);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "gravitas_telemetry", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "telemetry_worker_main", sizeof worker.bgw_function_name);
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    memcpy(worker.bgw_extra, &role, sizeof role);
    worker.bgw_notify_pid = handle == nullptr ? 0 : MyProcPid;
    MemoryContext const before = MemoryContextSwitchTo(TopMemoryContext); // the handle is used after the transaction
    const bool is_started = RegisterDynamicBackgroundWorker(&worker, handle);
    MemoryContextSwitchTo(before);
    return is_started;
}

bool is_installed()
{
    return OidIsValid(get_extension_oid("gravitas_telemetry", true)) &&
           OidIsValid(get_namespace_oid("telemetry", true)) && OidIsValid(pg::relation_of("maintenance_lock"));
}

// Whatever was set for the database or the role.
void choose_settings()
{
    SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_OVERRIDE);
    SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_OVERRIDE);
}

void maintain_here()
{
    if (!is_installed() || !settings::maintenance)
        return;
    with_committing_spi([] {
        if (!lock_maintenance())
            return; // somebody was quicker
        // It may have been dropped just before.
        const Due due = is_installed() ? maintenance_due() : Due::nothing;
        if (due == Due::round)
            maintain(GetCurrentTimestamp());
        else if (due == Due::compaction)
            maintain_deltas();
        unlock_maintenance();
    });
}

// As the superuser it reads catalogs and nothing else; what runs SQL is a worker of the owner's.
void probe_here(BackgroundWorkerHandle **handle)
{
    if (is_installed() && settings::maintenance && idle_maintenance_due() != Due::nothing && !is_maintained_now() &&
        !start_as_owner(MyDatabaseId, schema_owner(), handle))
        *handle = nullptr;
}

void run(Oid role)
{
    BackgroundWorkerHandle *handle = nullptr;
    // Where SPI keeps what outlives a commit: there is no portal here.
    PortalContext = AllocSetContextCreate(TopMemoryContext, "telemetry maintenance", ALLOCSET_DEFAULT_SIZES);
    StartTransactionCommand();
    if (OidIsValid(role))
        maintain_here();
    else
        probe_here(&handle);
    CommitTransactionCommand();
    if (handle != nullptr)
        WaitForBackgroundWorkerShutdown(handle); // so that one database at a time is busy
}

} // namespace

bool may_connect(Oid role)
{
    HeapTuple const tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
    if (!HeapTupleIsValid(tuple))
        return false;
    const bool may = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolcanlogin || owner_connection != 0;
    ReleaseSysCache(tuple);
    return may;
}

bool start_as_owner(Oid database, Oid owner, BackgroundWorkerHandle **handle)
{
    return may_connect(owner) && start("telemetry maintenance", database, owner, handle);
}

bool start_probe(Oid database, BackgroundWorkerHandle **handle)
{
    return start("telemetry maintenance probe", database, InvalidOid, handle);
}

} // namespace gravitas::telemetry::worker

using namespace gravitas::telemetry;

extern "C" {
// Of workers for one database, which bgw_main_arg names; the role is in bgw_extra.
PGDLLEXPORT void telemetry_worker_main(Datum database);
void telemetry_worker_main(Datum database)
{
    Oid role;
    memcpy(&role, MyBgworkerEntry->bgw_extra, sizeof role);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), role,
                                              OidIsValid(role) ? worker::owner_connection : 0);
    worker::choose_settings();
    (void)pg::entry([role] {
        worker::run(role);
        return Datum{0};
    });
}
}
