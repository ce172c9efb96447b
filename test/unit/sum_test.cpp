#include "core/sum.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gravitas::telemetry::core {
namespace {

Sum sum_of(const std::vector<double> &values)
{
    Sum sum;
    for (const double value : values)
        sum.add(value);
    return sum;
}

TEST(Sum, KeepsWhatRoundingTakes)
{
    EXPECT_EQ(sum_of({1e16, 1, -1e16}).value(), 1);
    EXPECT_EQ(sum_of({1, 1e100, 1, -1e100}).value(), 2);
    std::vector<double> tenths(1'000'000, 0.1);
    EXPECT_EQ(sum_of(tenths).value(), 100'000);
}

TEST(Sum, DoesNotDependOnOrderOrTree)
{
    test::Random random{1};
    std::vector<double> values;
    for (int i = 0; i < 10'000; ++i)
        values.push_back(test::random_value(random));
    const double expected = *sum_of(values).value();
    for (int round = 0; round < 20; ++round) {
        std::shuffle(values.begin(), values.end(), random);
        Sum tree;
        for (auto part = values.begin(); part != values.end(); part += 100)
            tree.add(sum_of({part, part + 100}).normal());
        EXPECT_EQ(sum_of(values).value(), expected);
        EXPECT_EQ(tree.value(), expected);
    }
}

TEST(Sum, NormalFormIsUniqueAndStable)
{
    test::Random random{2};
    Sum sum;
    for (int i = 0; i < 1000; ++i) {
        sum.add(test::random_value(random) * (i % 2 == 0 ? 1 : -1));
        const Sum normal = sum.normal();
        EXPECT_EQ(normal.high(), *sum.value());
        EXPECT_EQ(normal.high() + normal.low(), normal.high());
        EXPECT_EQ(normal.normal().high(), normal.high());
        EXPECT_EQ(normal.normal().low(), normal.low());
        EXPECT_EQ(normal, sum);
    }
    Sum nothing = sum_of({3, -3});
    EXPECT_FALSE(std::signbit(nothing.normal().high()) || std::signbit(nothing.normal().low()));
}

TEST(Sum, OutOfRangeIsUnknownForGood)
{
    Sum sum = sum_of({std::numeric_limits<double>::max(), std::numeric_limits<double>::max()});
    EXPECT_FALSE(sum.known());
    EXPECT_EQ(sum.value(), std::nullopt);
    sum.add(-std::numeric_limits<double>::max());
    EXPECT_FALSE(sum.known());
    Sum other = sum_of({1});
    other.add(sum.normal());
    EXPECT_FALSE(other.known());
    EXPECT_EQ(other, sum);
}

TEST(WideCount, CarriesIntoTheHighWord)
{
    WideCount count{~std::uint64_t{0} - 1, 0};
    count.add(3);
    EXPECT_EQ(count, (WideCount{1, 1}));
    count.add(WideCount{~std::uint64_t{0}, 4});
    EXPECT_EQ(count, (WideCount{0, 6}));
    count.low = std::uint64_t{3} << 62;
    count.add(count);
    EXPECT_EQ(count, (WideCount{std::uint64_t{1} << 63, 13}));
}

} // namespace
} // namespace gravitas::telemetry::core
