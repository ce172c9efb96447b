// The columns that figures() and the series show of a summary.

#pragma once

#include "core/figures.hpp"
#include "pg/row.hpp"

namespace gravitas::telemetry {

// event_count, error_count, measurement_count, total_tokens, prompt_tokens, first_at, last_at, ms_per_token,
// mean_value, min_value, max_value, p50, p95, p99; the last three null where they are not wanted
inline void add_figures(pg::Columns &columns, const core::Summary &summary, bool percentiles = true)
{
    const core::Counters &counters = summary.totals().counters;
    columns.add_count(counters.events);
    columns.add_count(counters.errors);
    columns.add_count(core::measured(summary));
    columns.add_count(counters.tokens_generated);
    columns.add_count(counters.prompt_tokens);
    columns.add(TimestampTzGetDatum(counters.first_at), counters.events == 0);
    columns.add(TimestampTzGetDatum(counters.last_at), counters.events == 0);
    columns.add(core::ms_per_token(summary));
    columns.add(core::mean_score(summary));
    columns.add(core::best(summary));
    columns.add(core::worst(summary));
    for (const double p : {0.5, 0.95, 0.99})
        columns.add(percentiles ? core::percentile(summary, core::Metric::value, p) : std::nullopt);
}

} // namespace gravitas::telemetry
