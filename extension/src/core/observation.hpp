// What one event tells a summary.

#pragma once

#include "core/event.hpp"

#include <compare>
#include <cstdint>
#include <optional>

namespace gravitas::telemetry::core {

// An event as it is stored, already completed: the value of a thought is its score in ms/token.
struct Observation {
    EventKind kind = EventKind::other;
    bool is_error = false;
    std::int64_t at = 0; // µs since any fixed instant; bindings use PostgreSQL's 2000-01-01
    std::optional<double> value;
    std::optional<double> duration_ms;
    std::optional<double> first_token_ms;
    std::optional<std::int32_t> prompt_tokens;
    std::optional<std::int32_t> tokens_generated;
};

// What counts of an event, and nothing else of it:
//   - a failed load or thought is an event and an error, no more; other events are measured whatever their status;
//   - a thought that generated no token has no score: its value does not count, its latencies and prompt tokens do;
//   - tokens count for thoughts only.
// Absent numbers are 0 here, so that samples compare by all their members.
struct Sample {
    enum Flag : std::uint8_t {
        error = 1,
        unscored = 2, // a thought, not failed, without a score
        has_value = 4,
        has_duration = 8,
        has_first_token = 16,
        has_prompt_tokens = 32,
        has_tokens_generated = 64,
    };

    std::int64_t at = 0;
    double value = 0;
    double duration_ms = 0;
    double first_token_ms = 0;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t tokens_generated = 0; // at least 1 where present
    std::uint8_t flags = 0;

    [[nodiscard]] bool has(std::uint8_t all) const noexcept { return (flags & all) == all; }
    [[nodiscard]] friend auto operator<=>(const Sample &, const Sample &) = default;
};

// Throws out_of_range for NaN, infinities, negative durations and negative token counts, also where they do not count.
[[nodiscard]] Sample sample_of(const Observation &event);

// Whether sample_of() can give this sample. For samples that were read.
[[nodiscard]] bool valid(const Sample &sample) noexcept;

} // namespace gravitas::telemetry::core
