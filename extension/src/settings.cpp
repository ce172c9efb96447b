#include "settings.hpp"

#include <climits>

#include "pg/prelude.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace gravitas::telemetry::settings {

namespace {

int max_series_per_day = 10'000; // read by compact()'s statement
int premake_days = 7;            // read by missing_days()

} // namespace

bool maintenance = true;
int maintenance_interval_s = 60;

// Alphabetical.
void define()
{
    DefineCustomBoolVariable(
        "gravitas_telemetry.maintenance", "Whether maintenance runs by itself.",
        "A write that finds it overdue starts a short background worker. Where this is off, somebody "
        "has to CALL telemetry.maintain().",
        &maintenance, true, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("gravitas_telemetry.maintenance_interval", "Time between two rounds of maintenance.",
                            "Deltas that come faster than that are compacted in between.", &maintenance_interval_s, 60,
                            1, 86'400, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("gravitas_telemetry.max_series_per_day",
                            "Most event types and components that a day's rollups tell apart.",
                            "Components beyond it are summed up under the name (other), so that an application which "
                            "makes up names cannot make every read slow.",
                            &max_series_per_day, 10'000, 1, INT_MAX, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("gravitas_telemetry.premake_days", "Days that maintenance makes ahead of events.",
                            "An event that comes before its day is made is stored with those without a day, and moves "
                            "later.",
                            &premake_days, 7, 0, 366, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("gravitas_telemetry");
}

} // namespace gravitas::telemetry::settings
