// Those who are slow, many, or away hold up nobody.

#include "support.hpp"

#include <atomic>

namespace gravitas::telemetry::http::test {

namespace {

constexpr const char *half_a_request = "GET /health HTTP/1.1\r\nHost: local";

void end_connections(const Database &database)
{
    telemetry::test::end_connections(database, "gravitas-telemetry-http");
}

Limits short_limits()
{
    Limits limits;
    limits.peers = 40;
    limits.request = 1s;
    limits.idle = 1s;
    return limits;
}

} // namespace

TEST(Patience, of_those_who_are_slow_to_ask_is_at_nobodys_cost)
{
    const Database database;
    Limits limits;
    limits.peers = 40;
    limits.request = std::chrono::hours(1); // whoever waits for them waits for ever
    const Service service(options_for(database), limits);
    // more than there are places, each having said a little
    std::vector<std::unique_ptr<Caller>> slow;
    for (int i = 0; i < 100; ++i) {
        slow.push_back(std::make_unique<Caller>(service.port()));
        slow.back()->send(half_a_request);
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(service.get("/health").status, 200) << i;
        slow[static_cast<std::size_t>(i)]->send("h");
    }
}

TEST(Patience, has_an_end)
{
    const Database database;
    const Service service(options_for(database), short_limits());
    Caller slow(service.port());
    slow.send(half_a_request);
    Caller idle(service.port());
    // one byte now and then is no progress
    std::atomic<bool> is_over{false};
    std::thread dripping([&] {
        while (!is_over && slow.send("h"))
            std::this_thread::sleep_for(50ms);
    });
    const Response late = slow.receive();
    is_over = true;
    dripping.join();
    EXPECT_EQ(late.status, 408);
    EXPECT_TRUE(idle.is_closed(20s));
    EXPECT_EQ(service.get("/health").status, 200);
}

TEST(Patience, of_those_who_do_not_listen_is_at_nobodys_cost)
{
    const Database database;
    database.session().query("SELECT telemetry.log('NOTE', repeat('x', 1000000)) FROM generate_series(1, 10)");
    Options options = options_for(database);
    options.connections = 1;
    const Service service(options);
    std::vector<std::unique_ptr<Caller>> deaf;
    for (int i = 0; i < 10; ++i) {
        deaf.push_back(std::make_unique<Caller>(service.port()));
        deaf.back()->send("GET /telemetry/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    EXPECT_TRUE(eventually([&] { return service.get("/health").status == 200; }));
    EXPECT_EQ(service.get("/").status, 200);
    // and whoever starts to listen after all gets all of it
    EXPECT_EQ(deaf[0]->receive().parsed()["rows"].size(), 10u);
}

// Ten answers of ten megabytes, which nobody takes, where there is memory for three.
TEST(Patience, of_those_who_do_not_listen_is_not_for_all_memory)
{
    const Database database;
    database.session().query("SELECT telemetry.log('NOTE', repeat('x', 1000000)) FROM generate_series(1, 10)");
    Limits limits;
    limits.bytes = 30'000'000;
    const Service service(options_for(database), limits);
    std::vector<std::unique_ptr<Caller>> deaf;
    for (int i = 0; i < 10; ++i) {
        deaf.push_back(std::make_unique<Caller>(service.port()));
        deaf.back()->send("GET /telemetry/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        deaf.back()->wait();
    }
    EXPECT_THROW(deaf[0]->receive(), std::runtime_error);
    EXPECT_EQ(service.get("/telemetry/events?limit=2").parsed()["rows"].size(), 2u);
}

// An answer has so many events only as make some megabytes, and one at least.
TEST(Patience, of_ours_with_long_names_has_an_end)
{
    const Database database;
    Session session = database.session();
    session.query("SELECT telemetry.log('NOTE', repeat('x', 1000000)) FROM generate_series(1, 30)");
    const Service service(options_for(database));
    const std::size_t rows = service.get("/telemetry/events?limit=10000").parsed()["rows"].size();
    EXPECT_GE(rows, 14u);
    EXPECT_LE(rows, 17u);
    session.query("SELECT telemetry.log('NOTE', repeat('x', 20000000))");
    EXPECT_EQ(service.get("/telemetry/events").parsed()["rows"].size(), 1u);
}

TEST(Patience, with_many_at_once)
{
    const Database database;
    const Service service(options_for(database));
    std::vector<std::thread> callers;
    std::atomic<int> answered{0};
    for (int i = 0; i < 20; ++i) {
        callers.emplace_back([&] {
            Caller caller(service.port());
            for (int n = 0; n < 10; ++n) {
                caller.send("GET /telemetry/60day HTTP/1.1\r\nHost: localhost\r\n\r\n");
                answered += caller.receive().status == 200;
            }
        });
    }
    for (std::thread &caller : callers)
        caller.join();
    EXPECT_EQ(answered, 200);
    EXPECT_LE(std::stoi(database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                       " AND application_name = 'gravitas-telemetry-http'")),
              4);
}

TEST(Outage, is_503_until_the_database_is_back)
{
    const Database database;
    const Door door(database);
    door.open();
    Options options = options_for(database);
    options.conninfo = door.conninfo();
    const Service service(options);
    EXPECT_EQ(service.get("/telemetry/60day").status, 200);

    door.shut();
    end_connections(database);
    for (const char *const path : {"/telemetry/60day", "/telemetry/efficiency", "/metrics", "/telemetry/events"}) {
        const Response away = service.get(path);
        EXPECT_EQ(away.status, 503) << path << away.body;
        EXPECT_EQ(away.header("retry-after"), "1");
        EXPECT_FALSE(away.parsed()["error"]["message"].empty());
    }
    const Response health = service.get("/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_EQ(health.parsed()["status"], "unavailable");
    EXPECT_EQ(health.parsed()["database"], false);
    EXPECT_EQ(service.get("/").status, 200);

    door.open();
    EXPECT_TRUE(eventually([&] { return service.get("/health").status == 200; }));
    EXPECT_EQ(service.get("/telemetry/60day").status, 200);
}

// A server that was restarted between two questions is not noticed by who asks.
TEST(Outage, that_is_over_before_the_next_question_is_none)
{
    const Database database;
    const Service service(options_for(database));
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(service.get("/telemetry/60day").status, 200);
        end_connections(database);
    }
}

TEST(Outage, of_the_extension_is_said_in_words)
{
    const Database database(Database::Extension::missing);
    const Service service(options_for(database));
    const Response answer = service.get("/telemetry/60day");
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.parsed()["error"]["hint"].get<std::string>().find("CREATE EXTENSION"), std::string::npos);
    const json health = service.get("/health").parsed();
    EXPECT_EQ(health["database"], true);
    EXPECT_EQ(health["status"], "unavailable");
    EXPECT_TRUE(health["extension_version"].is_null());
}

TEST(Timeouts, of_statements_are_504)
{
    const Database database;
    Options options = options_for(database);
    options.statement_timeout = 300ms;
    Session session = database.session();
    session.query("BEGIN");
    session.query("LOCK TABLE telemetry.rollup_minute IN ACCESS EXCLUSIVE MODE");
    const Service service(options);
    const Response late = service.get("/telemetry/efficiency");
    EXPECT_EQ(late.status, 504) << late.body;
    session.query("ROLLBACK");
    EXPECT_EQ(service.get("/telemetry/efficiency").status, 200);
}

TEST(Timeouts, hold_where_the_server_says_nothing_at_all)
{
    const telemetry::test::SilentServer silent;
    Options options;
    options.port = 0;
    options.conninfo = silent.conninfo();
    const Service service(options);
    EXPECT_EQ(service.get("/health").status, 503);
    EXPECT_EQ(service.get("/").status, 200);
}

// All connections in use: said at once, and over when one is free again.
TEST(Timeouts, of_waiting_for_a_connection_are_503)
{
    const Database database;
    Options options = options_for(database);
    options.connections = 1;
    Session session = database.session();
    session.query("BEGIN");
    session.query("LOCK TABLE telemetry.rollup_minute IN ACCESS EXCLUSIVE MODE");
    const Service service(options);
    Caller waiting(service.port());
    waiting.send("GET /telemetry/efficiency HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return session.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"; }));
    const Response busy = service.get("/telemetry/60day");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.header("retry-after"), "1");
    session.query("ROLLBACK");
    EXPECT_EQ(waiting.receive().status, 200);
    EXPECT_EQ(service.get("/telemetry/60day").status, 200);
}

TEST(Stopping, lets_what_has_begun_come_to_its_end)
{
    const Database database;
    Session session = database.session();
    session.query("BEGIN");
    session.query("LOCK TABLE telemetry.rollup_minute IN ACCESS EXCLUSIVE MODE");
    Service service(options_for(database));
    Caller idle(service.port());
    Caller waiting(service.port());
    waiting.send("GET /telemetry/efficiency HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return session.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"; }));
    service.stop();
    EXPECT_TRUE(idle.is_closed(5s));
    EXPECT_THROW(Caller{service.port()}, std::runtime_error);
    session.query("ROLLBACK");
    EXPECT_EQ(waiting.receive().status, 200);
    EXPECT_TRUE(waiting.is_closed(5s));
    service.join();
}

} // namespace gravitas::telemetry::http::test
