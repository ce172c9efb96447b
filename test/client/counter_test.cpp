// Readings of a counter and what time they were, with clocks that the test sets.

#include "../../client/src/counter.hpp"

#include <gtest/gtest.h>

namespace gravitas::telemetry::test {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000, second_us = 1'000'000;
constexpr std::int64_t start_us = 1'800'000'000 * second_us;

CounterTimes::Look clocks;

// Both clocks go on by so many seconds, and the counter by as many times two thousand million.
void pass(double seconds)
{
    const auto ns = static_cast<std::int64_t>(seconds * second_ns);
    clocks.reading += 2 * ns;
    clocks.monotonic_ns += ns;
    clocks.wall_ns += ns;
}

struct Times : ::testing::Test {
    Times() { clocks = {5'000, 77, start_us * 1'000}; }

    CounterTimes times() const
    {
        return CounterTimes([]() noexcept { return clocks; });
    }
};

} // namespace

TEST_F(Times, are_those_of_the_wall_clock)
{
    CounterTimes times = this->times();
    pass(1);
    const std::int64_t first = clocks.reading;
    pass(0.25);
    times.look_again();
    EXPECT_EQ(times.time_us(first), start_us + second_us);
    EXPECT_EQ(times.time_us(first + 1'000'000), start_us + second_us + 500);
}

TEST_F(Times, of_a_reading_since_the_last_look_are_known)
{
    CounterTimes times = this->times();
    pass(1);
    times.look_again();
    pass(1);
    const std::int64_t later = clocks.reading;
    pass(0.5);
    EXPECT_EQ(times.time_us(later), start_us + 2 * second_us);
}

TEST_F(Times, follow_a_wall_clock_that_was_set)
{
    CounterTimes times = this->times();
    pass(1);
    times.look_again();
    const std::int64_t waiting = clocks.reading;
    pass(2);
    clocks.wall_ns += 3600 * second_ns;
    times.look_again();
    EXPECT_EQ(times.time_us(waiting), start_us + 3601 * second_us);
}

// As after a sleep of the whole machine.
TEST_F(Times, go_on_after_the_counter_was_reset)
{
    CounterTimes times = this->times();
    pass(100);
    times.look_again();
    const std::int64_t before = clocks.reading;
    clocks.reading = 10;
    pass(1);
    times.look_again();
    EXPECT_EQ(times.time_us(before), start_us + 101 * second_us);
    const std::int64_t since = clocks.reading;
    pass(1);
    times.look_again();
    EXPECT_EQ(times.time_us(since), start_us + 101 * second_us);
}

// A pace that was seen over a minute is not made worse by clocks that stood still while the counter ran.
TEST_F(Times, keep_a_pace_that_is_known)
{
    CounterTimes times = this->times();
    pass(59);
    times.look_again();
    clocks.reading += 7'000 * second_ns;
    clocks.wall_ns += 3'500 * second_ns;
    pass(10);
    const std::int64_t reading = clocks.reading;
    pass(1);
    times.look_again();
    EXPECT_EQ(times.time_us(reading), start_us + 3'569 * second_us);
}

TEST(Counter, readings_are_times_now)
{
    Counter::find_out();
    if (!Counter::is_trusted())
        GTEST_SKIP() << "the kernel keeps no time by the processor's counter";
    CounterTimes times;
    for (int i = 0; i < 100; ++i) {
        const CounterTimes::Look before = CounterTimes::look();
        const std::int64_t reading = Counter::read();
        const CounterTimes::Look after = CounterTimes::look();
        times.look_again();
        EXPECT_GE(times.time_us(reading), before.wall_ns / 1'000 - 50);
        EXPECT_LE(times.time_us(reading), after.wall_ns / 1'000 + 50);
    }
}

} // namespace gravitas::telemetry::test
