// Whatever is sent, the answer to nonsense is a 4xx with an error in JSON, and the next question is answered.

#include "support.hpp"

namespace gravitas::telemetry::http::test {

namespace {

class Refusals : public testing::Test {
protected:
    void expect_refused(const Response &response, const std::string &what, int status = 0)
    {
        EXPECT_GE(response.status, 400) << what;
        EXPECT_LT(response.status, 500) << what << ": " << response.body;
        if (status != 0) {
            EXPECT_EQ(response.status, status) << what << ": " << response.body;
        }
        EXPECT_EQ(response.header("content-type"), "application/json") << what;
        EXPECT_FALSE(response.parsed()["error"]["message"].get<std::string>().empty()) << what;
        EXPECT_EQ(response.header("x-content-type-options"), "nosniff") << what;
    }

    void TearDown() override { EXPECT_EQ(service.get("/telemetry/60day").status, 200); }

    Database database;
    Service service{options_for(database)};
};

const std::string raw_head = "GET /health HTTP/1.1\r\nHost: localhost\r\n";

} // namespace

TEST_F(Refusals, of_values_that_are_none)
{
    const std::vector<std::string> values = {"0",
                                             "-1",
                                             "1.5",
                                             "1e3",
                                             "0x10",
                                             "99999999999999999999",
                                             "878401",
                                             "abc",
                                             "1;SELECT",
                                             "1' OR '1",
                                             "NULL",
                                             " 1",
                                             "\xff\xfe",
                                             "\xc0\x80",
                                             "\xed\xa0\x80",
                                             std::string("1\0", 2),
                                             "+1",
                                             "1\n",
                                             "'; DROP TABLE telemetry.event; --"};
    for (const std::string &value : values) {
        for (const char *const target :
             {"/telemetry/efficiency?hours=", "/telemetry/trend?hours=", "/telemetry/trend?step=",
              "/telemetry/series?hours=", "/telemetry/series?step=", "/telemetry/events?limit=",
              "/telemetry/events?hours=", "/v1/telemetry/events?limit="})
            expect_refused(service.get(target + encoded(value)), target + encoded(value), 400);
    }
}

TEST_F(Refusals, of_text_that_is_none)
{
    for (const std::string &value :
         {std::string("\xff"), std::string("a\0b", 3), std::string("\xf5\x80\x80\x80"), std::string("\xe2\x82")}) {
        for (const char *const target :
             {"/telemetry/efficiency?component=", "/telemetry/trend?component=", "/telemetry/series?event_type=",
              "/telemetry/series?component=", "/telemetry/events?component=", "/telemetry/events?event_type="})
            expect_refused(service.get(target + encoded(value)), target + encoded(value), 400);
    }
}

// SQL in a text is a name that nobody has.
TEST_F(Refusals, not_of_sql_which_is_a_name_like_any_other)
{
    for (const std::string value :
         {"' OR ''='", "'; DROP TABLE telemetry.event CASCADE; --", "$1", "\\", "%", "NULL", "\"", "a\nb"}) {
        EXPECT_EQ(service.get("/telemetry/efficiency?component=" + encoded(value)).parsed()["rows"].size(), 0u)
            << value;
        EXPECT_EQ(service.get("/telemetry/events?event_type=" + encoded(value)).parsed()["rows"].size(), 0u) << value;
        EXPECT_EQ(service.get("/telemetry/series?component=" + encoded(value)).parsed()["rows"].size(), 0u) << value;
    }
    EXPECT_EQ(database.events(), 0);
}

TEST_F(Refusals, of_parameters_that_are_unknown_or_twofold)
{
    for (const char *const target :
         {"/telemetry/efficiency?hour=1", "/telemetry/60day?hours=1", "/health?x", "/metrics?debug=1",
          "/telemetry/footprint?a=b", "/telemetry/alerts?limit=5", "/telemetry/events?limit=1&limit=2",
          "/telemetry/trend?step=7", "/telemetry/series?step=7", "/telemetry/trend?hours=87840&step=1"})
        expect_refused(service.get(target), target, 400);
}

TEST_F(Refusals, of_paths_that_lead_nowhere)
{
    for (const char *const path :
         {"/nothing", "/telemetry", "/telemetry/", "/telemetry/60day/", "//health", "/health/..", "/web/",
          "/web/../index.html", "/web/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "/web/..%2f..%2fetc%2fpasswd",
          "/web/index.html%00.js", "/web//etc/passwd", "/WEB/index.html", "/%68ealth%", "/v1/telemetry/log",
          "/\xff\xfe", "/web/openapi.json/x"})
        expect_refused(service.get(path), path, 404);
}

TEST_F(Refusals, of_methods_that_are_wrong)
{
    for (const char *const method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"}) {
        const Response response = service.ask(method, "/health");
        expect_refused(response, method, 405);
        EXPECT_EQ(response.header("allow"), "GET, HEAD");
    }
    expect_refused(service.ask("BREW", "/health"), "BREW", 400);
    expect_refused(service.ask("get", "/health"), "get", 400);
}

TEST_F(Refusals, of_what_is_too_long)
{
    const std::string much(9000, 'x');
    expect_refused(service.get("/telemetry/events?component=" + much), "long target", 414);
    expect_refused(service.get("/" + std::string(500'000, 'x')), "longer target", 414);
    expect_refused(service.get("/health", {"X-Much: " + much}), "long header", 431);
    expect_refused(service.get("/health", Headers(2000, "X-Many: 1")), "many headers", 431);
    expect_refused(service.ask("POST", "/v1/telemetry/log", {"Content-Length: 99999999"}), "large body", 413);
    expect_refused(service.ask_raw(std::string(100'000, 'x')), "no line", 414);
}

TEST_F(Refusals, of_requests_that_two_could_read_in_two_ways)
{
    for (const std::string lines :
         {"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 5 5\r\n\r\n",
          "Content-Length: 0x5\r\n\r\n", "Content-Length:\r\n\r\n", "X: a\nContent-Length: 5\r\n\r\n", "X : a\r\n\r\n",
          "no colon\r\n\r\n", ": empty\r\n\r\n", "X: a\r\n folded\r\n\r\n"})
        expect_refused(service.ask_raw(raw_head + lines), lines, 400);
    expect_refused(service.ask_raw(raw_head + std::string("X: \0\r\n\r\n", 8)), "NUL in a header", 400);
    expect_refused(service.ask_raw(raw_head + "Transfer-Encoding: chunked\r\n\r\n"), "chunked", 411);
    expect_refused(service.ask_raw(raw_head + "Expect: 100-continue\r\n\r\n"), "expect", 417);
    for (const std::string line :
         {"GET /health", "GET  HTTP/1.1", "GET /health HTTP/9.9", "GET /health HTTP/1.1 x", "\x01\x02 / HTTP/1.1", ""})
        expect_refused(service.ask_raw(line + "\r\nHost: localhost\r\n\r\n"), line, 400);
}

// The library would read a range with a stack as deep as it is long.
TEST_F(Refusals, not_of_ranges_which_are_not_looked_at)
{
    std::string ranges = "bytes=0-0";
    while (ranges.size() < 7500)
        ranges += ",0-0";
    EXPECT_EQ(service.get("/", {"Range: " + ranges}).status, 200);
    EXPECT_EQ(service.get("/", {"range: bytes=0-1"}).status, 200);
}

} // namespace gravitas::telemetry::http::test
