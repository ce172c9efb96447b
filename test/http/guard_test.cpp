// Who is answered.

#include "support.hpp"

namespace gravitas::telemetry::http::test {

namespace {

constexpr const char *token = "0123456789abcdef0123456789abcdef";

Options with_token(const Database &database)
{
    Options options = options_for(database);
    options.token = token;
    return options;
}

int status_for_host(const Service &service, const std::string &host)
{
    return service.get("/health", {"Host: " + host}).status;
}

} // namespace

TEST(Guard, answers_to_its_own_names_only)
{
    const Database database;
    Options options = options_for(database);
    options.allowed_hosts = {"Metrics.example.org"};
    const Service service(options);
    for (const char *const host : {"localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:1", "[::1]:9464",
                                   "metrics.example.org", "METRICS.EXAMPLE.ORG:80"})
        EXPECT_EQ(status_for_host(service, host), 200) << host;
    for (const char *const host : {"evil.example", "localhost.evil.example", "evil.example:9464",
                                   "127.0.0.1.evil.example", "example.org", "[::2]", "[::1", "@localhost"})
        EXPECT_EQ(status_for_host(service, host), 403) << host;
    EXPECT_EQ(service.get("/", {"Host: evil.example"}).status, 403);
    EXPECT_EQ(service.get("/health", {"Host: localhost", "Host: evil.example"}).status, 400);
    EXPECT_EQ(service.ask_raw("GET /health HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_EQ(service.ask_raw("GET /health HTTP/1.0\r\n\r\n").status, 400);
}

TEST(Guard, asks_for_the_token_wherever_there_is_one)
{
    const Database database;
    const Service service(with_token(database));
    for (const char *const path : {"/", "/health", "/metrics", "/telemetry/60day", "/openapi.json", "/nothing"}) {
        const Response refused = service.get(path);
        EXPECT_EQ(refused.status, 401) << path;
        EXPECT_TRUE(refused.header("www-authenticate").starts_with("Basic ")) << path;
        EXPECT_EQ(refused.body.find("measurements"), std::string::npos);
    }
    EXPECT_EQ(service.get("/health", {std::string("Authorization: Bearer ") + token}).status, 200);
    EXPECT_EQ(service.get("/health", {std::string("authorization: bearer ") + token}).status, 200);
    // any:0123456789abcdef0123456789abcdef
    EXPECT_EQ(service.get("/health", {"Authorization: Basic YW55OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"}).status,
              200);
    const std::string good = token;
    for (const std::string &wrong :
         {std::string(), std::string("x"), good.substr(1), good + "0", good + good, good.substr(0, 31) + "e"})
        EXPECT_EQ(service.get("/health", {"Authorization: Bearer " + wrong}).status, 401) << wrong;
    for (const std::string &wrong : {"Basic " + good, std::string("Basic !"), std::string("Basic YW55"),
                                     "Digest " + good, std::string("Bearer"), good, "Bearer\t" + good})
        EXPECT_EQ(service.get("/health", {"Authorization: " + wrong}).status, 401) << wrong;
    EXPECT_EQ(service.get("/health", {"Authorization: Bearer " + good, "Authorization: Bearer " + good}).status, 401);
}

TEST(Log, is_not_there_unless_it_is_enabled)
{
    const Database database;
    const Service service(with_token(database));
    const Response refused =
        service.ask("POST", "/v1/telemetry/log", {std::string("Authorization: Bearer ") + token}, "{}");
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(database.events(), 0);
}

TEST(Log, stores_an_event_or_many)
{
    const Database database;
    Options options = with_token(database);
    options.enable_log = true;
    const Service service(options);
    const Headers headers = {std::string("Authorization: Bearer ") + token,
                             "Content-Type: application/json; charset=utf-8"};
    const auto post = [&](const std::string &body) { return service.ask("POST", "/v1/telemetry/log", headers, body); };

    EXPECT_EQ(post(R"({"event_type": "NOTE", "component": "ü", "value": 1.5})").parsed(),
              json::parse(R"({"stored": 1, "refused": []})"));
    const Response some =
        post(R"([{"event_type": "NOTE"}, {"event_type": "NOTE", "duration_ms": -1}, {"event_type": "NOTE"}])");
    EXPECT_EQ(some.status, 200);
    EXPECT_EQ(some.parsed()["stored"], 2);
    EXPECT_EQ(some.parsed()["refused"][0]["index"], 1);
    EXPECT_EQ(database.events(), 3);
    EXPECT_EQ(service.get("/telemetry/events?component=%C3%BC", headers).parsed()["rows"][0]["value"], 1.5);

    for (const char *const body :
         {"{}", "[1]", "1", "nonsense", "{\"event_type\"", R"({"event_type": "A", "value": "x"})", "\xff",
          R"({"event_type": "A\u0000"})", R"([{"event_type": "A", "prompt_tokens": -1}])"}) {
        const Response refused = post(body);
        EXPECT_EQ(refused.status, 400) << body << refused.body;
        EXPECT_FALSE(refused.parsed()["error"]["message"].empty());
    }
    EXPECT_EQ(database.events(), 3);
}

// A browser sends a remembered password by itself, and a form of another site without asking.
TEST(Log, is_nothing_for_other_sites)
{
    const Database database;
    Options options = with_token(database);
    options.enable_log = true;
    const Service service(options);
    const std::string event = R"({"event_type": "NOTE"})";
    const std::string bearer = std::string("Authorization: Bearer ") + token;
    const std::string basic = "Authorization: Basic YW55OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";
    EXPECT_EQ(service.ask("POST", "/v1/telemetry/log", {"Content-Type: application/json"}, event).status, 401);
    EXPECT_EQ(service.ask("POST", "/v1/telemetry/log", {basic, "Content-Type: application/json"}, event).status, 401);
    EXPECT_EQ(service.ask("POST", "/v1/telemetry/log", {bearer, "Content-Type: text/plain"}, event).status, 415);
    EXPECT_EQ(service.ask("POST", "/v1/telemetry/log", {bearer}, event).status, 415);
    const Response get = service.get("/v1/telemetry/log", {bearer});
    EXPECT_EQ(get.status, 405);
    EXPECT_EQ(get.header("allow"), "POST");
    EXPECT_EQ(database.events(), 0);
}

// The rest of the service may not write even where its role may.
TEST(Log, is_all_that_writes)
{
    const Database database;
    Pool pool(database.conninfo(), 1, 1s);
    EXPECT_THROW(pool.query("SELECT telemetry.log('NOTE')"), Refusal);
    pool.write("SELECT telemetry.log('NOTE')", {});
    EXPECT_THROW(pool.query("SELECT telemetry.log('NOTE')"), Refusal);
    EXPECT_EQ(database.events(), 1);
}

} // namespace gravitas::telemetry::http::test
