// The proof that what is removed stays in the statistics, and what is kept for want of it or for another reason.

#pragma once

#include "functions/retention.hpp"

namespace gravitas::telemetry {

struct Proof {
    std::int64_t rows;
    std::int64_t missing;
};

// Counts the events of these whole days, and those of them that the rollups lack. Inside with_spi().
Proof prove(TimestampTz from, TimestampTz to);

// One pass over what is to be removed.
struct RetentionPass {
    MaintenanceStep &step;
    TimestampTz as_of;
    bool is_asked_for;
    Removed removed = {};
    List *kept = NIL; // names of what could not be removed
};

// Why the rollups keep something from being removed.
struct Shortfall {
    bool is_missing = false;
    bool is_known = false; // without another proof
    std::int64_t rollup_events = 0;
};

// Raises an error where the rollups lack events of these whole days. How many events there are.
std::int64_t require_rollups(const RetentionPass &pass, const char *partition, TimestampTz from, TimestampTz to,
                             Shortfall &shortfall);

// Notes what could not be removed, and why; between the parts of the step.
void keep(RetentionPass &pass, const char *partition, const Shortfall &shortfall, const ErrorData &error);

// Forgets what was noted and was not kept by this pass: it is gone, or its time is not over any more.
void forget_old_delays(RetentionPass &pass);

} // namespace gravitas::telemetry
