#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

namespace gravitas::telemetry {

using SteadyClock = std::chrono::steady_clock;
using Deadline = SteadyClock::time_point;

inline constexpr Deadline never = Deadline::max();

// Saturates at `never`, so that milliseconds::max() means "no limit". A negative wait is no wait.
inline Deadline later(Deadline from, std::chrono::milliseconds wait) noexcept
{
    if (wait >= std::chrono::duration_cast<std::chrono::milliseconds>(never - from))
        return never;
    return from + std::max(wait, std::chrono::milliseconds::zero());
}

inline Deadline from_now(std::chrono::milliseconds wait) noexcept { return later(SteadyClock::now(), wait); }

// For poll(): rounded up, so that the deadline has passed when poll() times out; -1 waits for ever.
inline int poll_timeout(Deadline deadline) noexcept
{
    if (deadline == never)
        return -1;
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    return static_cast<int>(std::clamp<decltype(rest)>(rest, 0, INT_MAX));
}

} // namespace gravitas::telemetry
