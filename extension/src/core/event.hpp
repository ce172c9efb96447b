// What an event's figures mean: which ones a type of event has, which follow from others, which are impossible.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gravitas::telemetry::core {

enum class EventKind {
    load,    // LOAD_LATENCY: value is seconds
    thought, // THOUGHT_LATENCY: value is the efficiency score, milliseconds per generated token
    other,   // everything else: value is the event's own figure
};

EventKind kind_of(std::string_view event_type) noexcept;

// The statuses of a failed call, in any case: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED, ABORTED.
bool is_error_status(std::string_view status) noexcept;

// The measured figures of one event. Absent: not known.
struct Figures {
    std::optional<double> value = {};          // unit: see EventKind
    std::optional<double> duration_ms = {};    // elapsed time of the load or the inference
    std::optional<double> first_token_ms = {}; // from the request to the first token
    std::optional<std::int32_t> prompt_tokens = {};
    std::optional<std::int32_t> tokens_generated = {};
};

// Longest duration, and highest score, that is taken for a measurement: 31 years. It keeps every sum finite.
inline constexpr double max_duration_ms = 1e12;
// A shorter one is 0: a femtosecond is beyond any clock, and quotients of far smaller numbers are no numbers in SQL.
inline constexpr double min_duration_ms = 1e-12;

bool is_possible_duration_ms(double milliseconds) noexcept; // finite, not negative, at most max_duration_ms

// Throw Error (22023) that names a figure which cannot have been measured: NaN or infinite, a negative or absurd
// duration, a negative count. An absent figure is fine.
void check_duration_ms(const char *name, const std::optional<double> &milliseconds);
void check_count(const char *name, const std::optional<std::int32_t> &count);
void check(EventKind kind, const Figures &figures);

// Derives what follows from the figures given.
// load:    duration_ms = 1000 × value, or where only that is known, value = duration_ms / 1000.
// thought: value = duration_ms / tokens_generated; with 0 tokens there is no score, whatever was given;
//          duration_ms = value × tokens_generated where only those are known.
void complete(EventKind kind, Figures &figures) noexcept;

} // namespace gravitas::telemetry::core
