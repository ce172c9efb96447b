#include "counter.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <string>

namespace gravitas::telemetry {

namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

template <typename Clock>
std::int64_t nanoseconds_of() noexcept
{
    return duration_cast<nanoseconds>(Clock::now().time_since_epoch()).count();
}

} // namespace

std::atomic<bool> Counter::trusted_{false};

void Counter::find_out() noexcept
try {
#if defined(__x86_64__) && defined(__linux__)
    std::string clock;
    std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >> clock;
    trusted_ = clock == "tsc";
#endif
} catch (...) { // no memory: the wall clock will do
}

// The closest of a few attempts: this thread may have to wait between any two of the readings.
CounterTimes::Look CounterTimes::look() noexcept
{
    constexpr int attempts = 8;
    Look best;
    std::int64_t closest = std::numeric_limits<std::int64_t>::max();
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const std::int64_t before = Counter::read();
        const std::int64_t monotonic_ns = nanoseconds_of<std::chrono::steady_clock>();
        const std::int64_t wall_ns = nanoseconds_of<std::chrono::system_clock>();
        const std::int64_t taken = Counter::read() - before;
        if (taken < 0 || taken >= closest)
            continue;
        closest = taken;
        best = {before + taken / 2, monotonic_ns, wall_ns};
    }
    return best;
}

// The pace of the counter is constant; the longer it was watched, the better it is known.
void CounterTimes::look_again() noexcept
{
    constexpr std::int64_t long_enough_ns = 60'000'000'000;
    last_ = clocks_();
    const std::int64_t watched_ns = last_.monotonic_ns - first_.monotonic_ns;
    if (last_.reading > first_.reading && watched_ns > 0 && (watched_ns <= long_enough_ns || ns_per_count_ == 0))
        ns_per_count_ = static_cast<double>(watched_ns) / static_cast<double>(last_.reading - first_.reading);
}

std::int64_t CounterTimes::time_us(std::int64_t reading) noexcept
{
    if (reading > last_.reading) // logged since
        look_again();
    const auto passed = static_cast<double>(std::max<std::int64_t>(last_.reading - reading, 0));
    const std::int64_t time_ns = last_.wall_ns - static_cast<std::int64_t>(passed * ns_per_count_);
    return std::chrono::floor<std::chrono::microseconds>(nanoseconds(time_ns)).count();
}

} // namespace gravitas::telemetry
