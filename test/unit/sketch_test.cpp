#include "core/sketch.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gravitas::telemetry::core {
namespace {

using test::below;
using test::encoded;
using test::error_of;
using test::Random;
using test::sketch_of;

static_assert(std::is_trivially_destructible_v<Sketch> && std::is_trivially_copyable_v<Sketch>);

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();

std::vector<double> random_values(Random &random, std::size_t count)
{
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i)
        values.push_back(test::random_value(random));
    return values;
}

TEST(Sketch, EmptyHasNoFigures)
{
    test::Context memory;
    const Sketch sketch{memory};
    EXPECT_EQ(sketch.count(), 0u);
    EXPECT_EQ(sketch.percentile(0.5), std::nullopt);
    EXPECT_EQ(sketch.rank(1), std::nullopt);
    EXPECT_EQ(memory.used(), 0u);
}

TEST(Sketch, PercentilesAreWithinTheBoundOfTheExactOrderStatistic)
{
    Random random{1};
    for (const std::size_t count : {1, 2, 3, 10, 100, 2500, 20'000}) {
        test::Context memory;
        std::vector<double> values = random_values(random, count);
        const Sketch sketch = sketch_of(values, memory);
        std::sort(values.begin(), values.end());
        EXPECT_EQ(sketch.extent().minimum, values.front());
        EXPECT_EQ(sketch.extent().maximum, values.back());
        for (int i = 0; i <= 1000; ++i) {
            const double p = i / 1000.0;
            const double rank = std::max(1.0, std::ceil(p * static_cast<double>(count)));
            const double exact = values[static_cast<std::size_t>(rank) - 1];
            const double estimate = sketch.percentile(p).value();
            ASSERT_LE(std::abs(estimate - exact), 0.0055 * std::abs(exact)) << count << " values at " << p;
            ASSERT_GE(estimate, values.front());
            ASSERT_LE(estimate, values.back());
        }
        EXPECT_EQ(sketch.percentile(0), values.front());
        EXPECT_EQ(sketch.percentile(1), values.back());
    }
}

TEST(Sketch, RankIsExactForAValueOfTheSameBucket)
{
    Random random{2};
    test::Context memory;
    std::vector<double> values = random_values(random, 5000);
    const Sketch sketch = sketch_of(values, memory);
    std::sort(values.begin(), values.end());
    const auto share_through = [&](double x) {
        return static_cast<double>(std::upper_bound(values.begin(), values.end(), x) - values.begin()) / 5000;
    };
    double previous = 0;
    for (std::size_t i = 0; i < values.size(); i += 7) {
        const double rank = sketch.rank(values[i]).value();
        ASSERT_GE(rank, share_through(values[i]));
        ASSERT_LE(rank, share_through(values[i] + 0.011 * std::abs(values[i])));
        ASSERT_GE(rank, previous);
        previous = rank;
    }
    for (int i = 0; i <= 100; ++i)
        EXPECT_GE(sketch.rank(sketch.percentile(i / 100.0).value()).value(), i / 100.0);
    EXPECT_EQ(sketch.rank(-infinity), 0);
    EXPECT_EQ(sketch.rank(infinity), 1);
    EXPECT_EQ(sketch.rank(values.back()), 1);
    EXPECT_EQ(sketch.rank(std::nextafter(values.front(), -infinity)), 0);
}

TEST(Sketch, SameValuesRankExactly)
{
    test::Context memory;
    Sketch sketch{memory};
    sketch.add(-1.5, 10);
    sketch.add(0, 20);
    sketch.add(1.5, 30);
    sketch.add(7, 40);
    EXPECT_EQ(sketch.rank(-1.5), 0.1);
    EXPECT_EQ(sketch.rank(-1), 0.1);
    EXPECT_EQ(sketch.rank(0), 0.3);
    EXPECT_EQ(sketch.rank(1), 0.3);
    EXPECT_EQ(sketch.rank(1.5), 0.6);
    EXPECT_EQ(sketch.percentile(0.3), 0);
}

TEST(Sketch, WeightsAreRepetitions)
{
    test::Context memory;
    Sketch weighted{memory};
    Sketch repeated{memory};
    Random random{3};
    for (int i = 0; i < 100; ++i) {
        const double value = test::random_value(random);
        const std::size_t count = below(random, 5);
        weighted.add(value, count);
        for (std::size_t k = 0; k < count; ++k)
            repeated.add(value);
    }
    EXPECT_EQ(encoded(weighted), encoded(repeated));
}

TEST(Sketch, TheWholeRangeOfDoublesIsCounted)
{
    test::Context memory;
    std::vector<double> values{-largest, -1, -smallest, -0.0, 0.0, smallest, 3 * smallest, 1, largest};
    const Sketch sketch = sketch_of(values, memory);
    EXPECT_EQ(sketch.zero_count(), 2u);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double estimate = sketch.percentile(static_cast<double>(i + 1) / 9).value();
        EXPECT_LE(std::abs(estimate - values[i]), 0.0055 * std::abs(values[i])) << i;
    }
    EXPECT_FALSE(std::signbit(sketch_of({-0.0}, memory).percentile(0.5).value()));
}

TEST(Sketch, WhatIsNoNumberIsRefused)
{
    test::Context memory;
    Sketch sketch = sketch_of({1, 2}, memory);
    const auto before = encoded(sketch);
    for (const double value : {infinity, -infinity, std::nan("")})
        EXPECT_EQ(error_of([&] { sketch.add(value); }), ErrorKind::out_of_range);
    EXPECT_EQ(encoded(sketch), before);
    for (const double p : {-0.01, 1.01, infinity, std::nan("")})
        EXPECT_EQ(error_of([&] { (void)sketch.percentile(p); }), ErrorKind::out_of_range);
    EXPECT_EQ(error_of([&] { (void)sketch.rank(std::nan("")); }), ErrorKind::out_of_range);
}

TEST(Sketch, CountsDoNotOverflow)
{
    test::Context memory;
    Sketch sketch{memory};
    sketch.add(1, largest_count);
    EXPECT_EQ(error_of([&] { sketch.add(2); }), ErrorKind::overflow);
    const Sketch one = sketch_of({5}, memory);
    EXPECT_EQ(error_of([&] { sketch.merge(one); }), ErrorKind::overflow);
    EXPECT_EQ(error_of([&] { sketch.merge_encoded(encoded(one)); }), ErrorKind::overflow);
    EXPECT_EQ(sketch.count(), largest_count);
    EXPECT_EQ(sketch.percentile(0.5), 1);
}

TEST(Sketch, MergesInAnyOrderAndTreeToTheSameBytes)
{
    Random random{4};
    for (int round = 0; round < 60; ++round) {
        test::Context memory;
        std::vector<double> values = random_values(random, 1 + below(random, 1500));
        const auto expected = encoded(sketch_of(values, memory));
        std::shuffle(values.begin(), values.end(), random);
        std::vector<Sketch> parts;
        for (auto next = values.begin(); next != values.end();) {
            const auto left = static_cast<std::size_t>(values.end() - next);
            const auto size = 1 + static_cast<std::ptrdiff_t>(below(random, left));
            parts.push_back(sketch_of({next, next + size}, memory));
            next += size;
        }
        while (parts.size() > 1) {
            const std::size_t into = below(random, parts.size() - 1);
            if (below(random, 2) == 0)
                parts[into].merge(parts.back());
            else
                parts[into].merge_encoded(encoded(parts.back()));
            parts.pop_back();
        }
        EXPECT_EQ(encoded(parts[0]), expected);
    }
}

TEST(Sketch, MergeLawsHold)
{
    Random random{5};
    for (int round = 0; round < 60; ++round) {
        test::Context memory;
        std::vector<double> values[3];
        for (auto &part : values)
            part = random_values(random, below(random, 300));
        const auto merged = [&](std::initializer_list<int> order) {
            Sketch sketch{memory};
            for (const int part : order)
                sketch.merge(sketch_of(values[part], memory));
            return encoded(sketch);
        };
        Sketch right = sketch_of(values[1], memory); // a + (b + c)
        right.merge(sketch_of(values[2], memory));
        Sketch grouped = sketch_of(values[0], memory);
        grouped.merge(right);
        EXPECT_EQ(merged({0, 1, 2}), encoded(grouped));
        EXPECT_EQ(merged({0, 1}), merged({1, 0}));
        EXPECT_EQ(merged({0}), encoded(sketch_of(values[0], memory)));
        Sketch with_empty = sketch_of(values[0], memory);
        with_empty.merge(Sketch{memory});
        EXPECT_EQ(merged({0}), encoded(with_empty));
        Sketch doubled = sketch_of(values[0], memory);
        doubled.merge(doubled);
        EXPECT_EQ(merged({0, 0}), encoded(doubled));
    }
}

TEST(Sketch, ReleaseReturnsAllMemory)
{
    Random random{6};
    test::Context memory;
    Sketch sketch = sketch_of(random_values(random, 3000), memory);
    sketch.release();
    EXPECT_EQ(memory.used(), 0u);
    EXPECT_EQ(sketch.count(), 0u);
    sketch.add(4);
    EXPECT_EQ(sketch.percentile(0.5), 4);
}

} // namespace
} // namespace gravitas::telemetry::core
