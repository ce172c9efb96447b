// Buckets of time: floors and ceilings on both sides of the epoch, windows, dates.

#include "core/time_bucket.hpp"

#include <gtest/gtest.h>

#include <random>

namespace core = gravitas::telemetry::core;
using core::Microseconds;

namespace {

TEST(TimeBucket, FloorsAndCeils)
{
    EXPECT_EQ(core::floor_to(0, core::minute_us), 0);
    EXPECT_EQ(core::floor_to(core::minute_us - 1, core::minute_us), 0);
    EXPECT_EQ(core::floor_to(-1, core::minute_us), -core::minute_us);
    EXPECT_EQ(core::floor_to(-core::minute_us, core::minute_us), -core::minute_us);
    EXPECT_EQ(core::ceil_to(0, core::minute_us), 0);
    EXPECT_EQ(core::ceil_to(1, core::minute_us), core::minute_us);
    EXPECT_EQ(core::ceil_to(-1, core::minute_us), 0);
}

TEST(TimeBucket, HoldsItsInstants)
{
    std::mt19937_64 random(20261124);
    std::uniform_int_distribution<Microseconds> instants(-200 * 366 * core::day_us, 200 * 366 * core::day_us);
    for (int i = 0; i < 100'000; ++i) {
        const Microseconds at = instants(random);
        for (const Microseconds width : {core::minute_us, core::hour_us, core::day_us}) {
            const Microseconds start = core::floor_to(at, width);
            EXPECT_EQ(start % width, 0);
            EXPECT_LE(start, at);
            EXPECT_GT(start + width, at);
            EXPECT_EQ(core::ceil_to(at, width), start == at ? at : start + width);
        }
    }
}

TEST(TimeBucket, WindowIsMinuteAligned)
{
    const core::Window window = core::window_before(90 * core::minute_us + 1, 1);
    EXPECT_EQ(window.start, 30 * core::minute_us);
    EXPECT_EQ(window.end, 91 * core::minute_us);
    const core::Window on_the_minute = core::window_before(90 * core::minute_us, 1);
    EXPECT_EQ(on_the_minute.start, 30 * core::minute_us);
    EXPECT_EQ(on_the_minute.end, 90 * core::minute_us);
}

TEST(TimeBucket, NamesDays)
{
    EXPECT_EQ(core::iso_date(0), "2000-01-01");
    EXPECT_EQ(core::iso_date(-1), "1999-12-31");
    EXPECT_EQ(core::iso_date(59 * core::day_us), "2000-02-29");
    EXPECT_EQ(core::iso_date(-10957 * core::day_us), "1970-01-01");
    EXPECT_EQ(core::iso_date(2921939 * core::day_us), "9999-12-31");
}

} // namespace
