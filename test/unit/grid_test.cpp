#include "core/grid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace gravitas::telemetry::core::grid {
namespace {

constexpr std::uint64_t two_52 = std::uint64_t{1} << 52;

// Little-endian limbs.
using Natural = std::vector<std::uint32_t>;

Natural squared(const Natural &x)
{
    Natural product(2 * x.size(), 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
            carry += product[i + j] + std::uint64_t{x[i]} * x[j];
            product[i + j] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        product[i + x.size()] = static_cast<std::uint32_t>(carry);
    }
    return product;
}

// Whether n^64 ≤ 2^exponent.
bool power_64_within(std::uint64_t n, unsigned exponent)
{
    Natural power{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32)};
    for (int i = 0; i < 6; ++i)
        power = squared(power);
    std::size_t top = power.size();
    while (power[top - 1] == 0)
        --top;
    const std::size_t bits = 32 * top - static_cast<std::size_t>(std::countl_zero(power[top - 1]));
    if (bits != exponent + 1)
        return bits <= exponent;
    std::size_t ones = 0;
    for (const std::uint32_t limb : power)
        ones += static_cast<std::size_t>(std::popcount(limb));
    return ones == 1;
}

double with_bits(std::uint64_t bits) { return std::bit_cast<double>(bits); }

TEST(Grid, BoundsAreExact)
{
    for (unsigned k = 0; k < buckets_per_octave; ++k) {
        const std::uint64_t bound = two_52 + mantissa_bounds[k];
        EXPECT_TRUE(power_64_within(bound, k + 64 * 52)) << k;
        EXPECT_FALSE(power_64_within(bound + 1, k + 64 * 52)) << k;
    }
}

TEST(Grid, EveryBoundSeparatesItsBuckets)
{
    for (std::int32_t exponent = -1022; exponent <= 1023; ++exponent)
        for (std::int32_t k = 0; k < buckets_per_octave; ++k) {
            const std::uint64_t bits = static_cast<std::uint64_t>(exponent + 1023) << 52 | mantissa_bounds[k];
            const std::int32_t index = buckets_per_octave * exponent + k;
            ASSERT_EQ(index_of(with_bits(bits)), index - 1);
            ASSERT_EQ(index_of(with_bits(bits + 1)), index);
        }
}

TEST(Grid, PowersOfTwoCloseTheirBucket)
{
    for (int exponent = -1074; exponent <= 1023; ++exponent)
        EXPECT_EQ(index_of(std::ldexp(1.0, exponent)), buckets_per_octave * exponent - 1);
}

TEST(Grid, SubnormalsScaleLikeNormals)
{
    std::mt19937_64 random{1};
    for (int i = 0; i < 100'000; ++i) {
        const double subnormal = with_bits(std::max<std::uint64_t>(1, random() % two_52 >> random() % 52));
        ASSERT_EQ(index_of(subnormal), index_of(std::ldexp(subnormal, 200)) - 200 * buckets_per_octave);
    }
}

TEST(Grid, EndsAreThoseOfDoubles)
{
    EXPECT_EQ(index_of(std::numeric_limits<double>::denorm_min()), lowest_index);
    EXPECT_EQ(index_of(std::numeric_limits<double>::max()), highest_index);
}

TEST(Grid, RepresentativeIsWithinItsBucketAndTheErrorBound)
{
    for (std::int32_t index = -1022 * buckets_per_octave; index < highest_index; ++index) {
        const double middle = representative(index);
        ASSERT_EQ(index_of(middle), index);
        const double lower = std::exp2(index / 64.0);
        const double upper = std::exp2((index + 1) / 64.0);
        ASSERT_LE((middle - lower) / lower, 0.0054152);
        ASSERT_LE((upper - middle) / upper, 0.0054152);
    }
    EXPECT_TRUE(std::isfinite(representative(highest_index)));
}

TEST(Grid, RandomValuesLieWithinTheErrorBound)
{
    std::mt19937_64 random{2};
    for (int i = 0; i < 1'000'000; ++i) {
        const double x = with_bits(random() >> 1);
        if (!std::isfinite(x))
            continue;
        const double step = x < 0x1p-1022 ? std::numeric_limits<double>::denorm_min() : 0;
        ASSERT_LE(std::abs(representative(index_of(x)) - x), 0.0054152 * x + step) << x;
    }
}

} // namespace
} // namespace gravitas::telemetry::core::grid
