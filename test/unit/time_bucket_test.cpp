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

TEST(TimeBucket, WindowIsWidenedWhereSmallBucketsAreGone)
{
    core::Horizons horizons;
    const core::Window window = {10 * core::day_us + 90 * core::minute_us, 12 * core::day_us + 100 * core::minute_us};
    const auto equals = [](const core::Window &found, Microseconds start, Microseconds end) {
        return found.start == start && found.end == end;
    };
    EXPECT_TRUE(equals(core::readable(window, horizons), window.start, window.end));
    horizons.minutes = 11 * core::day_us;
    EXPECT_TRUE(equals(core::readable(window, horizons), 10 * core::day_us + core::hour_us, window.end));
    horizons.minutes = 12 * core::day_us + core::day_us;
    EXPECT_TRUE(equals(core::readable(window, horizons), 10 * core::day_us + core::hour_us,
                       12 * core::day_us + 2 * core::hour_us));
    horizons.hours = 11 * core::day_us;
    EXPECT_TRUE(equals(core::readable(window, horizons), 10 * core::day_us, 12 * core::day_us + 2 * core::hour_us));
    horizons.hours = 13 * core::day_us;
    EXPECT_TRUE(equals(core::readable(window, horizons), 10 * core::day_us, 13 * core::day_us));
    // A window that ends where minutes begin is widened at its start only.
    horizons = {12 * core::day_us, 0};
    EXPECT_TRUE(equals(core::readable({window.start, 12 * core::day_us}, horizons), 10 * core::day_us + core::hour_us,
                       12 * core::day_us));
    EXPECT_TRUE(equals(core::readable({window.start, window.start}, horizons), window.start, window.start));
}

TEST(TimeBucket, StepsStartWhereTheirBucketsDo)
{
    const core::Window window = {0, 10 * core::day_us};
    const core::Horizons horizons = {6 * core::day_us, 3 * core::day_us};
    EXPECT_EQ(core::readable(window, horizons, core::minute_us).start, 6 * core::day_us);
    EXPECT_EQ(core::readable(window, horizons, core::hour_us).start, 3 * core::day_us);
    EXPECT_EQ(core::readable(window, horizons, core::day_us).start, 0);
    EXPECT_EQ(core::readable({0, core::day_us}, horizons, core::minute_us).start, core::day_us);
    EXPECT_EQ(core::readable(window, {}, core::minute_us).start, 0);
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
