// The figures people read off a summary. Every one is absent where nothing was measured or where a sum has left
// the range of doubles.

#pragma once

#include "core/summary.hpp"

#include <cstdint>
#include <optional>

namespace gravitas::telemetry::core {

[[nodiscard]] std::uint64_t measured(const Summary &summary, Metric metric = Metric::value);
[[nodiscard]] std::optional<double> total(const Summary &summary, Metric metric);
[[nodiscard]] std::optional<double> mean(const Summary &summary, Metric metric);
[[nodiscard]] std::optional<double> least(const Summary &summary, Metric metric);
[[nodiscard]] std::optional<double> greatest(const Summary &summary, Metric metric);
// Of a sample, over n - 1, as SQL's stddev; absent below two values.
[[nodiscard]] std::optional<double> standard_deviation(const Summary &summary, Metric metric);

// The value at rank ceil(p * n): exact while the samples are listed, otherwise Sketch::percentile. Throws
// out_of_range unless 0 ≤ p ≤ 1.
[[nodiscard]] std::optional<double> percentile(const Summary &summary, Metric metric, double p);
// The share of values ≤ x: exact while the samples are listed, otherwise Sketch::rank. Throws out_of_range for NaN.
[[nodiscard]] std::optional<double> rank(const Summary &summary, Metric metric, double x);

// Scores, in ms/token; less is better.
[[nodiscard]] inline std::optional<double> mean_score(const Summary &s) { return mean(s, Metric::value); }
[[nodiscard]] inline std::optional<double> best(const Summary &s) { return least(s, Metric::value); }
[[nodiscard]] inline std::optional<double> worst(const Summary &s) { return greatest(s, Metric::value); }
// Token-weighted: sum of durations over sum of generated tokens, of the scored thoughts that have both.
[[nodiscard]] std::optional<double> ms_per_token(const Summary &summary);
[[nodiscard]] std::optional<double> tokens_per_second(const Summary &summary);
// The pace after the first token: sum of (duration - first token) over sum of (tokens - 1).
[[nodiscard]] std::optional<double> decode_ms_per_token(const Summary &summary);
// Errors over all events.
[[nodiscard]] std::optional<double> error_rate(const Summary &summary);

// Least squares: duration_ms ≈ fixed_ms + ms_per_prompt_token * p + ms_per_generated_token * g.
struct LatencyModel {
    double fixed_ms;
    double ms_per_prompt_token;
    double ms_per_generated_token;
    double r_squared; // share of the variance of durations that it explains, 0 to 1
};

// Absent below four calls, and where prompt and generated tokens do not vary independently.
[[nodiscard]] std::optional<LatencyModel> latency_model(const Summary &summary);

} // namespace gravitas::telemetry::core
