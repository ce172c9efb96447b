// When maintenance is due, and who notices.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry {

enum class Due {
    nothing,
    compaction, // deltas came faster than rounds of maintenance
    round,
};

// By the wall clock, for whoever is connected to a database with the extension.
Due maintenance_due();

// The same where nobody writes: then rounds are rare.
Due idle_maintenance_due();

// Called by whoever has appended deltas: looks seldom, and starts a worker where maintenance is overdue. Raises no
// error and waits for nobody.
void notice_deltas(std::size_t count);

} // namespace gravitas::telemetry
