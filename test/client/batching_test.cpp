#include "support.hpp"

namespace gravitas::telemetry::test {

namespace {

constexpr std::chrono::hours ages{1};

// How many transactions stored the events.
std::string transactions(const Database &database)
{
    return database.value("SELECT count(DISTINCT xmin::text) FROM telemetry.event");
}

} // namespace

TEST(Batching, sends_a_batch_that_is_full)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 50, .batch_age = ages}};
    for (int i = 0; i < 49; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_TRUE(is_account(client, 0, 49, 0, 0));
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return client.account().stored == 50; }));
    EXPECT_EQ(transactions(database), "1");
}

TEST(Batching, sends_a_batch_that_is_old)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 1'000, .batch_age = 20ms}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return client.account().stored == 1; }));
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return client.account().stored == 2; }));
}

TEST(Batching, sends_at_once_with_an_age_of_zero)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = 0ms}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return client.account().stored == 1; }));
}

TEST(Batching, one_batch_is_one_transaction)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 100, .batch_age = ages}};
    for (int i = 0; i < 250; ++i)
        client.log({.event_type = "TICK"});
    ASSERT_TRUE(client.flush(patience));
    const int count = std::stoi(transactions(database));
    EXPECT_GE(count, 3);
    EXPECT_LE(count, 4);
    EXPECT_EQ(database.events(), 250);
}

TEST(Batching, keeps_the_order_of_a_thread)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 64}};
    for (int i = 0; i < 1'000; ++i)
        client.log({.event_type = "TICK", .value = static_cast<double>(i)});
    ASSERT_TRUE(client.flush(patience));
    EXPECT_EQ(database.value("SELECT count(*) FROM (SELECT value, row_number() OVER (ORDER BY id) - 1 AS n"
                             " FROM telemetry.system_telemetry) AS e WHERE value = n"),
              "1000");
}

// A batch larger than the queue could never be full.
TEST(Batching, sends_when_the_queue_is_full)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .queue_capacity = 10, .batch_events = 1'000, .batch_age = ages}};
    for (int i = 0; i < 10; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return client.account().stored == 10; }));
}

TEST(Batching, is_done_by_the_application_gravitas_telemetry)
{
    const Database database;
    Client client{{.conninfo = database.conninfo()}};
    client.log({.event_type = "TICK"});
    ASSERT_TRUE(client.flush(patience));
    EXPECT_EQ(database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gravitas-telemetry'"
                             " AND datname = current_database()"),
              "1");
}

} // namespace gravitas::telemetry::test
