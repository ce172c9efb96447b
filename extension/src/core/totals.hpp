// What a summary of many events holds: counts, sums and sketches, all of which add up.

#pragma once

#include "core/observation.hpp"
#include "core/sketch.hpp"
#include "core/sum.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory_resource>

namespace gravitas::telemetry::core {

// The figures of an event that have a distribution.
enum class Metric : std::uint8_t { value, duration_ms, first_token_ms };
inline constexpr std::size_t metrics = 3;

// Some of them.
class MetricSet {
public:
    constexpr MetricSet(std::initializer_list<Metric> members) noexcept
    {
        for (const Metric metric : members)
            bits_ |= 1U << static_cast<unsigned>(metric);
    }
    [[nodiscard]] constexpr bool has(std::size_t metric) const noexcept { return (bits_ >> metric & 1) != 0; }

private:
    unsigned bits_ = 0;
};
inline constexpr MetricSet all_metrics = {Metric::value, Metric::duration_ms, Metric::first_token_ms};

// What of encoded totals will be asked for: the less, the quicker they merge.
struct Wanted {
    MetricSet metrics = all_metrics;
    bool buckets = true; // without them no percentile and no rank
    bool regression = true;
};

// A numerator in ms over a denominator in tokens.
struct MsOverTokens {
    Sum duration_ms;
    std::uint64_t tokens = 0;
};

// The sums of the normal equations that explain duration d (ms) by prompt tokens p and generated tokens g, over
// the scored thoughts of which all three are known.
struct RegressionSums {
    std::uint64_t calls = 0;
    std::uint64_t p = 0;
    std::uint64_t g = 0;
    WideCount pp;
    WideCount pg;
    WideCount gg;
    Sum d;
    Sum pd;
    Sum gd;
    Sum dd;

    void add(std::uint32_t prompt, std::uint32_t generated, double duration_ms) noexcept;
    void merge(const RegressionSums &other) noexcept;
};

struct Counters {
    std::uint64_t events = 0;
    std::uint64_t errors = 0;
    std::uint64_t unscored = 0; // thoughts, not failed, without a score
    std::int64_t first_at = 0;  // µs; both mean nothing without events
    std::int64_t last_at = 0;
    std::uint64_t tokens_generated = 0; // of thoughts that did not fail, like all tokens
    std::uint64_t prompt_tokens = 0;
    MsOverTokens weighted; // duration over generated tokens, where both are known
    MsOverTokens decode;   // duration - first token over tokens - 1, where all are known, there are two
                           // tokens or more and the first does not come after the end
    RegressionSums regression;

    // Throws overflow, then unchanged.
    void add(const Sample &sample);
    void merge(const Counters &other);
};

// The sum of a metric and the sum of its squared distances from the mean, not finite once out of the range of doubles.
struct Moments {
    Sum sum;
    double squares = 0;

    // Youngs and Cramer 1971, equation 1.6: `count` values including x.
    void add(double x, std::uint64_t count) noexcept
    {
        sum.add(x);
        if (count > 1) {
            const double n = static_cast<double>(count);
            const double distance = n * x - sum.high();
            squares += distance * distance / (n * (n - 1));
        }
    }
    // Chan, Golub and LeVeque 1979, equation 2.1b: these are of `count` values, the other of `other_count`.
    void merge(std::uint64_t count, const Moments &other, std::uint64_t other_count) noexcept;
};

struct Measure {
    explicit Measure(std::pmr::memory_resource &memory) noexcept : sketch(memory) {}

    Sketch sketch;
    Moments moments;
};

struct EncodedMeasure {
    EncodedSketch sketch;
    Moments moments;
};

// The encoded form of totals, checked, the sketches left where they are.
struct EncodedTotals {
    Counters counters;
    std::array<EncodedMeasure, metrics> measures;
};

struct Totals {
    explicit Totals(std::pmr::memory_resource &memory) noexcept
        : measures{Measure{memory}, Measure{memory}, Measure{memory}}
    {
    }

    [[nodiscard]] const Measure &operator[](Metric metric) const noexcept
    {
        return measures[static_cast<std::size_t>(metric)];
    }

    // Throw overflow, then unchanged, and std::bad_alloc, then to be dropped.
    void add(const Sample &sample);
    void merge(const Totals &other);
    void merge(const EncodedTotals &other);

    void write(Writer &writer) const noexcept;
    // Of what is not wanted, nothing is kept and little is checked.
    [[nodiscard]] static EncodedTotals read(Reader &reader, const Wanted &wanted);
    // Of the counters what comes first: events, errors, unscored, first_at and last_at. The rest is not looked at.
    [[nodiscard]] static Counters read_beginning(Reader &reader);
    void write_text(TextWriter &writer) const;
    void read_text(TextReader &reader); // into empty totals

    void release() noexcept;

    Counters counters;
    std::array<Measure, metrics> measures;
};

// What contradicts itself in totals that were read, or null. Also keeps later additions from overflowing unnoticed.
[[nodiscard]] const char *contradiction(const Counters &counters, const std::array<Extent, metrics> &extents) noexcept;

} // namespace gravitas::telemetry::core
