// The arguments that the get_* functions share: how far back, and how many.

#include "functions/retention_horizon.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/row.hpp"

using namespace gravitas::telemetry;

namespace {

constexpr std::int32_t max_hours = 24 * 366 * 100;
constexpr std::int32_t max_limit = 1'000'000;
constexpr std::int64_t max_steps = 10'000;

} // namespace

// reading_window(hours, as_of) → (window_start, window_end): the last `hours`, widened to whole buckets
TELEMETRY_FUNCTION(reading_window)
{
    const std::int32_t hours = pg::int4_between(fcinfo, 0, "hours", 1, max_hours, "Try hours => 24.");
    const TimestampTz as_of = pg::finite_time(fcinfo, 1, "as_of"); // so that no bucket start overflows

    const core::Window window = core::readable(core::window_before(as_of, hours), rollup_horizons());
    return pg::row_of(fcinfo, {TimestampTzGetDatum(window.start), TimestampTzGetDatum(window.end)});
}

// row_limit("limit") → the same number, where it is a sensible number of rows to ask for
TELEMETRY_FUNCTION(row_limit)
{
    PG_RETURN_INT64(pg::int4_between(fcinfo, 0, "limit", 1, max_limit, "Try \"limit\" => 10."));
}

// trend_step(step, hours) → minutes
TELEMETRY_FUNCTION(trend_step)
{
    pg::require(fcinfo, 0, "step");
    const Interval &step = *PG_GETARG_INTERVAL_P(0);
    const std::int32_t hours = pg::int4_between(fcinfo, 1, "hours", 1, max_hours, "Try hours => 24.");
    const bool is_short = step.day >= 0 && step.day <= 1 && step.time >= 0 && step.time <= core::day_us;
    const std::int64_t step_us = is_short ? step.time + step.day * core::day_us : 0;
    const std::int64_t minutes = step_us / core::minute_us;
    const bool fills_hours = minutes > 0 && 60 % minutes == 0;
    const bool fills_days = minutes >= 60 && minutes % 60 == 0 && 1440 % minutes == 0;
    if (step.month != 0 || step_us % core::minute_us != 0 || !(fills_hours || fills_days))
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "step must divide an hour or a day into whole minutes",
                          "Try step => '5 minutes', '1 hour', or '1 day'.");
    if (hours * 60 / minutes > max_steps)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "\"" + std::to_string(hours * 60 / minutes) + "\" steps are more than a trend may have, " +
                              std::to_string(max_steps),
                          "Take a longer step or fewer hours.");
    PG_RETURN_INT32(static_cast<std::int32_t>(minutes));
}
