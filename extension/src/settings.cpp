#include "settings.hpp"

#include <climits>

#include "pg/prelude.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace gravitas::telemetry::settings {

namespace {

int max_series_per_day = 10'000; // read by compact()'s statement

} // namespace

// Alphabetical.
void define()
{
    DefineCustomIntVariable("gravitas_telemetry.max_series_per_day",
                            "Most event types and components that a day's rollups tell apart.",
                            "Components beyond it are summed up under the name (other), so that an application which "
                            "makes up names cannot make every read slow.",
                            &max_series_per_day, 10'000, 1, INT_MAX, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("gravitas_telemetry");
}

} // namespace gravitas::telemetry::settings
