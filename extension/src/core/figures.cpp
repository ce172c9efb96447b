#include "core/figures.hpp"

#include <algorithm>
#include <cmath>

namespace gravitas::telemetry::core {

namespace {

std::optional<double> finite(double x) { return std::isfinite(x) ? std::optional{x} : std::nullopt; }

std::optional<double> ratio(const MsOverTokens &ratio)
{
    if (ratio.tokens == 0)
        return std::nullopt;
    return finite(ratio.duration_ms.value().value_or(NAN) / static_cast<double>(ratio.tokens));
}

// The listed values of a metric.
Ascending<double, most_listed> listed_values(const Summary &summary, Metric metric)
{
    Ascending<double, most_listed> found;
    for (const Sample &sample : summary.samples()) {
        const auto take = [&](Sample::Flag flag, double value) {
            if (sample.has(flag))
                found.insert(value);
        };
        switch (metric) {
        case Metric::value:
            take(Sample::has_value, sample.value);
            break;
        case Metric::duration_ms:
            take(Sample::has_duration, sample.duration_ms);
            break;
        case Metric::first_token_ms:
            take(Sample::has_first_token, sample.first_token_ms);
            break;
        }
    }
    return found;
}

} // namespace

std::uint64_t measured(const Summary &summary, Metric metric) { return summary.totals()[metric].sketch.count(); }

std::optional<double> total(const Summary &summary, Metric metric)
{
    return measured(summary, metric) == 0 ? std::nullopt : summary.totals()[metric].moments.sum.value();
}

std::optional<double> mean(const Summary &summary, Metric metric)
{
    const std::optional<double> sum = total(summary, metric);
    return sum ? std::optional{*sum / static_cast<double>(measured(summary, metric))} : std::nullopt;
}

std::optional<double> least(const Summary &summary, Metric metric)
{
    const Extent &extent = summary.totals()[metric].sketch.extent();
    return extent.count == 0 ? std::nullopt : std::optional{extent.minimum};
}

std::optional<double> greatest(const Summary &summary, Metric metric)
{
    const Extent &extent = summary.totals()[metric].sketch.extent();
    return extent.count == 0 ? std::nullopt : std::optional{extent.maximum};
}

std::optional<double> standard_deviation(const Summary &summary, Metric metric)
{
    const std::uint64_t count = measured(summary, metric);
    if (count < 2)
        return std::nullopt;
    return finite(std::sqrt(summary.totals()[metric].moments.squares / static_cast<double>(count - 1)));
}

std::optional<double> percentile(const Summary &summary, Metric metric, double p)
{
    if (!summary.is_listed())
        return summary.totals()[metric].sketch.percentile(p);
    const auto values = listed_values(summary, metric);
    const std::uint64_t rank = percentile_rank(p, std::max<std::size_t>(1, values.size()));
    return values.size() == 0 ? std::nullopt : std::optional{values[rank - 1]};
}

std::optional<double> rank(const Summary &summary, Metric metric, double x)
{
    if (!summary.is_listed())
        return summary.totals()[metric].sketch.rank(x);
    if (std::isnan(x))
        throw Error{ErrorKind::out_of_range, "value is not a number"};
    const auto values = listed_values(summary, metric);
    if (values.size() == 0)
        return std::nullopt;
    const auto reached = std::upper_bound(values.begin(), values.end(), x) - values.begin();
    return static_cast<double>(reached) / static_cast<double>(values.size());
}

std::optional<double> ms_per_token(const Summary &summary) { return ratio(summary.totals().counters.weighted); }

std::optional<double> tokens_per_second(const Summary &summary)
{
    const std::optional<double> score = ms_per_token(summary);
    return score && *score > 0 ? finite(1000 / *score) : std::nullopt;
}

std::optional<double> decode_ms_per_token(const Summary &summary) { return ratio(summary.totals().counters.decode); }

std::optional<double> error_rate(const Summary &summary)
{
    const Counters &counters = summary.totals().counters;
    if (counters.events == 0)
        return std::nullopt;
    return static_cast<double>(counters.errors) / static_cast<double>(counters.events);
}

} // namespace gravitas::telemetry::core
