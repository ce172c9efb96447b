// The days that events are stored in.

#pragma once

#include "core/time_bucket.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// Waits while the day of `at` is being made. Without it, an insert that was routed to the default partition before the
// day was attached would fail after it. Whoever finds the day made waits for nobody.
void settle_partition(core::Microseconds at);

} // namespace gravitas::telemetry
