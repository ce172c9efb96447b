// Points in time and the buckets they fall in. Everything is UTC: microseconds since 2000-01-01 00:00:00 UTC, which is
// what a Postgres timestamptz holds.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace gravitas::telemetry::core {

using Microseconds = std::int64_t;

// A time in µs since 1970-01-01, as clients count; saturates at the ends.
constexpr Microseconds from_unix_time(std::int64_t microseconds_since_1970) noexcept
{
    constexpr Microseconds epoch = -946'684'800'000'000; // 1970-01-01
    constexpr Microseconds least = std::numeric_limits<Microseconds>::min();
    return microseconds_since_1970 < least - epoch ? least : microseconds_since_1970 + epoch;
}

inline constexpr Microseconds minute_us = 60'000'000;
inline constexpr Microseconds hour_us = 60 * minute_us;
inline constexpr Microseconds day_us = 24 * hour_us;

// The start of the bucket of `width` that holds `at`; also before the year 2000.
constexpr Microseconds floor_to(Microseconds at, Microseconds width) noexcept
{
    const Microseconds rest = at % width;
    return at - rest - (rest < 0 ? width : 0);
}

// The first bucket start at or after `at`.
constexpr Microseconds ceil_to(Microseconds at, Microseconds width) noexcept
{
    const Microseconds floor = floor_to(at, width);
    return floor == at ? at : floor + width;
}

// A half-open, minute-aligned stretch of time: [start, end).
struct Window {
    Microseconds start;
    Microseconds end;
};

// The last `hours` before `as_of`, widened to whole minutes.
constexpr Window window_before(Microseconds as_of, std::int64_t hours) noexcept
{
    return {floor_to(as_of - hours * hour_us, minute_us), ceil_to(as_of, minute_us)};
}

// Which level of buckets answers for which part of a window of whole minutes. Minutes cover [window.start, hours_start)
// and [hours_end, window.end), hours [hours_start, days_start) and [days_end, hours_end), days [days_start, days_end);
// parts may be empty, and the bounds never fall.
struct Levels {
    Microseconds hours_start;
    Microseconds days_start;
    Microseconds days_end;
    Microseconds hours_end;
};

constexpr Levels levels_of(const Window &window) noexcept
{
    Levels levels = {ceil_to(window.start, hour_us), ceil_to(window.start, day_us), floor_to(window.end, day_us),
                     floor_to(window.end, hour_us)};
    if (levels.hours_start > levels.hours_end) // within an hour: minutes only
        return {window.end, window.end, window.end, window.end};
    if (levels.days_start > levels.days_end) // within two days: no whole day
        levels.days_start = levels.days_end = levels.hours_end;
    return levels;
}

// The same with no bucket larger than `width`, whose multiples the window begins and ends at: what makes up steps of
// that width.
constexpr Levels levels_of(const Window &window, Microseconds width) noexcept
{
    if (width < hour_us)
        return {window.end, window.end, window.end, window.end};
    if (width < day_us)
        return {window.start, window.end, window.end, window.end};
    return {window.start, window.start, window.end, window.end};
}

// Since when minutes and hours are there, each the start of a UTC day. What was earlier is known in larger buckets
// only.
struct Horizons {
    Microseconds minutes = std::numeric_limits<Microseconds>::min();
    Microseconds hours = std::numeric_limits<Microseconds>::min();

    // Of the smallest bucket that holds `at` and is still there.
    constexpr Microseconds width_at(Microseconds at) const noexcept
    {
        return at < hours ? day_us : at < minutes ? hour_us : minute_us;
    }
};

// A window of whole minutes, widened to the buckets that there are at its ends.
constexpr Window readable(const Window &window, const Horizons &horizons) noexcept
{
    if (window.start >= window.end)
        return window;
    return {floor_to(window.start, horizons.width_at(window.start)),
            ceil_to(window.end, horizons.width_at(window.end - 1))};
}

// The part of a window that buckets of `width`, or of what they are made of, still tell of.
constexpr Window readable(const Window &window, const Horizons &horizons, Microseconds width) noexcept
{
    const Microseconds since = width < hour_us  ? std::max(horizons.minutes, horizons.hours)
                               : width < day_us ? horizons.hours
                                                : window.start;
    return {std::clamp(since, window.start, window.end), window.end};
}

// The UTC day that begins at `day_start`, as "2026-11-24"; years 0001 to 9999.
std::string iso_date(Microseconds day_start);

} // namespace gravitas::telemetry::core
