// Since when tables are complete: what retention has removed, reads must not look for.

#pragma once

#include "core/time_bucket.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// The time before which rows of this table may have been removed; DT_NOBEGIN where none were. Asks with the active
// snapshot, in which the rows and this time go together.
TimestampTz expired_before(const char *table);

// The same of the rollups.
core::Horizons rollup_horizons();

// Remembers, and never forgets, that rows of the table before this time are about to be removed. Inside with_spi().
void expire_before(const char *table, TimestampTz time);

} // namespace gravitas::telemetry
