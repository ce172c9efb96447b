// Removing what is older than its retention.

#pragma once

#include "functions/maintenance_step.hpp"

namespace gravitas::telemetry {

struct Removed {
    std::int64_t days = 0;
    std::int64_t rows = 0;
    std::int64_t bytes = 0;     // of dropped days
    std::int64_t kept_days = 0; // whose time is over, but which are in use, or not in the rollups
};

// Days of events, one in a transaction, and rows of other tables, some thousands in a transaction. Whether the rollups
// hold a day that they did not hold the last time is looked at again when somebody asks for it, and else now and then.
Removed remove_expired_events(MaintenanceStep &step, TimestampTz as_of, bool is_asked_for);
std::int64_t remove_expired_rows(MaintenanceStep &step, TimestampTz as_of);

// Producers whose batches are refused as too old before they could be taken for new.
std::int64_t forget_producers(MaintenanceStep &step, TimestampTz as_of);

} // namespace gravitas::telemetry
