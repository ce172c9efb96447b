#include "support.hpp"

#include <atomic>
#include <barrier>
#include <thread>

namespace gravitas::telemetry::test {

TEST(Queue, counts_exactly_what_does_not_fit)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo(), .queue_capacity = 100, .batch_events = 10, .close_deadline = 0ms}};
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(client.log({.event_type = "TICK"}));
    for (int i = 0; i < 23; ++i)
        EXPECT_FALSE(client.log({.event_type = "TICK"}));
    EXPECT_TRUE(is_account(client, 0, 100, 23, 0));
    EXPECT_FALSE(client.close(10ms));
    EXPECT_TRUE(is_account(client, 0, 0, 123, 0));
}

TEST(Queue, drops_the_newest)
{
    const Database database;
    const TemporaryDirectory directory;
    {
        auto blocker = database.session();
        Client client{{.conninfo = database.conninfo(), .queue_capacity = 5, .batch_age = std::chrono::hours(1)}};
        blocker.query("BEGIN");
        blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
        for (int i = 0; i < 8; ++i)
            client.log({.event_type = "TICK", .value = static_cast<double>(i)});
        EXPECT_TRUE(is_account(client, 0, 5, 3, 0));
        blocker.query("ROLLBACK");
        EXPECT_TRUE(client.flush(patience));
        EXPECT_TRUE(client.log({.event_type = "TICK", .value = 8}));
    }
    EXPECT_EQ(database.value("SELECT string_agg(value::text, ',' ORDER BY id) FROM telemetry.system_telemetry"),
              "0,1,2,3,4,8");
}

TEST(Queue, holds_its_bound_against_many_threads)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo(), .queue_capacity = 1'000, .batch_events = 10, .close_deadline = 0ms}};
    std::vector<std::jthread> threads;
    std::atomic<int> kept{0};
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                kept += client.log({.event_type = "TICK"}) ? 1 : 0;
        });
    }
    threads.clear();
    EXPECT_EQ(kept, 1'000);
    EXPECT_TRUE(is_account(client, 0, 1'000, 3'000, 0));
}

// Every way an event can end is taken at once, while the account is read.
TEST(Account, closes_at_every_moment)
{
    constexpr int threads_count = 8;
    constexpr int events_each = 3'000;
    const Database database;
    Client client{{.conninfo = database.conninfo(), .queue_capacity = 500, .batch_events = 100, .batch_age = 1ms}};

    std::barrier start(threads_count + 1);
    std::atomic<int> running{threads_count};
    std::vector<std::jthread> threads;
    for (int t = 0; t < threads_count; ++t) {
        threads.emplace_back([&, t] {
            start.arrive_and_wait();
            for (int i = 0; i < events_each; ++i) {
                if (i % 7 == t % 7)
                    client.log_load_latency("m", -1);
                else if (i % 500 == 1)
                    client.log({.event_type = "BAD", .metadata = "{"});
                else
                    client.log_thought_latency("m", 0.5, 10);
                if (i % 250 == 0)
                    (void)client.flush(1ms);
            }
            --running;
        });
    }

    start.arrive_and_wait();
    Account last;
    std::uint64_t samples = 0;
    for (; running > 0; ++samples) {
        const Account now = client.account();
        ASSERT_EQ(now.accepted, now.stored + now.queued + now.dropped + now.refused);
        ASSERT_LE(now.queued, 500u);
        ASSERT_GE(now.accepted, last.accepted);
        ASSERT_GE(now.stored, last.stored);
        ASSERT_GE(now.dropped, last.dropped);
        ASSERT_GE(now.refused, last.refused);
        last = now;
    }
    threads.clear();
    EXPECT_GT(samples, 10u);

    EXPECT_TRUE(client.close(patience));
    const Account final = client.account();
    EXPECT_EQ(final.accepted, static_cast<std::uint64_t>(threads_count * events_each));
    EXPECT_EQ(final.queued, 0u);
    EXPECT_EQ(final.accepted, final.stored + final.dropped + final.refused);
    EXPECT_EQ(final.stored, static_cast<std::uint64_t>(database.events()));
}

} // namespace gravitas::telemetry::test
