// Every figure is the one that SQL gives.

#include "support.hpp"

#include <cmath>

namespace gravitas::telemetry::http::test {

namespace {

constexpr const char *some_events = R"(
    INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, first_token_ms,
                                            tokens_generated, prompt_tokens, status)
    SELECT now() - n * interval '1 minute', (ARRAY['THOUGHT_LATENCY', 'LOAD_LATENCY', 'VRAM_CHECK'])[1 + n % 3],
           CASE WHEN n % 5 > 0 THEN 'model ' || n % 5 END, CASE WHEN n % 3 > 0 THEN n END,
           CASE WHEN n % 3 = 0 THEN n * 7.5 END, CASE WHEN n % 3 = 0 THEN n * 1.5 END, n % 50, n % 11,
           CASE WHEN n % 13 = 0 THEN 'ERROR' ELSE 'OK' END
    FROM generate_series(1, 1000) AS n)";

class Endpoints : public testing::Test {
protected:
    Endpoints()
    {
        session.query("SET timezone = 'UTC'");
        session.query(some_events);
        session.query("SELECT telemetry.compact()");
        session.query("SELECT telemetry.log('VRAM_LOCKOUT', 'gpu', 1)");
    }

    // What SQL gives, as PostgreSQL writes it in JSON.
    json sql(const std::string &rows)
    {
        return json::parse(session.value("SELECT coalesce(json_agg(to_json(t)), '[]') FROM (" + rows + ") AS t"));
    }

    json get(const std::string &target)
    {
        const Response response = service.get(target);
        EXPECT_EQ(response.status, 200) << target << ": " << response.body;
        EXPECT_EQ(response.header("content-type"), "application/json");
        return response.parsed();
    }

    Database database;
    Session session = database.session();
    Service service{options_for(database)};
};

// "2026-11-25T20:50:18.14+00:00" and "…Z" are the same time.
json comparable(json value)
{
    if (value.is_string()) {
        std::string text = value;
        if (text.size() > 19 && text[10] == 'T' && text.ends_with("+00:00"))
            return text.substr(0, text.size() - 6) + "Z";
    }
    if (value.is_structured()) {
        for (json &element : value)
            element = comparable(element);
    }
    return value;
}

} // namespace

TEST_F(Endpoints, efficiency_is_get_aggregated_efficiency)
{
    for (const std::string component : {"", "model 1", "nobody"}) {
        const json answer = get("/telemetry/efficiency?hours=5&component=" + encoded(component));
        const std::string call = "telemetry.get_aggregated_efficiency(" +
                                 (component.empty() ? std::string("NULL") : "'" + component + "'") + ", 5)";
        json rows = sql("SELECT * FROM " + call);
        for (json &row : rows) {
            EXPECT_EQ(answer["window_start"], comparable(row["window_start"]));
            EXPECT_EQ(answer["window_end"], comparable(row["window_end"]));
            row.erase("window_start");
            row.erase("window_end");
        }
        EXPECT_EQ(answer["rows"], rows);
        EXPECT_EQ(answer["hours"], 5);
        EXPECT_EQ(rows.size(), component.empty() ? 5u : component == "nobody" ? 0u : 1u);
        EXPECT_TRUE(answer["window_start"].get<std::string>().ends_with("Z"));
    }
}

TEST_F(Endpoints, trend_is_efficiency_trend)
{
    const json answer = get("/telemetry/trend?hours=6&step=30&component=model%202");
    EXPECT_EQ(answer["step_minutes"], 30);
    EXPECT_EQ(answer["rows"], comparable(sql("SELECT * FROM telemetry.efficiency_trend('model 2', 6, '30 minutes')")));
    EXPECT_GT(answer["rows"].size(), 5u);
}

TEST_F(Endpoints, a_step_that_is_not_given_makes_some_200_of_them)
{
    for (const auto &[hours, step] : {std::pair{1, 1}, {3, 1}, {24, 10}, {168, 60}, {1440, 480}, {24000, 1440}})
        EXPECT_EQ(get("/telemetry/trend?hours=" + std::to_string(hours))["step_minutes"], step) << hours;
}

TEST_F(Endpoints, series_is_get_series)
{
    const json all = get("/telemetry/series");
    EXPECT_EQ(all["rows"], comparable(sql("SELECT * FROM telemetry.get_series()")));
    EXPECT_EQ(all["hours"], 24);
    EXPECT_TRUE(all["step_minutes"].is_null());
    EXPECT_EQ(
        comparable(sql("SELECT window_start, window_end FROM telemetry.reading_window(24, now())"))[0]["window_start"],
        all["window_start"]);
    ASSERT_GT(all["rows"].size(), 10u);
    EXPECT_TRUE(all["rows"][0]["step_start"].is_null());
    const json one = get("/telemetry/series?event_type=THOUGHT_LATENCY&component=model+4&hours=12&step=60");
    EXPECT_EQ(one["rows"],
              comparable(sql("SELECT * FROM telemetry.get_series('THOUGHT_LATENCY', 'model 4', 12, '1 hour')")));
    EXPECT_GT(one["rows"].size(), 10u);
    EXPECT_GT(one["rows"][0]["first_token_p95_ms"], 0);
}

TEST_F(Endpoints, documents_are_as_sql_makes_them)
{
    EXPECT_EQ(get("/telemetry/60day"), json::parse(session.value("SELECT telemetry.get_60day_statistics()")));
    json footprint = get("/telemetry/footprint");
    const json tables = footprint["tables"];
    footprint.erase("tables");
    EXPECT_EQ(footprint, json::parse(session.value("SELECT telemetry.get_telemetry_footprint()")));
    EXPECT_EQ(tables, comparable(sql("SELECT * FROM telemetry.footprint")));
    const json stats = get("/v1/telemetry/stats");
    EXPECT_EQ(stats["overall"]["total_measurements"], 1001);
    EXPECT_EQ(stats["footprint"], footprint);
}

TEST_F(Endpoints, events_are_the_newest)
{
    const std::string columns = "SELECT \"timestamp\", event_type, component, value, status, metadata FROM ";
    const std::string newest = " ORDER BY \"timestamp\" DESC, id DESC LIMIT ";
    EXPECT_EQ(get("/telemetry/events")["rows"],
              comparable(sql(columns + "telemetry.system_telemetry" + newest + "50")));
    EXPECT_EQ(get("/v1/telemetry/events?limit=3")["rows"],
              comparable(sql(columns + "telemetry.system_telemetry" + newest + "3")));
    EXPECT_EQ(get("/telemetry/events?limit=7&component=model%201&event_type=LOAD_LATENCY")["rows"],
              comparable(sql(columns +
                             "telemetry.system_telemetry WHERE component = 'model 1' AND event_type = 'LOAD_LATENCY'" +
                             newest + "7")));
    EXPECT_EQ(get("/telemetry/events?event_type=VRAM_LOCKOUT&hours=1")["rows"].size(), 1u);
}

TEST_F(Endpoints, alerts_are_those_of_the_views)
{
    session.query("SELECT telemetry.log_load_latency('failing', 1, false) FROM generate_series(1, 50)");
    session.query("SELECT * FROM telemetry.check_alerts()");
    const json answer = get("/telemetry/alerts");
    EXPECT_EQ(answer["firing"], comparable(sql("SELECT * FROM telemetry.alerts")));
    EXPECT_EQ(answer["rules"], comparable(sql("SELECT * FROM telemetry.alert_rules()")));
    EXPECT_EQ(answer["log"].size(), answer["firing"].size());
    EXPECT_GT(answer["firing"].size(), 0u);
}

TEST_F(Endpoints, health_is_status)
{
    const json answer = get("/health");
    EXPECT_EQ(answer["database"], true);
    EXPECT_EQ(answer["extension_version"],
              session.value("SELECT extversion FROM pg_extension WHERE extname = 'gravitas_telemetry'"));
    EXPECT_EQ(answer["server_version"], session.value("SHOW server_version"));
    EXPECT_EQ(answer["maintenance"].size(), sql("SELECT * FROM telemetry.status").size());
    EXPECT_EQ(answer["status"],
              session.value("SELECT CASE WHEN bool_and(is_ok) THEN 'ok' ELSE 'degraded' END FROM telemetry.status"));
}

TEST_F(Endpoints, a_reader_may_ask_all_of_it)
{
    session.query("DROP ROLE IF EXISTS gravitas_http_reader");
    session.query("CREATE ROLE gravitas_http_reader LOGIN");
    session.query("SELECT telemetry.grant_reader('gravitas_http_reader')");
    Options options = options_for(database);
    options.conninfo += " user=gravitas_http_reader";
    {
        const Service reader(options);
        for (const char *const path :
             {"/telemetry/efficiency", "/telemetry/trend", "/telemetry/series", "/telemetry/series?step=60",
              "/telemetry/60day", "/telemetry/footprint", "/telemetry/events", "/telemetry/events?component=model%201",
              "/telemetry/alerts", "/health", "/metrics", "/v1/telemetry/events", "/v1/telemetry/stats"})
            EXPECT_EQ(reader.get(path).status, 200) << path << reader.get(path).body;
    }
    session.query("DROP OWNED BY gravitas_http_reader");
    {
        const Service nobody(options);
        const Response refused = nobody.get("/telemetry/60day");
        EXPECT_EQ(refused.status, 403) << refused.body;
        EXPECT_EQ(refused.parsed()["error"]["sqlstate"], "42501");
    }
    session.query("DROP ROLE gravitas_http_reader");
}

TEST_F(Endpoints, a_connection_stays_and_takes_one_request_after_the_other)
{
    const std::string request = "GET /telemetry/60day HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Caller caller(service.port());
    caller.send(request + request + "HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(caller.receive().status, 200);
    EXPECT_EQ(caller.receive().parsed()["overall"]["total_measurements"], 1001);
    EXPECT_EQ(caller.receive(true).status, 200);
    caller.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(caller.receive().status, 200);
    EXPECT_TRUE(caller.is_closed(5s));
}

TEST_F(Endpoints, the_page_comes_with_its_rules_and_only_once)
{
    const Response page = service.get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.header("content-security-policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
              "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(page.header("referrer-policy"), "no-referrer");
    ASSERT_FALSE(page.header("etag").empty());
    EXPECT_EQ(service.get("/web/index.html").body, page.body);
    const Response again = service.get("/", {"If-None-Match: " + page.header("etag")});
    EXPECT_EQ(again.status, 304);
    EXPECT_TRUE(again.body.empty());
    EXPECT_LT(service.get("/", {"Accept-Encoding: gzip, br"}).body.size(), page.body.size());
    EXPECT_EQ(service.get("/", {"Accept-Encoding: gzip, br"}).header("content-encoding"), "gzip");
}

TEST_F(Endpoints, the_description_has_every_path)
{
    const json paths = service.get("/openapi.json").parsed()["paths"];
    for (const char *const path : {"/telemetry/efficiency", "/telemetry/trend", "/telemetry/series", "/telemetry/60day",
                                   "/telemetry/footprint", "/telemetry/events", "/telemetry/alerts", "/health",
                                   "/metrics", "/v1/telemetry/events", "/v1/telemetry/stats", "/v1/telemetry/log"})
        EXPECT_TRUE(paths.contains(path)) << path;
    // whatever it lists is served, with the parameters that it names
    for (const auto &[path, methods] : paths.items()) {
        if (!methods.contains("get"))
            continue;
        std::string target = path + "?";
        for (const json &parameter : methods["get"].value("parameters", json::array()))
            target += parameter["name"].get<std::string>() + "=" +
                      (parameter["schema"]["type"] == "integer" ? "60" : "x") + "&";
        EXPECT_EQ(service.get(target.substr(0, target.size() - 1)).status, 200) << target;
    }
}

} // namespace gravitas::telemetry::http::test
