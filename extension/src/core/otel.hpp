// A sketch as an OpenTelemetry exponential histogram (opentelemetry-proto, ExponentialHistogramDataPoint). The grids
// are the same, so nothing is lost and nothing estimated.

#pragma once

#include "core/sketch.hpp"

namespace gravitas::telemetry::core {

struct ExponentialHistogram {
    // bucket_counts[i] counts magnitudes in (base^(offset+i), base^(offset+i+1)]; empty without values of the sign.
    struct Buckets {
        std::int32_t offset = 0;
        Array<std::uint64_t> bucket_counts;
    };

    std::int32_t scale = grid::scale;
    std::uint64_t count = 0;
    std::uint64_t zero_count = 0;
    std::optional<double> min;
    std::optional<double> max;
    Buckets positive;
    Buckets negative;
};

// Arrays are in `memory`: 8 bytes for each bucket between the lowest and the highest, at most 1.1 MB a sign.
[[nodiscard]] ExponentialHistogram exponential_histogram(const Sketch &sketch, std::pmr::memory_resource &memory);

} // namespace gravitas::telemetry::core
