#include "pg/brief_lock.hpp"

#include "pg/subtransaction.hpp"

extern "C" {
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/wait_event.h"
}

namespace gravitas::telemetry::pg {

namespace {

constexpr int attempts = 5;
constexpr long pause_ms = 100;

void pause()
{
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause_ms, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

} // namespace

void lock_briefly(std::initializer_list<Oid> tables, LOCKMODE mode)
{
    const auto lock_all = [&] {
        for (const Oid table : tables)
            LockRelationOid(table, mode);
    };
    for (int attempt = 1; attempt < attempts && LockTimeout > 0; ++attempt) {
        const auto may_go_on = [](const ErrorData &error) { return error.sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE; };
        if (pg::attempt(lock_all, may_go_on) == nullptr)
            return;
        pause();
    }
    lock_all();
}

} // namespace gravitas::telemetry::pg
