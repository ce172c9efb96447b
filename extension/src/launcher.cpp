// The launcher, for those who preload the library: maintenance that is punctual also where nobody writes. It is
// connected to no database, so it keeps none from being dropped or copied.

#include "pg/boundary.hpp"
#include "settings.hpp"
#include "worker.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_database.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/wait_event.h"
}

namespace gravitas::telemetry::worker {

namespace {

bool is_registered = false;

struct Databases {
    Oid *ids;
    int count;
};

// Those that can be connected to; templates are left alone, since they can only be copied while nobody is connected.
Databases connectable_databases(MemoryContext context)
{
    constexpr int invalid = -2; // of datconnlimit: DROP DATABASE was interrupted
    Databases found = {nullptr, 0};
    int room = 0;
    StartTransactionCommand();
    Relation const table = table_open(DatabaseRelationId, AccessShareLock);
    TableScanDesc const scan = table_beginscan_catalog(table, 0, nullptr);
    while (HeapTuple const tuple = heap_getnext(scan, ForwardScanDirection)) {
        const auto *const database = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
        if (!database->datallowconn || database->datistemplate || database->datconnlimit == invalid)
            continue;
        if (found.count == room) {
            room = room == 0 ? 16 : 2 * room;
            const std::size_t size = sizeof(Oid) * room;
            found.ids = static_cast<Oid *>(found.ids == nullptr ? MemoryContextAlloc(context, size)
                                                                : repalloc(found.ids, size));
        }
        found.ids[found.count++] = database->oid;
    }
    table_endscan(scan);
    table_close(table, AccessShareLock);
    CommitTransactionCommand();
    return found;
}

void reload_if_asked()
{
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

// One after the other, for as long as there is a free slot.
void visit_databases(MemoryContext context)
{
    const Databases databases = connectable_databases(context);
    for (int i = 0; i < databases.count; ++i) {
        reload_if_asked();
        BackgroundWorkerHandle *handle = nullptr;
        if (!settings::maintenance || !start_probe(databases.ids[i], &handle))
            break;
        if (WaitForBackgroundWorkerShutdown(handle) == BGWH_POSTMASTER_DIED)
            proc_exit(1);
        pfree(handle);
    }
    MemoryContextReset(context);
}

// Until the next round is due, by the interval as it is then: a reload may change it.
void wait_for_round(TimestampTz last)
{
    for (;;) {
        reload_if_asked();
        const TimestampTz next = last + settings::maintenance_interval_s * std::int64_t{1'000'000};
        const TimestampTz now = GetCurrentTimestamp();
        if (now >= next || now < last)
            return;
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                        TimestampDifferenceMilliseconds(now, next), PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
    }
}

void launch()
{
    MemoryContext const context =
        AllocSetContextCreate(TopMemoryContext, "telemetry launcher round", ALLOCSET_DEFAULT_SIZES);
    for (;;) {
        const TimestampTz started = GetCurrentTimestamp();
        if (settings::maintenance)
            visit_databases(context);
        wait_for_round(started);
    }
}

} // namespace

void register_launcher()
{
    BackgroundWorker worker = {};
    strlcpy(worker.bgw_name, launcher_type, sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, launcher_type, sizeof worker.bgw_type);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_DEFAULT_RESTART_INTERVAL;
    strlcpy(worker.bgw_library_name, "gravitas_telemetry", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "telemetry_launcher_main", sizeof worker.bgw_function_name);
    RegisterBackgroundWorker(&worker);
    is_registered = true;
}

bool is_preloaded() { return is_registered; }

} // namespace gravitas::telemetry::worker

using namespace gravitas::telemetry;

extern "C" {
PGDLLEXPORT void telemetry_launcher_main(Datum);
void telemetry_launcher_main(Datum)
{
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    (void)pg::entry([] {
        worker::launch();
        return Datum{0};
    });
}
}
