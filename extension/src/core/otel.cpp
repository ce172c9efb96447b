#include "core/otel.hpp"

namespace gravitas::telemetry::core {

namespace {

ExponentialHistogram::Buckets spread(const Buckets &buckets, std::pmr::memory_resource &memory)
{
    const BucketRange range = buckets.range();
    ExponentialHistogram::Buckets spread;
    spread.offset = range.lowest;
    spread.bucket_counts.reserve(range.length(), memory);
    buckets.for_each([&](std::int32_t index, std::uint64_t count) {
        while (spread.bucket_counts.size() < static_cast<std::size_t>(index - range.lowest))
            spread.bucket_counts.push_back(0, memory);
        spread.bucket_counts.push_back(count, memory);
    });
    return spread;
}

} // namespace

ExponentialHistogram exponential_histogram(const Sketch &sketch, std::pmr::memory_resource &memory)
{
    ExponentialHistogram histogram;
    histogram.count = sketch.count();
    histogram.zero_count = sketch.zero_count();
    if (sketch.count() > 0) {
        histogram.min = sketch.extent().minimum;
        histogram.max = sketch.extent().maximum;
    }
    histogram.positive = spread(sketch.positive(), memory);
    histogram.negative = spread(sketch.negative(), memory);
    return histogram;
}

} // namespace gravitas::telemetry::core
