// The table is locked while applications log.

#include "crash/faults.hpp"

#include <cstdlib>

namespace gravitas::telemetry::test {

namespace {

// A moment, or the minute of make torture.
std::chrono::seconds time_of_the_lock() { return std::getenv("GRAVITAS_CRASH_ROUNDS") != nullptr ? 60s : 2s; }

} // namespace

TEST(Locked, table_blocks_no_application)
{
    const Database database;
    make_days(database);
    Client client{{.conninfo = database.conninfo(), .queue_capacity = 500, .batch_events = 20, .batch_age = 1ms}};
    Client closing{{.conninfo = database.conninfo(), .batch_events = 20, .batch_age = 1ms}};
    Writers writers(client, "writer", 4);
    ASSERT_TRUE(eventually([&] { return client.account().stored > 0; }));

    auto blocker = database.session();
    blocker.query("BEGIN");
    blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
    for (int i = 1; i <= 100; ++i)
        EXPECT_TRUE(closing.log({.event_type = "CLOSING", .value = static_cast<double>(i)}));
    EXPECT_LT(seconds_of([&] { EXPECT_FALSE(closing.close(200ms)); }), 5);
    EXPECT_TRUE(is_account(closing, 0, 0, 100, 0));
    // All calls of a second after the queue was full come back, or nothing more would be dropped.
    std::uint64_t dropped = 0;
    const auto end = std::chrono::steady_clock::now() + time_of_the_lock();
    while (std::chrono::steady_clock::now() < end) {
        EXPECT_TRUE(eventually([&] { return client.account().dropped > dropped; }));
        dropped = client.account().dropped;
        EXPECT_LT(seconds_of([&] { EXPECT_FALSE(client.flush(100ms)); }), 5);
        EXPECT_EQ(client.account().queued, 500u);
    }
    blocker.query("ROLLBACK");

    writers.stop();
    EXPECT_TRUE(client.flush(patience));
    EXPECT_GT(dropped, 0u);
    EXPECT_TRUE(is_account(client, writers.kept(), 0, client.account().dropped, 0));
    EXPECT_EQ(writers.wrong_events(database), 0);
    // What was under way when it closed may be stored, once.
    EXPECT_EQ(
        database.value("SELECT count(*) - count(DISTINCT value) FROM telemetry.event WHERE event_type = 'CLOSING'"),
        "0");
    EXPECT_TRUE(is_consistent(database));
}

} // namespace gravitas::telemetry::test
