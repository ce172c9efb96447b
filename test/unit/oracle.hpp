// What the figures of a summary must be, by brute force over the events.

#pragma once

#include "support.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace gravitas::telemetry::core::test {

class Oracle {
public:
    explicit Oracle(const std::vector<Observation> &events) : events_(events)
    {
        for (const Observation &event : events_)
            if (!failed(event))
                measure(event);
        for (std::vector<double> &values : metrics_)
            std::sort(values.begin(), values.end());
    }

    struct Ratio {
        long double numerator = 0;
        std::uint64_t denominator = 0;
    };

    [[nodiscard]] std::uint64_t errors() const
    {
        return static_cast<std::uint64_t>(
            std::count_if(events_.begin(), events_.end(), [](const Observation &event) { return event.is_error; }));
    }
    // Ascending.
    [[nodiscard]] const std::vector<double> &values(Metric metric) const
    {
        return metrics_[static_cast<std::size_t>(metric)];
    }
    [[nodiscard]] long double sum(Metric metric) const
    {
        long double sum = 0;
        for (const double value : values(metric))
            sum += value;
        return sum;
    }
    [[nodiscard]] double magnitudes(Metric metric) const
    {
        double sum = 0;
        for (const double value : values(metric))
            sum += std::abs(value);
        return sum;
    }
    [[nodiscard]] double standard_deviation(Metric metric) const
    {
        const auto count = static_cast<long double>(values(metric).size());
        const long double mean = sum(metric) / count;
        long double squares = 0;
        for (const double value : values(metric))
            squares += (value - mean) * (value - mean);
        return static_cast<double>(std::sqrt(squares / (count - 1)));
    }

    std::uint64_t unscored = 0;
    std::uint64_t tokens_generated = 0;
    std::uint64_t prompt_tokens = 0;
    Ratio weighted;
    Ratio decode;

private:
    static bool failed(const Observation &event) { return event.is_error && event.kind != EventKind::other; }

    void measure(const Observation &event)
    {
        if (event.duration_ms)
            metrics_[1].push_back(*event.duration_ms);
        if (event.first_token_ms)
            metrics_[2].push_back(*event.first_token_ms);
        const bool is_thought = event.kind == EventKind::thought;
        const bool has_score = event.value && !(is_thought && event.tokens_generated && *event.tokens_generated == 0);
        unscored += is_thought && !has_score ? 1 : 0;
        if (has_score)
            metrics_[0].push_back(*event.value);
        if (!is_thought)
            return;
        const int tokens = event.tokens_generated.value_or(0);
        tokens_generated += static_cast<std::uint64_t>(tokens);
        prompt_tokens += static_cast<std::uint64_t>(event.prompt_tokens.value_or(0));
        if (!has_score || tokens == 0 || !event.duration_ms)
            return;
        weighted.numerator += *event.duration_ms;
        weighted.denominator += static_cast<std::uint64_t>(tokens);
        if (tokens > 1 && event.first_token_ms && *event.first_token_ms <= *event.duration_ms) {
            decode.numerator += *event.duration_ms - *event.first_token_ms;
            decode.denominator += static_cast<std::uint64_t>(tokens - 1);
        }
    }

    const std::vector<Observation> &events_;
    std::vector<double> metrics_[metrics];
};

} // namespace gravitas::telemetry::core::test
