// The server's disk is full in the middle of a pipeline, and has room later.

#include "crash/faults.hpp"
#include "crash/small_disk.hpp"

#include <algorithm>

namespace gravitas::telemetry::test {

TEST(DiskFull, delays_events_only)
{
    const Server server;
    const SmallDisk disk(server, 32);
    if (!disk.problem().empty())
        GTEST_SKIP() << "no small disk can be mounted: " << disk.problem();
    const Database database;
    disk.take(database);
    make_days(database);
    Errors errors;
    Client client{{.conninfo = database.conninfo(),
                   .on_full = OnFull::block,
                   .batch_events = 20,
                   .batch_age = 1ms,
                   .reconnect_max = 50ms,
                   .on_error = errors.listener()}};
    Writers writers(client, "writer", 4);
    ASSERT_TRUE(eventually([&] { return client.account().stored > 0; }));
    disk.fill(256 << 10);
    const auto is_full = [](const Error &error) { return error.sqlstate() == "53100"; };
    EXPECT_TRUE(eventually([&] {
        const auto all = errors.all();
        return std::any_of(all.begin(), all.end(), is_full);
    }));
    // Some were stored before the disk was full; the rest waits, in the application too.
    EXPECT_TRUE(eventually([&] { return client.account().queued > 1'000; }));
    EXPECT_LT(seconds_of([&] { EXPECT_FALSE(client.flush(100ms)); }), 5);
    disk.empty();

    writers.stop();
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, writers.kept(), 0, 0, 0));
    EXPECT_EQ(writers.wrong_events(database), 0);
    EXPECT_TRUE(is_consistent(database));
}

} // namespace gravitas::telemetry::test
