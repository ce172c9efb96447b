#include "questions.hpp"

#include "json.hpp"
#include "parameters.hpp"

#include <algorithm>
#include <iterator>

namespace gravitas::telemetry::http {

namespace {

constexpr int default_hours = 24;
constexpr int most_events = 10'000;
constexpr int most_rows = 50'000;

// The steps that fill hours or days, in minutes.
constexpr int steps[] = {1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440};

// The shortest of which a window has not many more than 200.
int step_for(int hours)
{
    constexpr long most_steps = 200;
    const auto enough =
        std::find_if(std::begin(steps), std::end(steps), [&](int step) { return hours * 60L / step <= most_steps; });
    return enough == std::end(steps) ? steps[std::size(steps) - 1] : *enough;
}

std::string interval_of(int minutes) { return std::to_string(minutes) + " minutes"; }

Parameter step_parameter(const std::optional<int> &minutes)
{
    return minutes ? Parameter(interval_of(*minutes)) : std::nullopt;
}

std::string number_or_null(const std::optional<int> &number) { return number ? std::to_string(*number) : "null"; }

// Names and documents may be of any length, so that few events may be more than anybody can take: the first, and of
// those behind it as many as make 16 MB.
constexpr char events_sql[] = R"(
    WITH newest AS MATERIALIZED (
        SELECT row_number() OVER () AS n, e.* FROM telemetry.get_events($1, $2, $3, $4) AS e
    ), sized AS (
        SELECT w.*, sum(octet_length(concat(w.event_type, w.component, w.status, w.metadata))) OVER (ORDER BY w.n) AS bytes
        FROM newest AS w
    )
    SELECT s."timestamp", s.event_type, s.component, s.value, s.status, s.metadata
    FROM sized AS s WHERE s.n = 1 OR s.bytes <= 16 * 1024 * 1024 ORDER BY s.n)";

// A window that several statements are about: each is asked as of the same time.
struct Window {
    Window(Pool &pool, int hours)
        : result(pool.query("SELECT now(), w.window_start, w.window_end FROM telemetry.reading_window($1, now()) AS w",
                            {std::to_string(hours)})),
          as_of(result.text(0, 0))
    {
    }

    [[nodiscard]] std::string members() const
    {
        std::string out = R"("window_start":)";
        append_value(out, result, 0, 1);
        out += R"(,"window_end":)";
        append_value(out, result, 0, 2);
        return out;
    }

    Result result;
    std::string as_of;
};

// Asked for one row more than there may be.
void require_few_rows(const Result &rows)
{
    if (rows.rows() > most_rows)
        throw Refusal(400, "the answer has more than " + std::to_string(most_rows) + " rows",
                      "Ask for one component, fewer hours, or a longer step.");
}

std::string row_limit() { return std::to_string(most_rows + 1); }

void append_member(std::string &out, const char *name, const Result &rows)
{
    out.append("\"").append(name).append("\":");
    append_rows(out, rows);
}

} // namespace

Answer answer_efficiency(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {"hours", "component"});
    const int hours = parameters.integer("hours", 1, most_hours).value_or(default_hours);
    const Window window(pool, hours);
    const Result rows = pool.query(
        "SELECT e.component, e.measurement_count, e.error_count, e.avg_efficiency_score, e.weighted_efficiency_score,"
        " e.best_efficiency, e.worst_efficiency, e.p50_efficiency, e.p95_efficiency, e.p99_efficiency, e.total_tokens"
        " FROM telemetry.get_aggregated_efficiency($1, $2, $3) AS e LIMIT $4",
        {parameters.text("component"), std::to_string(hours), window.as_of, row_limit()});
    require_few_rows(rows);
    std::string body = R"({"hours":)" + std::to_string(hours) + ',' + window.members() + ',';
    append_member(body, "rows", rows);
    return {200, body + '}'};
}

Answer answer_trend(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {"component", "hours", "step"});
    const int hours = parameters.integer("hours", 1, most_hours).value_or(default_hours);
    const int step = parameters.integer("step", 1, most_minutes).value_or(step_for(hours));
    const Result rows =
        pool.query("SELECT * FROM telemetry.efficiency_trend($1, $2, $3) LIMIT $4",
                   {parameters.text("component"), std::to_string(hours), interval_of(step), row_limit()});
    require_few_rows(rows);
    std::string body = R"({"hours":)" + std::to_string(hours) + R"(,"step_minutes":)" + std::to_string(step) + ',';
    append_member(body, "rows", rows);
    return {200, body + '}'};
}

Answer answer_series(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {"event_type", "component", "hours", "step"});
    const int hours = parameters.integer("hours", 1, most_hours).value_or(default_hours);
    const std::optional<int> step = parameters.integer("step", 1, most_minutes);
    const Window window(pool, hours);
    const Result rows = pool.query("SELECT * FROM telemetry.get_series($1, $2, $3, $4, $5) LIMIT $6",
                                   {parameters.text("event_type"), parameters.text("component"), std::to_string(hours),
                                    step_parameter(step), window.as_of, row_limit()});
    require_few_rows(rows);
    std::string body = R"({"hours":)" + std::to_string(hours) + R"(,"step_minutes":)" + number_or_null(step) + ',' +
                       window.members() + ',';
    append_member(body, "rows", rows);
    return {200, body + '}'};
}

Answer answer_60day(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {});
    return {200, std::string(pool.query("SELECT telemetry.get_60day_statistics()").text(0, 0))};
}

Answer answer_footprint(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {});
    std::string body(pool.query("SELECT telemetry.get_telemetry_footprint()").text(0, 0));
    body.back() = ',';
    append_member(body, "tables", pool.query("SELECT * FROM telemetry.footprint"));
    return {200, body + '}'};
}

Answer answer_events(Pool &pool, const httplib::Params &given)
{
    constexpr int default_limit = 50;
    const Parameters parameters(given, {"limit", "component", "event_type", "hours"});
    const int limit = parameters.integer("limit", 1, most_events).value_or(default_limit);
    const std::optional<int> hours = parameters.integer("hours", 1, most_hours);
    const Result rows =
        pool.query(events_sql, {parameters.text("event_type"), parameters.text("component"),
                                hours ? Parameter(std::to_string(*hours)) : std::nullopt, std::to_string(limit)});
    std::string body = "{";
    append_member(body, "rows", rows);
    return {200, body + '}'};
}

Answer answer_alerts(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {});
    std::string body = "{";
    append_member(body, "firing", pool.query("SELECT * FROM telemetry.alerts"));
    body += ',';
    append_member(body, "rules", pool.query("SELECT * FROM telemetry.alert_rules()"));
    body += ',';
    append_member(body, "log",
                  pool.query("SELECT * FROM telemetry.alert_log ORDER BY changed_at DESC, alert_id DESC LIMIT 50"));
    return {200, body + '}'};
}

// What the service before this one gave: the statistics with the footprint.
Answer answer_stats(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {});
    std::string body(pool.query("SELECT telemetry.get_60day_statistics()").text(0, 0));
    body.back() = ',';
    body += R"("footprint":)";
    body += pool.query("SELECT telemetry.get_telemetry_footprint()").text(0, 0);
    return {200, body + '}'};
}

} // namespace gravitas::telemetry::http
