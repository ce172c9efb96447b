// Locks that others must not be kept waiting for.

#pragma once

#include <initializer_list>

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// Takes these locks, all or none. Whoever comes after one that waits for such a lock waits, too: with a lock_timeout
// each attempt is that short, and there are several of them with pauses in between, in which the others go on. The last
// one raises 55P03.
void lock_briefly(std::initializer_list<Oid> tables, LOCKMODE mode);

} // namespace gravitas::telemetry::pg
