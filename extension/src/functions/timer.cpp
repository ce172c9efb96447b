// start_timer(), measure_latency(): elapsed time by the monotonic clock.

#include <chrono>

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;

namespace {

std::int64_t monotonic_ns() noexcept
{
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

} // namespace

// start_timer() → nanoseconds of the server's monotonic clock
TELEMETRY_FUNCTION(start_timer) { PG_RETURN_INT64(monotonic_ns()); }

// measure_latency(start) → seconds since start_timer() returned `start`
TELEMETRY_FUNCTION(measure_latency)
{
    pg::require(fcinfo, 0, "start");
    const std::int64_t start = PG_GETARG_INT64(0);
    const std::int64_t now = monotonic_ns();
    if (start < 0 || start > now)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "\"" + std::to_string(start) + "\" is not a start that start_timer() returned here",
                          "Take the start from telemetry.start_timer() on the same server since it booted.");
    PG_RETURN_FLOAT8(static_cast<double>(now - start) / 1e9);
}
