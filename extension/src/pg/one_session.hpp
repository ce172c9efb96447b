// What one session does at a time, and writes in snapshots of its own.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// Raises an error, which names the command, where the transaction may not write, as on a replica, or looks through one
// snapshot at all times, and would write what it does not see others write.
void refuse_unless_writing(const char *command);

// The same; then locks the table for this session alone, until its transaction ends. False where another session has
// it.
bool lock_for_one_session(const char *table, const char *command);

} // namespace gravitas::telemetry::pg
