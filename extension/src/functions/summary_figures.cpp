// What can be asked of a summary.

#include "core/figures.hpp"
#include "functions/figure.hpp"
#include "functions/figure_columns.hpp"
#include "functions/mergeable_type.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;
using core::Metric;
using core::Summary;

namespace {

// Argument `number`: which figure of the events is meant.
Metric metric_argument(FunctionCallInfo fcinfo, int number)
{
    const std::string_view name = pg::view_of(PG_GETARG_TEXT_PP(number));
    if (name == "value")
        return Metric::value;
    if (name == "duration_ms")
        return Metric::duration_ms;
    if (name == "first_token_ms")
        return Metric::first_token_ms;
    throw core::Error(core::sqlstate::invalid_parameter_value,
                      "unknown metric \"" + std::string(name.substr(0, 64)) + "\"",
                      "A summary knows value, duration_ms and first_token_ms.");
}

template <typename Read>
Datum number(FunctionCallInfo fcinfo, Read read)
{
    return pg::with_value<Summary>(PG_GETARG_DATUM(0), [&](const Summary &summary) {
        return Int64GetDatum(static_cast<std::int64_t>(read(summary)));
    });
}

template <typename Read>
Datum instant(FunctionCallInfo fcinfo, Read read)
{
    return pg::with_value<Summary>(PG_GETARG_DATUM(0), [&](const Summary &summary) {
        const core::Counters &counters = summary.totals().counters;
        return counters.events == 0 ? return_null(fcinfo) : TimestampTzGetDatum(read(counters));
    });
}

} // namespace

// figures(summary) → a row of what most questions ask
TELEMETRY_FUNCTION(summary_figures)
{
    return pg::with_value<Summary>(PG_GETARG_DATUM(0), [&](const Summary &summary) {
        pg::Columns columns;
        add_figures(columns, summary);
        return columns.row(fcinfo);
    });
}

TELEMETRY_FUNCTION(summary_event_count)
{
    return number(fcinfo, [](const Summary &s) { return s.totals().counters.events; });
}
TELEMETRY_FUNCTION(summary_error_count)
{
    return number(fcinfo, [](const Summary &s) { return s.totals().counters.errors; });
}
TELEMETRY_FUNCTION(summary_unscored_count)
{
    return number(fcinfo, [](const Summary &s) { return s.totals().counters.unscored; });
}
TELEMETRY_FUNCTION(summary_total_tokens)
{
    return number(fcinfo, [](const Summary &s) { return s.totals().counters.tokens_generated; });
}
TELEMETRY_FUNCTION(summary_prompt_tokens)
{
    return number(fcinfo, [](const Summary &s) { return s.totals().counters.prompt_tokens; });
}
TELEMETRY_FUNCTION(summary_first_at)
{
    return instant(fcinfo, [](const core::Counters &c) { return c.first_at; });
}
TELEMETRY_FUNCTION(summary_last_at)
{
    return instant(fcinfo, [](const core::Counters &c) { return c.last_at; });
}
TELEMETRY_FUNCTION(summary_ms_per_token) { return figure<Summary>(fcinfo, core::ms_per_token); }
TELEMETRY_FUNCTION(summary_tokens_per_second) { return figure<Summary>(fcinfo, core::tokens_per_second); }
TELEMETRY_FUNCTION(summary_decode_ms_per_token) { return figure<Summary>(fcinfo, core::decode_ms_per_token); }
TELEMETRY_FUNCTION(summary_error_rate) { return figure<Summary>(fcinfo, core::error_rate); }
TELEMETRY_FUNCTION(summary_mean_score) { return figure<Summary>(fcinfo, core::mean_score); }
TELEMETRY_FUNCTION(summary_best_score) { return figure<Summary>(fcinfo, core::best); }
TELEMETRY_FUNCTION(summary_worst_score) { return figure<Summary>(fcinfo, core::worst); }

// Each of these takes the metric as its last argument.
TELEMETRY_FUNCTION(summary_measurement_count)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return number(fcinfo, [=](const Summary &s) { return core::measured(s, metric); });
}
TELEMETRY_FUNCTION(summary_total)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::total(s, metric); });
}
TELEMETRY_FUNCTION(summary_mean)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::mean(s, metric); });
}
TELEMETRY_FUNCTION(summary_min_value)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::least(s, metric); });
}
TELEMETRY_FUNCTION(summary_max_value)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::greatest(s, metric); });
}
TELEMETRY_FUNCTION(summary_standard_deviation)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::standard_deviation(s, metric); });
}
TELEMETRY_FUNCTION(summary_percentile)
{
    const double p = checked_share(PG_GETARG_FLOAT8(1));
    const Metric metric = metric_argument(fcinfo, 2);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::percentile(s, metric, p); });
}
TELEMETRY_FUNCTION(summary_percentiles)
{
    const Metric metric = metric_argument(fcinfo, 2);
    return figures<Summary>(fcinfo, [=](const Summary &s, double p) { return core::percentile(s, metric, p); });
}
TELEMETRY_FUNCTION(summary_percentile_rank)
{
    const double x = PG_GETARG_FLOAT8(1);
    const Metric metric = metric_argument(fcinfo, 2);
    return figure<Summary>(fcinfo, [=](const Summary &s) { return core::rank(s, metric, x); });
}

// sketch(summary, metric): the distribution of one metric on its own
TELEMETRY_FUNCTION(summary_sketch)
{
    const Metric metric = metric_argument(fcinfo, 1);
    return pg::with_value<Summary>(
        PG_GETARG_DATUM(0), [=](const Summary &summary) { return pg::flat_datum(summary.totals()[metric].sketch); });
}
