#include "readers.hpp"

#include "timestamps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace gravitas::telemetry {

namespace {

using nlohmann::json;

// One row of an answer, read from left to right.
class Row {
public:
    Row(const Result &result, int row) : result_(result), row_(row) {}

    std::string text() { return std::string(next()); }
    std::optional<std::string> optional_text() { return next_is_null() ? skip<std::string>() : text(); }
    std::int64_t integer() { return number<std::int64_t>(); }
    std::optional<double> optional_figure() { return next_is_null() ? skip<double>() : number<double>(); }
    Clock::time_point time() { return parse_epoch(next()); }

private:
    [[nodiscard]] bool next_is_null() const { return result_.is_null(row_, column_); }
    std::string_view next() { return result_.text(row_, column_++); }

    template <typename T>
    std::optional<T> skip()
    {
        ++column_;
        return {};
    }

    template <typename T>
    T number()
    {
        const auto digits = next();
        T value{};
        if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
            throw std::invalid_argument('"' + std::string(digits) + "\" is not a number");
        return value;
    }

    const Result &result_;
    int row_;
    int column_ = 0;
};

template <typename T>
std::optional<T> optional_member(const json &object, const char *key)
{
    const json &member = object.at(key);
    return member.is_null() ? std::optional<T>() : member.get<T>();
}

std::optional<Clock::time_point> optional_time(const json &object, const char *key)
{
    const auto text = optional_member<std::string>(object, key);
    return text ? std::optional(parse_iso_timestamp(*text)) : std::nullopt;
}

ModelTrend model_trend(const json &trend)
{
    return {.component = optional_member<std::string>(trend, "component"),
            .measurement_count = trend.at("measurement_count").get<std::int64_t>(),
            .error_count = trend.at("error_count").get<std::int64_t>(),
            .avg_efficiency_score = optional_member<double>(trend, "avg_efficiency_score"),
            .weighted_efficiency_score = optional_member<double>(trend, "weighted_efficiency_score"),
            .best_efficiency = optional_member<double>(trend, "best_efficiency"),
            .worst_efficiency = optional_member<double>(trend, "worst_efficiency"),
            .total_tokens_processed = trend.at("total_tokens_processed").get<std::int64_t>(),
            .load_count = trend.at("load_count").get<std::int64_t>(),
            .avg_load_time_seconds = optional_member<double>(trend, "avg_load_time_seconds")};
}

// Runs `read`; what it cannot read is an Error like any other.
auto reading(const char *function, auto &&read)
{
    try {
        return read();
    } catch (const Error &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &error) {
        throw Error("could not read the answer of " + std::string(function) + ": " + error.what(), {}, false);
    }
}

std::optional<std::string> owned(std::optional<std::string_view> text)
{
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

} // namespace

std::vector<RecentEvent> Readers::recent_events(int limit, std::optional<std::string_view> component)
{
    const Result result = ask("SELECT event_type, component, value, coalesce(metadata::pg_catalog.text, 'null'),"
                              " status, extract(epoch FROM timestamp)"
                              " FROM telemetry.get_recent_events($1::pg_catalog.int4, $2::pg_catalog.text)",
                              {std::to_string(limit), owned(component)});
    return reading("get_recent_events()", [&] {
        std::vector<RecentEvent> events;
        for (int i = 0; i < result.rows(); ++i) {
            Row row(result, i);
            // Braces read the columns in order.
            events.push_back(RecentEvent{row.text(), row.optional_text(), row.optional_figure(), row.text(),
                                         row.optional_text(), row.time()});
        }
        return events;
    });
}

std::vector<Efficiency> Readers::aggregated_efficiency(std::optional<std::string_view> component, int hours)
{
    const Result result =
        ask("SELECT component, measurement_count, error_count, avg_efficiency_score, weighted_efficiency_score,"
            " best_efficiency, worst_efficiency, p50_efficiency, p95_efficiency, p99_efficiency, total_tokens,"
            " extract(epoch FROM window_start), extract(epoch FROM window_end)"
            " FROM telemetry.get_aggregated_efficiency($1::pg_catalog.text, $2::pg_catalog.int4)",
            {owned(component), std::to_string(hours)});
    return reading("get_aggregated_efficiency()", [&] {
        std::vector<Efficiency> efficiencies;
        for (int i = 0; i < result.rows(); ++i) {
            Row row(result, i);
            efficiencies.push_back(Efficiency{row.optional_text(), row.integer(), row.integer(), row.optional_figure(),
                                              row.optional_figure(), row.optional_figure(), row.optional_figure(),
                                              row.optional_figure(), row.optional_figure(), row.optional_figure(),
                                              row.integer(), row.time(), row.time()});
        }
        return efficiencies;
    });
}

SixtyDayStatistics Readers::sixty_day_statistics()
{
    const Result result = ask("SELECT telemetry.get_60day_statistics()");
    return reading("get_60day_statistics()", [&] {
        const json document = json::parse(result.text(0, 0));
        const json &overall = document.at("overall");
        SixtyDayStatistics statistics{.total_measurements = overall.at("total_measurements").get<std::int64_t>(),
                                      .unique_models = overall.at("unique_models").get<std::int64_t>(),
                                      .oldest_record = optional_time(overall, "oldest_record"),
                                      .newest_record = optional_time(overall, "newest_record"),
                                      .model_trends = {},
                                      .retention_window_days = document.at("retention_window_days").get<int>()};
        for (const json &trend : document.at("model_trends"))
            statistics.model_trends.push_back(model_trend(trend));
        return statistics;
    });
}

std::vector<TableFootprint> Readers::telemetry_footprint()
{
    const Result result = ask("SELECT telemetry.get_telemetry_footprint()");
    return reading("get_telemetry_footprint()", [&] {
        const json document = json::parse(result.text(0, 0));
        const json estimated = document.value("estimated_row_counts", json::array()); // none before 0.4
        std::vector<TableFootprint> tables;
        for (const char *const table : {"system_telemetry", "usage_stats", "history"}) {
            tables.push_back(
                {.table = table,
                 .size_bytes = document.at("table_sizes").at(table).get<std::int64_t>(),
                 .row_count = document.at("row_counts").at(table).get<std::int64_t>(),
                 .row_count_is_estimate = std::find(estimated.begin(), estimated.end(), table) != estimated.end(),
                 .oldest_record = optional_time(document.at("oldest_record"), table)});
        }
        return tables;
    });
}

Result Readers::ask(const char *query, std::initializer_list<Parameter> parameters)
{
    std::vector<const char *> values;
    for (const Parameter &parameter : parameters) {
        if (parameter && parameter->find('\0') != std::string::npos)
            throw Error("a component cannot contain a NUL", "22021", false);
        values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    const std::lock_guard lock(mutex_);
    connection_.ensure_open();
    return connection_.execute(query, values);
}

} // namespace gravitas::telemetry
