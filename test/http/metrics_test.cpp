// What Prometheus gets: complete, in step with SQL, never falling, and nothing that a name can break.

#include "support.hpp"

#include "metrics.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

namespace gravitas::telemetry::http::test {

namespace {

// Samples by all that stands before the value.
std::map<std::string, double> samples_of(const std::string &text)
{
    std::map<std::string, double> samples;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t space = line.rfind(' ');
        if (line.starts_with('#') || space == std::string::npos)
            continue;
        EXPECT_FALSE(samples.contains(line.substr(0, space))) << line;
        samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
    return samples;
}

std::string metrics_of(const Service &service, const Headers &headers = {})
{
    const Response response = service.get("/metrics", headers);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.body;
}

// The exit status of promtool, or nothing where there is none.
std::optional<int> promtool(const std::string &text, std::string &said)
{
    if (std::system("command -v promtool >/dev/null") != 0)
        return std::nullopt;
    const TemporaryDirectory directory;
    std::ofstream(directory.path() + "/metrics") << text;
    const int status = std::system(
        ("promtool check metrics <" + directory.path() + "/metrics >" + directory.path() + "/said 2>&1").c_str());
    std::ostringstream stream;
    stream << std::ifstream(directory.path() + "/said").rdbuf();
    said = stream.str();
    return status;
}

const std::vector<std::string> hostile_names = {"<script>alert(1)</script>",
                                                "\"quoted\"",
                                                "back\\slash",
                                                "new\nline",
                                                "tab\tand\rreturn",
                                                "}",
                                                "{x=\"y\"} 1",
                                                "# HELP evil",
                                                "",
                                                "ünïcödé \xf0\x9f\x98\x80",
                                                "' OR ''='",
                                                "\x01\x7f",
                                                "\xe2\x80\xae"
                                                "desrever"};

} // namespace

TEST(Metrics, are_the_figures_of_sql)
{
    const Database database;
    Session session = database.session();
    session.query(
        "INSERT INTO telemetry.system_telemetry (\"timestamp\", event_type, component, duration_ms, first_token_ms,"
        " tokens_generated, prompt_tokens, status)"
        " SELECT now() - n * interval '1 hour', 'THOUGHT_LATENCY', 'm' || n % 2, n * 10, n, 10, 2,"
        " CASE WHEN n % 10 = 0 THEN 'ERROR' END FROM generate_series(1, 1000) AS n");
    session.query("SELECT telemetry.compact()");
    session.query("SELECT telemetry.log_load_latency('m1', 2)"); // stays in the deltas
    const Service service(options_for(database));
    auto samples = samples_of(metrics_of(service));

    EXPECT_EQ(samples.at(R"(gravitas_telemetry_events_total{event_type="THOUGHT_LATENCY",component="m0"})"), 500);
    EXPECT_EQ(samples.at(R"(gravitas_telemetry_errors_total{event_type="THOUGHT_LATENCY",component="m0"})"), 100);
    EXPECT_EQ(samples.at(R"(gravitas_telemetry_errors_total{event_type="THOUGHT_LATENCY",component="m1"})"), 0);
    EXPECT_EQ(samples.at(R"(gravitas_telemetry_events_total{event_type="LOAD_LATENCY",component="m1"})"), 1);
    EXPECT_EQ(samples.at(R"(gravitas_telemetry_generated_tokens_total{model="m0"})"), 4000);
    EXPECT_EQ(samples.at(R"(gravitas_telemetry_prompt_tokens_total{model="m1"})"), 1000);
    EXPECT_EQ(samples.at("gravitas_telemetry_delta_backlog"),
              std::stod(session.value("SELECT count(*) FROM telemetry.deltas('-infinity', 'infinity')")));
    EXPECT_EQ(
        samples.at(R"(gravitas_telemetry_table_bytes{table="system_telemetry"})"),
        std::stod(session.value("SELECT total_bytes FROM telemetry.footprint WHERE table_name = 'system_telemetry'")));
    EXPECT_EQ(samples.at("gravitas_telemetry_info{extension_version=\"" +
                         session.value("SELECT extversion FROM pg_extension WHERE extname = 'gravitas_telemetry'") +
                         "\",server_version=\"" + session.value("SHOW server_version") + "\"}"),
              1);

    // durations of m1: 10, 30, …, 9990 ms; a bucket may miss or have what lies within 0.55 % of its bound
    const std::string duration = "gravitas_telemetry_request_duration_seconds";
    EXPECT_EQ(samples.at(duration + "_count{model=\"m1\"}"), 500);
    EXPECT_NEAR(samples.at(duration + "_sum{model=\"m1\"}"), 2500, 1e-6);
    EXPECT_EQ(samples.at(duration + "_bucket{model=\"m1\",le=\"+Inf\"}"), 500);
    EXPECT_EQ(samples.at(duration + "_bucket{model=\"m1\",le=\"81.92\"}"), 500);
    for (const auto &[bound, exact] :
         {std::pair{"0.04", 2.0}, {"0.32", 16}, {"1.28", 64}, {"5.12", 256}, {"10.24", 500}})
        EXPECT_NEAR(samples.at(duration + "_bucket{model=\"m1\",le=\"" + bound + "\"}"), exact, exact * 0.0055 + 1)
            << bound;
    double last = 0;
    for (const char *const bound : {"0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5",
                                    "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf"}) {
        const double count = samples.at("gravitas_telemetry_time_to_first_token_seconds_bucket{model=\"m1\",le=\"" +
                                        std::string(bound) + "\"}");
        EXPECT_GE(count, last) << bound;
        last = count;
    }
    EXPECT_EQ(last, 500);
}

TEST(Metrics, never_fall_when_maintenance_moves_what_they_count)
{
    const Database database;
    Session session = database.session();
    const Service service(options_for(database));
    session.query("SELECT telemetry.log_thought_latency('m', n, 10) FROM generate_series(1, 50) AS n");
    const auto before = samples_of(metrics_of(service));
    session.query("SELECT telemetry.compact()");
    session.query("DELETE FROM telemetry.system_telemetry");
    const auto after = samples_of(metrics_of(service));
    for (const auto &[name, value] : before) {
        if (name.find("_total") != std::string::npos || name.find("_bucket") != std::string::npos) {
            EXPECT_EQ(after.at(name), value) << name;
        }
    }
    EXPECT_EQ(after.at("gravitas_telemetry_delta_backlog"), 0);
}

TEST(Metrics, speak_open_metrics_where_asked)
{
    const Database database;
    const Service service(options_for(database));
    const Response open =
        service.get("/metrics", {"Accept: application/openmetrics-text; version=1.0.0, text/plain; q=0.5"});
    EXPECT_EQ(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    EXPECT_TRUE(open.body.ends_with("\n# EOF\n"));
    EXPECT_NE(open.body.find("# TYPE gravitas_telemetry_events counter\n"), std::string::npos);
    EXPECT_NE(open.body.find("# TYPE gravitas_telemetry info\n"), std::string::npos);
    const Response plain = service.get("/metrics");
    EXPECT_EQ(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(plain.body.find("# TYPE gravitas_telemetry_events_total counter\n"), std::string::npos);
    EXPECT_EQ(plain.body.find("EOF"), std::string::npos);
}

TEST(Metrics, hold_what_names_may_do)
{
    const Database database;
    Session session = database.session();
    for (const std::string &name : hostile_names)
        session.query("SELECT telemetry.log_thought_latency($1, 1, 10, 5, true, 0.1)", {name.empty() ? "x" : name});
    session.query("SELECT telemetry.log($1, $1)", {"TYPE \"\\\n"});
    const std::string long_name = "long " + std::string(1'000'000, 'x');
    session.query("SELECT telemetry.log_thought_latency($1, 1, 10)", {long_name});
    const Service service(options_for(database));

    const std::string text = metrics_of(service);
    const auto samples = samples_of(text);
    EXPECT_EQ(samples.at("gravitas_telemetry_generated_tokens_total{model=\"new\\nline\"}"), 10);
    EXPECT_EQ(samples.at("gravitas_telemetry_generated_tokens_total{model=\"\\\"quoted\\\"\"}"), 10);
    EXPECT_EQ(samples.at("gravitas_telemetry_generated_tokens_total{model=\"back\\\\slash\"}"), 10);
    EXPECT_EQ(samples.at("gravitas_telemetry_generated_tokens_total{model=\"<script>alert(1)</script>\"}"), 10);
    EXPECT_LT(text.size(), 200'000u);

    const json rows = service.get("/telemetry/efficiency").parsed()["rows"];
    EXPECT_EQ(rows.size(), hostile_names.size() + 1);
    for (const std::string &name : hostile_names) {
        const std::string asked = name.empty() ? "x" : name;
        const json one = service.get("/telemetry/efficiency?component=" + encoded(asked)).parsed()["rows"];
        ASSERT_EQ(one.size(), 1u) << asked;
        EXPECT_EQ(one[0]["component"], asked);
    }
    const json events = service.get("/telemetry/events?limit=1").parsed()["rows"];
    EXPECT_EQ(events[0]["component"], long_name);
    EXPECT_EQ(service.get("/telemetry/series?step=60").status, 200);
    EXPECT_EQ(service.get("/telemetry/60day").status, 200);

    std::string said;
    const std::optional<int> status = promtool(text, said);
    if (!status)
        GTEST_SKIP() << "promtool is missing: run make deps";
    EXPECT_EQ(*status, 0) << said;
    EXPECT_EQ(said, "");
}

TEST(Metrics, have_places_for_so_many_names)
{
    const Database database;
    Session session = database.session();
    session.query("SELECT telemetry.log_thought_latency('often', 1, 10) FROM generate_series(1, 10)");
    session.query("SELECT telemetry.log_thought_latency('model ' || n, 1, 10) FROM generate_series(1, 700) AS n");
    const Service service(options_for(database));
    const auto before = samples_of(metrics_of(service));
    const std::string tokens = "gravitas_telemetry_generated_tokens_total";
    const std::string other_model = "{model=\"(other)\"}";
    EXPECT_EQ(before.at(tokens + R"({model="often"})"), 100);
    EXPECT_EQ(before.at(tokens + other_model), 10 * (701.0 - Metrics::most_models));
    EXPECT_EQ(before.at("gravitas_telemetry_events_total{event_type=\"(other)\",component=\"(other)\"}"),
              701.0 - Metrics::most_series);
    EXPECT_LT(before.size(), 6000u);

    // who comes to be the most frequent later has no place, so that (other) does not fall
    session.query("SELECT telemetry.log_thought_latency('late', 1, 10) FROM generate_series(1, 1000)");
    const auto after = samples_of(metrics_of(service));
    EXPECT_EQ(after.at(tokens + other_model), before.at(tokens + other_model) + 10'000);
    EXPECT_EQ(after.at("gravitas_telemetry_request_duration_seconds_count{model=\"(other)\"}"), 1601);
    for (const auto &[name, value] : before) {
        if (name.find("_total") != std::string::npos || name.find("_bucket") != std::string::npos) {
            EXPECT_GE(after.at(name), value) << name;
        }
    }
}

} // namespace gravitas::telemetry::http::test
