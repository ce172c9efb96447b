// The days that events are stored in.

#pragma once

#include "core/time_bucket.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// Makes the partition of the UTC day that begins at `start` and moves its events there; nothing where it exists.
// Inside with_spi(). Raises 55P03 where lock_timeout ends the wait for a lock.
void make_day(core::Microseconds start);

// Whoever makes, drops or grants rights on days takes this lock before any other on them, so that one does at a time
// and none waits for the other with what that one needs.
void lock_days();

} // namespace gravitas::telemetry
