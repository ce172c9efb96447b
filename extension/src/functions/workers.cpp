// workers(): whether background workers are to be had, and the launcher among them.

#include "functions/maintenance_step.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/row.hpp"
#include "worker.hpp"

extern "C" {
#include "miscadmin.h"
#include "utils/backend_status.h"
}

using namespace gravitas::telemetry;

namespace {

struct Workers {
    int running = 0;
    bool has_launcher = false;
};

// Anybody may know: pg_stat_activity shows it to some.
Workers running_workers()
{
    Workers found;
    const int backends = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= backends; ++i) {
#if PG_VERSION_NUM >= 160000
        const LocalPgBackendStatus *const local = pgstat_get_local_beentry_by_index(i);
#else
        const LocalPgBackendStatus *const local = pgstat_fetch_stat_local_beentry(i);
#endif
        if (local == nullptr || local->backendStatus.st_backendType != B_BG_WORKER)
            continue;
        const char *const type = GetBackgroundWorkerTypeByPid(local->backendStatus.st_procpid);
        found.running += 1;
        found.has_launcher |= type != nullptr && strcmp(type, worker::launcher_type) == 0;
    }
    return found;
}

} // namespace

// workers() → (is_preloaded, has_launcher, slots, free_slots, owner_may_connect)
TELEMETRY_FUNCTION(workers)
{
    const Workers workers = running_workers();
    return pg::row_of(fcinfo, {BoolGetDatum(worker::is_preloaded()), BoolGetDatum(workers.has_launcher),
                               Int32GetDatum(max_worker_processes),
                               Int32GetDatum(Max(max_worker_processes - workers.running, 0)),
                               BoolGetDatum(worker::may_connect(schema_owner()))});
}
