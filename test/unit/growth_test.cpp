#include "core/growth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace gravitas::telemetry::core {
namespace {

using Tables = std::vector<GrowingTable>;

double size_at(double day, const Tables &tables)
{
    double size = 0;
    for (const GrowingTable &table : tables) {
        const double growth = std::max(0.0, table.growth_per_day);
        size += growth == 0 ? table.size
                            : std::min(table.size + growth * day, std::max(table.size, table.keep_days * growth));
    }
    return size;
}

TEST(Growth, OneTableWithoutRetention)
{
    EXPECT_EQ(days_until(100, Tables{{40, 3}}), 20);
    EXPECT_EQ(days_until(40, Tables{{40, 3}}), 0);
    EXPECT_EQ(days_until(30, Tables{{40, 3}}), 0);
}

TEST(Growth, NeverWhereNothingGrows)
{
    EXPECT_EQ(days_until(100, Tables{}), std::nullopt);
    EXPECT_EQ(days_until(100, Tables{{40, 0}, {10, -5}}), std::nullopt);
}

TEST(Growth, RetentionHoldsATableBelowTheLimit)
{
    EXPECT_EQ(days_until(100, Tables{{40, 3, 30}}), std::nullopt); // stays at 90
    EXPECT_DOUBLE_EQ(days_until(89.5, Tables{{40, 3, 30}}).value(), 49.5 / 3);
    EXPECT_EQ(days_until(100, Tables{{95, 3, 30}}), std::nullopt); // larger than what it will hold
}

TEST(Growth, OthersGoOnWhenOneStops)
{
    // 10 a day until the first table stops after 5 days at 50 + 20, then 2 a day.
    EXPECT_EQ(days_until(100, Tables{{30, 8, 8.75}, {20, 2}}), 5);
    EXPECT_EQ(days_until(110, Tables{{30, 8, 8.75}, {20, 2}}), 10);
}

TEST(Growth, AgreesWithTheSizeOfEachDay)
{
    std::mt19937 random(7);
    std::uniform_real_distribution<double> some(0, 100);
    for (int round = 0; round < 2000; ++round) {
        Tables tables;
        for (int i = 0; i < 1 + round % 6; ++i)
            tables.push_back({some(random), some(random) / 20 - 1, some(random)});
        const double limit = some(random) * 6;
        const std::optional<double> day = days_until(limit, tables);
        if (!day) {
            EXPECT_LT(size_at(1e6, tables), limit);
            continue;
        }
        EXPECT_GE(size_at(*day, tables), limit - 1e-9);
        if (*day > 0) {
            EXPECT_LE(size_at(*day * (1 - 1e-6), tables), limit);
        }
    }
}

} // namespace
} // namespace gravitas::telemetry::core
