#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace gravitas::telemetry {

// The processor's counter, which is read in a third of the time that the wall clock takes: 12 against 31 ns. It is made
// a time when the event is taken from the queue, away from the thread that logged it.
class Counter {
public:
    // Whether the kernel itself keeps time by it, which it does where the counter runs evenly and alike on all
    // cores. False until find_out() was called.
    [[nodiscard]] static bool is_trusted() noexcept { return trusted_.load(std::memory_order_relaxed); }
    static void find_out() noexcept;

    [[nodiscard]] static std::int64_t read() noexcept
    {
#if defined(__x86_64__)
        return static_cast<std::int64_t>(__rdtsc());
#else
        return 0;
#endif
    }

private:
    static std::atomic<bool> trusted_;
};

// What the wall clock said when the counter was read, for one thread.
class CounterTimes {
public:
    // The counter and the clocks, read together.
    struct Look {
        std::int64_t reading = 0;
        std::int64_t monotonic_ns = 0;
        std::int64_t wall_ns = 0; // since 1970-01-01 UTC
    };
    using Clocks = Look (*)() noexcept;

    explicit CounterTimes(Clocks clocks = look) noexcept : clocks_(clocks), first_(clocks()), last_(first_) {}

    // To be called before a number of readings is turned into times.
    void look_again() noexcept;
    // Microseconds since 1970-01-01 UTC, by the wall clock as it goes now: where it has been set meanwhile, so have
    // the events that waited. A reading that is still to come, as of a counter that was reset, is now.
    [[nodiscard]] std::int64_t time_us(std::int64_t reading) noexcept;

    [[nodiscard]] static Look look() noexcept;

private:
    Clocks clocks_;
    Look first_, last_;
    double ns_per_count_ = 0;
};

} // namespace gravitas::telemetry
