#include "metrics.hpp"

#include "parameters.hpp"
#include "prometheus.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gravitas::telemetry::http {

namespace {

constexpr const char *other = "(other)";

// Those of OpenTelemetry's gen_ai.server.request.duration and gen_ai.server.time_to_first_token.
constexpr double duration_bounds_s[] = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                        1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
constexpr double first_token_bounds_s[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                           0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};

constexpr char series_sql[] = R"(
    WITH series AS MATERIALIZED (
        SELECT r.event_type, r.component, telemetry.merge(r.summary) AS summary
        FROM (SELECT d.event_type, d.component, d.summary FROM telemetry.rollup_day AS d
              UNION ALL
              SELECT d.event_type, d.component, d.summary FROM telemetry.deltas('-infinity', 'infinity') AS d) AS r
        GROUP BY r.event_type, r.component
    )
    SELECT s.event_type, coalesce(s.component, ''), telemetry.event_count(s.summary), telemetry.error_count(s.summary),
           telemetry.total_tokens(s.summary), telemetry.prompt_tokens(s.summary),
           telemetry.measurement_count(s.summary, 'duration_ms'), telemetry.total(s.summary, 'duration_ms') / 1000,
           duration.counts,
           telemetry.measurement_count(s.summary, 'first_token_ms'), telemetry.total(s.summary, 'first_token_ms') / 1000,
           first_token.counts, extract(epoch FROM telemetry.last_at(s.summary))
    FROM series AS s
    CROSS JOIN LATERAL (
        SELECT string_agg((telemetry.percentile_rank(s.summary, b.ms, 'duration_ms')
                           * telemetry.measurement_count(s.summary, 'duration_ms'))::bigint::text, ' ' ORDER BY b.ms) AS counts
        FROM unnest($1::double precision[]) AS b (ms) WHERE s.event_type = 'THOUGHT_LATENCY') AS duration
    CROSS JOIN LATERAL (
        SELECT string_agg((telemetry.percentile_rank(s.summary, b.ms, 'first_token_ms')
                           * telemetry.measurement_count(s.summary, 'first_token_ms'))::bigint::text, ' ' ORDER BY b.ms) AS counts
        FROM unnest($2::double precision[]) AS b (ms) WHERE s.event_type = 'THOUGHT_LATENCY') AS first_token
    ORDER BY telemetry.event_count(s.summary) DESC, s.event_type, s.component)";

// A distribution; counts are cumulative, as many as there are bounds.
struct Histogram {
    std::vector<std::uint64_t> counts;
    std::uint64_t count = 0;
    double sum_s = 0;

    void operator+=(const Histogram &more)
    {
        counts.resize(std::max(counts.size(), more.counts.size()));
        for (std::size_t i = 0; i < more.counts.size(); ++i)
            counts[i] += more.counts[i];
        count += more.count;
        sum_s += more.sum_s;
    }
};

struct Model {
    std::uint64_t generated_tokens = 0;
    std::uint64_t prompt_tokens = 0;
    Histogram duration;
    Histogram first_token;
};

struct Series {
    std::uint64_t events = 0;
    std::uint64_t errors = 0;
};

struct Figures {
    std::map<std::string, Model> models;
    std::map<std::pair<std::string, std::string>, Series> series; // by event type and component
    double last_event_s = 0;
};

std::uint64_t count_in(const Result &result, int row, int column)
{
    std::uint64_t count = 0;
    const std::string_view text = result.text(row, column);
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

double number_in(const Result &result, int row, int column)
{
    double number = 0;
    const std::string_view text = result.text(row, column);
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// Of the columns from one on: count, sum, cumulative counts. NULLs read as nothing.
Histogram histogram_in(const Result &result, int row, int column)
{
    Histogram histogram;
    histogram.count = count_in(result, row, column);
    histogram.sum_s = number_in(result, row, column + 1);
    const std::string_view counts = result.text(row, column + 2);
    const char *at = counts.data();
    const char *const end = at + counts.size();
    while (at < end) {
        at = std::from_chars(at, end, histogram.counts.emplace_back()).ptr;
        at += at < end;
    }
    return histogram;
}

void add_model(Figures &figures, const std::string &name, const Result &result, int row)
{
    Model &model = figures.models[name];
    model.generated_tokens += count_in(result, row, 4);
    model.prompt_tokens += count_in(result, row, 5);
    model.duration += histogram_in(result, row, 6);
    model.first_token += histogram_in(result, row, 9);
}

std::string array_of_ms(std::span<const double> bounds_s)
{
    std::string array;
    for (const double bound_s : bounds_s)
        array += (array.empty() ? "{" : ",") + float_text(bound_s * 1000);
    return array + "}";
}

Figures read_figures(Pool &pool, Places &models, Places &series)
{
    const Result result = pool.query(series_sql, {array_of_ms(duration_bounds_s), array_of_ms(first_token_bounds_s)});
    Figures figures;
    for (int row = 0; row < result.rows(); ++row) {
        const std::string event_type(result.text(row, 0));
        const std::string component(result.text(row, 1));
        if (event_type == "THOUGHT_LATENCY")
            add_model(figures, models.has_place(component) ? component : other, result, row);
        const bool has_place = series.has_place(event_type + '\0' + component);
        Series &sum = figures.series[has_place ? std::pair(event_type, component)
                                               : std::pair<std::string, std::string>(other, other)];
        sum.events += count_in(result, row, 2);
        sum.errors += count_in(result, row, 3);
        figures.last_event_s = std::max(figures.last_event_s, number_in(result, row, 12));
    }
    return figures;
}

using Type = Exposition::Type;

void put_histograms(Exposition &out, const Figures &figures, const char *name, const char *help,
                    Histogram Model::*which, std::span<const double> bounds_s)
{
    out.family(name, Type::histogram, help, "seconds");
    for (const auto &[model, figure] : figures.models) {
        const Histogram &histogram = figure.*which;
        if (histogram.count == 0)
            continue;
        for (std::size_t i = 0; i < bounds_s.size(); ++i)
            out.sample("_bucket", {{"model", model}, {"le", float_text(bounds_s[i])}},
                       i < histogram.counts.size() ? histogram.counts[i] : 0);
        out.sample("_bucket", {{"model", model}, {"le", "+Inf"}}, histogram.count);
        out.sample("_sum", {{"model", model}}, histogram.sum_s);
        out.sample("_count", {{"model", model}}, histogram.count);
    }
}

void put_models(Exposition &out, const Figures &figures)
{
    put_histograms(out, figures, "gravitas_telemetry_request_duration_seconds",
                   "Duration of inferences that did not fail.", &Model::duration, duration_bounds_s);
    put_histograms(out, figures, "gravitas_telemetry_time_to_first_token_seconds",
                   "Time to the first token of inferences that did not fail.", &Model::first_token,
                   first_token_bounds_s);
    out.family("gravitas_telemetry_generated_tokens", Type::counter, "Tokens generated.");
    for (const auto &[name, model] : figures.models)
        out.sample("", {{"model", name}}, model.generated_tokens);
    out.family("gravitas_telemetry_prompt_tokens", Type::counter, "Tokens of prompts.");
    for (const auto &[name, model] : figures.models)
        out.sample("", {{"model", name}}, model.prompt_tokens);
}

void put_series(Exposition &out, const Figures &figures)
{
    out.family("gravitas_telemetry_events", Type::counter, "Events of any type.");
    for (const auto &[key, series] : figures.series)
        out.sample("", {{"event_type", key.first}, {"component", key.second}}, series.events);
    out.family("gravitas_telemetry_errors", Type::counter, "Events whose status is a failure.");
    for (const auto &[key, series] : figures.series)
        out.sample("", {{"event_type", key.first}, {"component", key.second}}, series.errors);
    out.family("gravitas_telemetry_last_event_timestamp_seconds", Type::gauge, "When the last event ended.", "seconds");
    if (figures.last_event_s > 0)
        out.sample("", {}, figures.last_event_s);
}

void put_gauges(Exposition &out, const char *name, const char *help, const char *unit, const char *label,
                const Result &result, int column)
{
    out.family(name, Type::gauge, help, unit);
    for (int row = 0; row < result.rows(); ++row) {
        if (!result.is_null(row, column))
            out.sample("", {{label, result.text(row, 0)}}, count_in(result, row, column));
    }
}

void put_state(Exposition &out, Pool &pool)
{
    const Result tables = pool.query(
        "SELECT f.table_name, f.total_bytes, f.row_count FROM telemetry.footprint AS f WHERE f.table_name <> 'total'");
    put_gauges(out, "gravitas_telemetry_table_bytes", "Bytes of a table, with its indexes.", "bytes", "table", tables,
               1);
    put_gauges(out, "gravitas_telemetry_table_rows", "Rows of a table; of a large one an estimate.", "", "table",
               tables, 2);
    const Result alerts =
        pool.query("SELECT r.rule, count(a.rule) FROM telemetry.alert_rules() AS r"
                   " LEFT JOIN telemetry.alerts AS a ON a.rule = r.rule GROUP BY r.rule ORDER BY r.rule");
    put_gauges(out, "gravitas_telemetry_alerts_firing", "Alerts that fire, by rule.", "", "rule", alerts, 1);
    const Result state = pool.query(
        "SELECT (SELECT count(*) FROM (SELECT FROM telemetry.deltas('-infinity', 'infinity') LIMIT 1000000) AS d),"
        " (SELECT extversion FROM pg_extension WHERE extname = 'gravitas_telemetry'), "
        "current_setting('server_version')");
    out.family("gravitas_telemetry_delta_backlog", Type::gauge,
               "Summaries that wait for maintenance; counting ends at a million.");
    out.sample("", {}, count_in(state, 0, 0));
    out.family("gravitas_telemetry", Type::info, "Versions of the extension and of the server.");
    out.sample("", {{"extension_version", state.text(0, 1)}, {"server_version", state.text(0, 2)}}, std::uint64_t{1});
}

bool wants_open_metrics(const httplib::Request &request)
{
    return request.get_header_value("Accept").find("application/openmetrics-text") != std::string::npos;
}

} // namespace

bool Places::has_place(const std::string &name)
{
    const std::lock_guard lock(mutex_);
    if (names_.contains(name))
        return true;
    return names_.size() < most_ && names_.insert(name).second;
}

Answer Metrics::answer(Pool &pool, const httplib::Request &request)
{
    const Parameters parameters(request.params, {});
    Exposition out(wants_open_metrics(request) ? Exposition::Format::open_metrics : Exposition::Format::prometheus);
    const Figures figures = read_figures(pool, models_, series_);
    put_models(out, figures);
    put_series(out, figures);
    put_state(out, pool);
    const char *const type = out.content_type();
    return {200, std::move(out).finish(), type, {{"Vary", "Accept"}}};
}

} // namespace gravitas::telemetry::http
