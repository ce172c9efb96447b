// The quantile sketch: counts of values on a fixed grid of relative width (core/grid.hpp).
//
// Every value goes to one bucket by its magnitude and sign, so sketches merge in any order and any tree to the same
// state and the same bytes. A percentile is within 0.5415 % of the exact order statistic and never outside
// the exact minimum and maximum. The grid is that of OpenTelemetry's exponential histograms: `positive()`, `negative()`
// and `zero_count()` are one of scale 6, see core/otel.hpp.

#pragma once

#include "core/buckets.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

namespace gravitas::telemetry::core {

class TextReader;
class TextWriter;

// How many values there are and where they end; minimum and maximum mean nothing where count is 0.
struct Extent {
    std::uint64_t count = 0;
    double minimum = 0;
    double maximum = 0;
};

// The encoded form of a sketch, checked but left where it is.
struct EncodedSketch {
    Extent extent;
    std::uint64_t zeros = 0;
    EncodedBuckets negative;
    EncodedBuckets positive;
};

// Not copyable and without a destructor: memory goes back by `release` or with the resource, which must live as long.
// Functions that allocate throw std::bad_alloc; the sketch may then be half changed and is to be dropped.
class Sketch {
public:
    explicit Sketch(std::pmr::memory_resource &memory) noexcept : memory_(&memory) {}
    Sketch(Sketch &&) = default;
    Sketch &operator=(Sketch &&) = default;

    // Adds a value `count` times. Throws out_of_range for NaN and infinities, overflow past 2^63 - 1 values.
    void add(double value, std::uint64_t count = 1);
    // The same for a value known to be finite and not -0, while count() + count cannot overflow.
    void add_unchecked(double value, std::uint64_t count)
    {
        if (value > 0) [[likely]]
            positive_.add(grid::index_of(value), count, *memory_);
        else if (value < 0)
            negative_.add(grid::index_of(-value), count, *memory_);
        else
            zeros_ += count;
        if (value < extent_.minimum || extent_.count == 0)
            extent_.minimum = value;
        if (value > extent_.maximum || extent_.count == 0)
            extent_.maximum = value;
        extent_.count += count;
    }

    // Adds the values of another sketch. Throws overflow, then unchanged.
    void merge(const Sketch &other);
    void merge(const EncodedSketch &other);

    [[nodiscard]] const Extent &extent() const noexcept { return extent_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return extent_.count; }
    [[nodiscard]] std::uint64_t zero_count() const noexcept { return zeros_; }
    [[nodiscard]] const Buckets &positive() const noexcept { return positive_; }
    [[nodiscard]] const Buckets &negative() const noexcept { return negative_; } // by magnitude

    // The value at rank ceil(p * count), as percentile_disc counts, estimated as its bucket's representative within
    // [minimum, maximum]; the first and the last are exact. Nothing for no values; out_of_range unless 0 ≤ p ≤ 1.
    [[nodiscard]] std::optional<double> percentile(double p) const;
    // Which share of the values is ≤ x, the bucket of x taken whole: exact for some x' at most 1.1 % above x.
    // Nothing for no values; out_of_range for NaN.
    [[nodiscard]] std::optional<double> rank(double x) const;

    // Version byte and content. Returns how many bytes there are; those that do not fit are not written.
    [[nodiscard]] std::size_t encode(std::span<std::uint8_t> out) const noexcept;
    // Throws truncated, unknown_version or corrupt for whatever `encode` cannot have written.
    [[nodiscard]] static Sketch decode(std::span<const std::uint8_t> bytes, std::pmr::memory_resource &memory);
    // Merges what `decode` has once accepted: safe on any bytes, but lets forms pass that are not canonical.
    void merge_encoded(std::span<const std::uint8_t> bytes);

    // A JSON object; see core/sketch_text.cpp. The text is in `memory`. Throws syntax or corrupt for any other text.
    [[nodiscard]] Array<char> to_text(std::pmr::memory_resource &memory) const;
    [[nodiscard]] static Sketch from_text(std::string_view text, std::pmr::memory_resource &memory);

    // The content without the version byte, as a part of a larger format.
    void write(Writer &writer) const noexcept;
    // Without the buckets, what is merged answers no percentile and no rank.
    [[nodiscard]] static EncodedSketch read(Reader &reader, bool with_buckets = true);
    static void skip(Reader &reader); // goes past one
    void write_text(TextWriter &writer) const;
    void read_text(TextReader &reader); // into an empty sketch

    void release() noexcept;

private:
    std::pmr::memory_resource *memory_;
    Extent extent_;
    std::uint64_t zeros_ = 0;
    Buckets negative_;
    Buckets positive_;
};

// The rank among `count` ≥ 1 values that percentile p asks for: ceil(p * count), at least 1, computed in doubles as
// PostgreSQL's percentile_disc does. Throws out_of_range unless 0 ≤ p ≤ 1.
[[nodiscard]] std::uint64_t percentile_rank(double p, std::uint64_t count);

// Whether the buckets hold `extent.count` values and end where its minimum and maximum lie.
[[nodiscard]] bool consistent(const Extent &extent, std::uint64_t zeros, const BucketRange &negative,
                              const BucketRange &positive) noexcept;

} // namespace gravitas::telemetry::core
