// Going on after an error of Postgres.

#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace gravitas::telemetry::pg {

// Runs `body`, which may ereport and may throw core::Error, in a subtransaction: committed where it succeeds, rolled
// back where it does not. The error of Postgres that stopped it where `can_go_on` says so, nullptr where nothing did;
// any other error is raised again. No destructor may be pending inside of `body` across a call that may ereport.
template <typename Body, typename CanGoOn>
ErrorData *attempt(Body &&body, CanGoOn can_go_on)
{
    MemoryContext const caller = CurrentMemoryContext;
    ResourceOwner const owner = CurrentResourceOwner;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(caller);

    ErrorData *failed = nullptr;
    try {
        // An exception must not leave call(): what it says is raised inside, as an error of Postgres. An error that
        // left the subtransaction open would end no transaction: whatever comes next in the session would fail.
        call(
            [&]() noexcept {
                entry([&]() -> Datum {
                    body();
                    return Datum{0};
                });
                ReleaseCurrentSubTransaction();
            },
            [] { RollbackAndReleaseCurrentSubTransaction(); });
    } catch (const PostgresError &error) {
        failed = error.data();
    }
    MemoryContextSwitchTo(caller);
    CurrentResourceOwner = owner;
    if (failed != nullptr && !can_go_on(*failed))
        ReThrowError(failed);
    return failed;
}

} // namespace gravitas::telemetry::pg
