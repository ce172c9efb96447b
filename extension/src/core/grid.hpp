// The grid of the quantile sketch: 64 buckets to each power of two.
//
// Bucket i holds the magnitudes in (base^i, base^(i+1)], base = 2^(1/64): scale 6 of the OpenTelemetry
// exponential histogram (opentelemetry.io/docs/specs/otel/metrics/data-model, "Exponential Scale"), schema 6 of
// Prometheus native histograms. Indexes are computed from the bits of the double and a table, never by
// a library logarithm, so that every machine puts a value into the same bucket.

#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gravitas::telemetry::core::grid {

inline constexpr int scale = 6;
inline constexpr std::int32_t buckets_per_octave = 1 << scale;
inline constexpr std::int32_t lowest_index = -1074 * buckets_per_octave - 1; // of the least subnormal, 2^-1074
inline constexpr std::int32_t highest_index = 1024 * buckets_per_octave - 1; // of DBL_MAX

// Mantissa bits of floor(2^52 * 2^(k/64)), k = 0 … 63: the lower bounds of the buckets within [1, 2). No double lies
// on one but 1 itself, 2^(k/64) being irrational, so `fraction > bound` decides exactly. The last entry is a sentinel.
inline constexpr std::array<std::uint64_t, buckets_per_octave + 1> mantissa_bounds = {
    0x0000000000000, 0x02c9a3e778060, 0x059b0d3158574, 0x0874518759bc8, 0x0b5586cf9890f,
    0x0e3ec32d3d1a2, 0x11301d0125b50, 0x1429aaea92ddf, 0x172b83c7d517a, 0x1a35beb6fcb75,
    0x1d4873168b9aa, 0x2063b88628cd6, 0x2387a6e756238, 0x26b4565e27cdd, 0x29e9df51fdee1,
    0x2d285a6e4030b, 0x306fe0a31b715, 0x33c08b26416ff, 0x371a7373aa9ca, 0x3a7db34e59ff6,
    0x3dea64c123422, 0x4160a21f72e29, 0x44e086061892d, 0x486a2b5c13cd0, 0x4bfdad5362a27,
    0x4f9b2769d2ca6, 0x5342b569d4f81, 0x56f4736b527da, 0x5ab07dd485429, 0x5e76f15ad2148,
    0x6247eb03a5584, 0x6623882552224, 0x6a09e667f3bcc, 0x6dfb23c651a2e, 0x71f75e8ec5f73,
    0x75feb564267c8, 0x7a11473eb0186, 0x7e2f336cf4e62, 0x82589994cce12, 0x868d99b4492ec,
    0x8ace5422aa0db, 0x8f1ae99157736, 0x93737b0cdc5e4, 0x97d829fde4e4f, 0x9c49182a3f090,
    0xa0c667b5de564, 0xa5503b23e255c, 0xa9e6b5579fdbf, 0xae89f995ad3ad, 0xb33a2b84f15fa,
    0xb7f76f2fb5e46, 0xbcc1e904bc1d2, 0xc199bdd85529c, 0xc67f12e57d14b, 0xcb720dcef9069,
    0xd072d4a07897b, 0xd5818dcfba487, 0xda9e603db3285, 0xdfc97337b9b5e, 0xe502ee78b3ff6,
    0xea4afa2a490d9, 0xefa1bee615a27, 0xf50765b6e4540, 0xfa7c1819e90d8, std::numeric_limits<std::uint64_t>::max(),
};

// For each 128th of the mantissa range the number of bounds below its start. Bounds lie further apart than
// 1/128, so one comparison settles which of two buckets a value is in.
inline constexpr std::array<std::uint8_t, 128> bounds_below = [] {
    std::array<std::uint8_t, 128> table{};
    for (std::uint64_t slot = 0; slot < table.size(); ++slot)
        while (mantissa_bounds[table[slot]] < slot << 45)
            ++table[slot];
    return table;
}();

// The bucket of a magnitude; x is finite and greater than 0.
[[nodiscard]] inline std::int32_t index_of(double x) noexcept
{
    constexpr std::uint64_t fraction_mask = (std::uint64_t{1} << 52) - 1;
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    std::int32_t exponent = static_cast<std::int32_t>(bits >> 52) - 1023;
    std::uint64_t fraction = bits & fraction_mask;
    if (exponent == -1023) [[unlikely]] { // subnormal: shift the leading one out of the fraction
        const int shift = std::countl_zero(fraction) - 11;
        fraction = (fraction << shift) & fraction_mask;
        exponent -= shift - 1;
    }
    const std::size_t below = bounds_below[fraction >> 45];
    const std::int32_t within = static_cast<std::int32_t>(below) - (fraction > mantissa_bounds[below] ? 0 : 1);
    return exponent * buckets_per_octave + within;
}

// The value that stands for a bucket: the harmonic mean 2ab/(a+b) of its bounds, whose largest relative distance
// from any value of the bucket, (base - 1)/(base + 1) = 0.5415 %, is the least possible. (Below 2^-1022, where doubles
// thin out, the distance may be one unit of 2^-1074 instead.)
[[nodiscard]] inline double representative(std::int32_t index) noexcept
{
    constexpr double over_lower_bound = 0x1.0162e34c980bbp+0; // 2 base / (1 + base)
    const std::uint64_t one = std::uint64_t{1023} << 52;
    const double lower = std::bit_cast<double>(one | mantissa_bounds[index & (buckets_per_octave - 1)]);
    return std::ldexp(lower * over_lower_bound, index >> scale);
}

} // namespace gravitas::telemetry::core::grid
