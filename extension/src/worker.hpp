// Background workers, all of them short: they connect to one database, run maintenance there and exit.

#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace gravitas::telemetry::worker {

// Whether a worker can connect as this role: before PostgreSQL 17 it logs in as anybody does.
bool may_connect(Oid role);

// Starts a worker that maintains a database as this role, the owner of its schema telemetry. With a handle the caller
// is told of its end, and frees it. False where no worker slot is free, or the role cannot log in.
bool start_as_owner(Oid database, Oid owner, BackgroundWorkerHandle **handle);

// Starts a worker that looks whether a database has the extension and maintenance is due, and sees to it.
bool start_probe(Oid database, BackgroundWorkerHandle **handle);

// At server start, from shared_preload_libraries: the launcher, which starts a probe for each database now and then.
void register_launcher();
inline constexpr char launcher_type[] = "telemetry launcher";
bool is_preloaded(); // whether there is one, or would be

} // namespace gravitas::telemetry::worker
