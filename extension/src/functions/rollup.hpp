// The names under which event types and components stand in the rollups.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// `name`, or where it is longer than a key may be, its beginning and a hash of all of it.
text *rollup_key(text *name);

} // namespace gravitas::telemetry
