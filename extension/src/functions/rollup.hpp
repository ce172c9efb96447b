// What functions about rollups share: the names under which event types and components stand in them, and windows.

#pragma once

#include "core/time_bucket.hpp"
#include "pg/prelude.hpp"

extern "C" {
#include "access/transam.h"
}

namespace gravitas::telemetry {

// `name`, or where it is longer than a key may be, its beginning and a hash of all of it.
text *rollup_key(text *name);

// Deltas of transactions before it are compacted; of table compaction, with the active snapshot.
FullTransactionId compaction_mark(Relation compaction);

// Arguments 0 and 1, neither NULL, as a window. Throws Error (22023) where they make none.
core::Window window_arguments(FunctionCallInfo fcinfo);

} // namespace gravitas::telemetry
