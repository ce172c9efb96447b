#include "core/otel.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gravitas::telemetry::core {
namespace {

TEST(ExponentialHistogram, EmptySketchHasNoBuckets)
{
    test::Context memory;
    const ExponentialHistogram histogram = exponential_histogram(Sketch{memory}, memory);
    EXPECT_EQ(histogram.scale, 6);
    EXPECT_EQ(histogram.count, 0u);
    EXPECT_EQ(histogram.min, std::nullopt);
    EXPECT_TRUE(histogram.positive.bucket_counts.empty());
}

TEST(ExponentialHistogram, BucketsAreThoseOfTheSpecification)
{
    test::Context memory;
    const ExponentialHistogram histogram =
        exponential_histogram(test::sketch_of({-4, 0, 1, 1, 1.005, 1.05, 2}, memory), memory);
    EXPECT_EQ(histogram.count, 7u);
    EXPECT_EQ(histogram.zero_count, 1u);
    EXPECT_EQ(histogram.min, -4);
    EXPECT_EQ(histogram.max, 2);
    EXPECT_EQ(histogram.positive.offset, -1); // (2^(-1/64), 1]
    ASSERT_EQ(histogram.positive.bucket_counts.size(), 65u);
    EXPECT_EQ(histogram.positive.bucket_counts[0], 2u);
    EXPECT_EQ(histogram.positive.bucket_counts[1], 1u);
    EXPECT_EQ(histogram.positive.bucket_counts[5], 1u); // 1.05 lies in (2^(4/64), 2^(5/64)] = (1.0443, 1.0556]
    EXPECT_EQ(histogram.positive.bucket_counts[64], 1u);
    EXPECT_EQ(histogram.negative.offset, 127);
    EXPECT_EQ(histogram.negative.bucket_counts.size(), 1u);
}

TEST(ExponentialHistogram, NothingIsLost)
{
    test::Random random{1};
    test::Context memory;
    std::vector<double> values;
    for (int i = 0; i < 3000; ++i)
        values.push_back(test::random_value(random));
    const Sketch sketch = test::sketch_of(values, memory);
    const ExponentialHistogram histogram = exponential_histogram(sketch, memory);
    const auto total = [](const ExponentialHistogram::Buckets &buckets) {
        return std::accumulate(buckets.bucket_counts.begin(), buckets.bucket_counts.end(), std::uint64_t{0});
    };
    EXPECT_EQ(total(histogram.positive) + total(histogram.negative) + histogram.zero_count, 3000u);
    for (std::size_t i = 0; i < histogram.positive.bucket_counts.size(); ++i) {
        const double lower = std::exp2((histogram.positive.offset + static_cast<double>(i)) / 64);
        const double upper = std::exp2((histogram.positive.offset + static_cast<double>(i) + 1) / 64);
        const auto is_inside = [&](double x) { return x > lower && x <= upper; };
        const auto inside = std::count_if(values.begin(), values.end(), is_inside);
        ASSERT_EQ(histogram.positive.bucket_counts[i], static_cast<std::uint64_t>(inside));
    }
}

} // namespace
} // namespace gravitas::telemetry::core
