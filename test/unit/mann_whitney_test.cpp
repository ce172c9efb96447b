#include "core/mann_whitney.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gravitas::telemetry::core {
namespace {

using test::Random;
using Values = std::vector<double>;

std::optional<RankComparison> compare(const Values &first, const Values &second)
{
    test::Context memory;
    Sketch a{memory};
    Sketch b{memory};
    for (const double x : first)
        a.add(x);
    for (const double y : second)
        b.add(y);
    return compare_ranks(a, b);
}

// The value that stands for the bucket of x, which is what a sketch knows of it.
double rounded(double x) { return x == 0 ? 0 : std::copysign(grid::representative(grid::index_of(std::abs(x))), x); }

// Pair by pair; the deviation from the ranks of all values, over all ways to divide them: m n / (N (N - 1)) times the
// sum of the squared distances of the ranks from their mean.
RankComparison brute_force(const Values &first, const Values &second)
{
    double wins = 0;
    for (const double x : first)
        for (const double y : second)
            wins += rounded(x) > rounded(y) ? 1 : rounded(x) == rounded(y) ? 0.5 : 0;
    Values all = first;
    all.insert(all.end(), second.begin(), second.end());
    for (double &x : all)
        x = rounded(x);
    const auto count = static_cast<double>(all.size());
    double squares = 0;
    for (const double x : all) {
        const auto less = std::count_if(all.begin(), all.end(), [=](double y) { return y < x; });
        const auto equal = std::count(all.begin(), all.end(), x);
        const double rank = static_cast<double>(less) + (static_cast<double>(equal) + 1) / 2;
        squares += (rank - (count + 1) / 2) * (rank - (count + 1) / 2);
    }
    const double pairs = static_cast<double>(first.size()) * static_cast<double>(second.size());
    const double deviation = std::sqrt(pairs / (count * (count - 1)) * squares);
    return {wins / pairs, deviation > 0 ? (wins - pairs / 2) / deviation : 0};
}

TEST(MannWhitney, NothingToCompare)
{
    EXPECT_FALSE(compare({}, {1}));
    EXPECT_FALSE(compare({1}, {}));
}

TEST(MannWhitney, KnownComparisons)
{
    EXPECT_EQ(compare({2, 3}, {1, 1.5})->superiority, 1);
    EXPECT_EQ(compare({1, 1.5}, {2, 3})->superiority, 0);
    EXPECT_EQ(compare({5, 5, 5}, {5, 5})->superiority, 0.5);
    EXPECT_EQ(compare({5, 5, 5}, {5, 5})->z, 0);
    EXPECT_EQ(compare({1}, {1})->z, 0);
    // The tortoise and the hares of Mann and Whitney: U = 11 of 36 for THHHHHTTTTTH.
    const auto race = compare({1, 7, 8, 9, 10, 11}, {2, 3, 4, 5, 6, 12});
    EXPECT_DOUBLE_EQ(race->superiority, 25.0 / 36);
}

TEST(MannWhitney, NegativeZeroAndPositiveAreInOrder)
{
    EXPECT_EQ(compare({0}, {-1e-300})->superiority, 1);
    EXPECT_EQ(compare({1e-300}, {0})->superiority, 1);
    EXPECT_EQ(compare({-1}, {-2})->superiority, 1);
    EXPECT_EQ(compare({-1e308}, {1e308})->superiority, 0);
}

TEST(MannWhitney, AgreesWithBruteForce)
{
    Random random(11);
    std::lognormal_distribution<double> latency(2, 0.5);
    for (int round = 0; round < 200; ++round) {
        Values first(1 + test::below(random, 60));
        Values second(1 + test::below(random, 60));
        const double shift = round % 3 == 0 ? 1 : 1.4;
        for (double &x : first)
            x = shift * (round % 5 == 0 ? std::floor(latency(random)) - 5 : latency(random));
        for (double &y : second)
            y = round % 5 == 0 ? std::floor(latency(random)) - 5 : latency(random);
        const RankComparison expected = brute_force(first, second);
        const auto found = compare(first, second);
        ASSERT_TRUE(found);
        EXPECT_NEAR(found->superiority, expected.superiority, 1e-12);
        EXPECT_NEAR(found->z, expected.z, 1e-9);
        const auto reverse = compare(second, first);
        EXPECT_NEAR(reverse->superiority, 1 - found->superiority, 1e-12);
        EXPECT_NEAR(reverse->z, -found->z, 1e-9);
    }
}

TEST(MannWhitney, CountsOfMillionsStayFinite)
{
    test::Context memory;
    Sketch a{memory};
    Sketch b{memory};
    a.add(10, std::uint64_t{1} << 61);
    a.add(20, std::uint64_t{1} << 61);
    b.add(15, std::uint64_t{1} << 61);
    const auto found = compare_ranks(a, b);
    EXPECT_DOUBLE_EQ(found->superiority, 0.5);
    EXPECT_NEAR(found->z, 0, 1e-6);
}

} // namespace
} // namespace gravitas::telemetry::core
