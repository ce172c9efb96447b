// A round of maintenance.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// Inside with_committing_spi(), with the lock of maintenance. A failing step is logged and stops no other.
void maintain(TimestampTz as_of);

// The compaction alone, for when deltas come faster than rounds.
void maintain_deltas();

// When the last round, or compaction of a worker, ended, as of now, whatever the caller's snapshot; no times where
// there was none.
struct LastMaintenance {
    std::optional<TimestampTz> started_at; // of the last round
    std::optional<TimestampTz> finished_at;
    bool has_failed = false;
};
// Nothing where that would have to wait for a lock, or the extension is gone.
std::optional<LastMaintenance> last_maintenance();

} // namespace gravitas::telemetry
