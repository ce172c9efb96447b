#include "timer_check.hpp"

#include <gravitas/telemetry.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>

namespace demo {

namespace {

constexpr int resolution_readings = 1'000'000;
constexpr int bracket_attempts = 50;
constexpr double allowed_percent = 0.1;

double seconds_of(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double smallest_step_us()
{
    using gravitas::telemetry::start_timer;
    auto smallest = std::chrono::nanoseconds::max();
    auto before = start_timer();
    for (int i = 0; i < resolution_readings; ++i) {
        const auto now = start_timer();
        if (now != before)
            smallest = std::min<std::chrono::nanoseconds>(smallest, now - before);
        before = now;
    }
    return std::chrono::duration<double, std::micro>(smallest).count();
}

template <typename Reading>
struct Instant {
    Reading timer;
    double free_running_s;
    double wall_clock_s;
};

// Reads the three clocks at one instant: the timer between two readings of each of the others. A process switch
// in between would be taken for an error of the timer, so the tightest of several attempts counts.
template <typename Read>
auto read_together(Read read_timer)
{
    double tightest = std::numeric_limits<double>::infinity();
    Instant<decltype(read_timer())> best{};
    for (int i = 0; i < bracket_attempts; ++i) {
        const double free_before = seconds_of(CLOCK_MONOTONIC_RAW);
        const double wall_before = seconds_of(CLOCK_REALTIME);
        const auto timer = read_timer();
        const double wall_after = seconds_of(CLOCK_REALTIME);
        const double free_after = seconds_of(CLOCK_MONOTONIC_RAW);
        if (free_after - free_before < tightest) {
            tightest = free_after - free_before;
            best = {timer, (free_before + free_after) / 2, (wall_before + wall_after) / 2};
        }
    }
    return best;
}

void sleep_for(double interval_s)
{
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const auto nanoseconds = static_cast<long long>(interval_s * 1e9) + until.tv_nsec;
    until.tv_sec += nanoseconds / 1'000'000'000;
    until.tv_nsec = nanoseconds % 1'000'000'000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
}

} // namespace

TimerCheck check_timer(double interval_s)
{
    TimerCheck check;
    check.resolution_us = smallest_step_us();

    const auto start = read_together([] { return gravitas::telemetry::start_timer(); });
    sleep_for(interval_s);
    const auto end = read_together([&] { return gravitas::telemetry::measure_latency(start.timer); });

    check.by_timer_s = end.timer;
    check.by_free_running_s = end.free_running_s - start.free_running_s;
    check.by_wall_clock_s = end.wall_clock_s - start.wall_clock_s;
    const auto percent_off = [&](double reference_s) {
        return std::fabs(check.by_timer_s - reference_s) / reference_s * 100;
    };
    check.wall_clock_was_set = !(percent_off(check.by_wall_clock_s) < allowed_percent) &&
                               percent_off(check.by_free_running_s) < allowed_percent;
    check.error_percent = percent_off(check.by_free_running_s);
    if (!check.wall_clock_was_set)
        check.error_percent = std::max(check.error_percent, percent_off(check.by_wall_clock_s));
    return check;
}

} // namespace demo
