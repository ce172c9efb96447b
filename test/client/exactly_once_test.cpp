// However a connection breaks and whatever fails, each event is stored once.

#include "cutting_proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <cmath>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace gravitas::telemetry::test {

namespace {

struct Cut : ::testing::TestWithParam<CuttingProxy::Direction> {};

} // namespace

// One event a batch, and the connection cut at the next byte position for each, until the exchange is shorter than
// that.
TEST_P(Cut, at_every_byte_stores_each_event_once)
{
    const Database database;
    CuttingProxy proxy(database);
    Client client{{.conninfo = proxy.conninfo(), .batch_age = std::chrono::hours(1), .reconnect_max = 1ms}};
    client.log({.event_type = "TICK", .value = 1});
    ASSERT_TRUE(client.flush(patience)); // connected and prepared

    int events = 1;
    do {
        proxy.cut_after(GetParam(), events - 1);
        client.log({.event_type = "TICK", .value = ++events});
        ASSERT_TRUE(client.flush(patience)) << "cut after byte " << events - 2;
    } while (proxy.was_cut());
    EXPECT_GT(events, 60); // as long as a batch, or as its answer, is
    EXPECT_TRUE(is_account(client, static_cast<std::uint64_t>(events), 0, 0, 0));
    EXPECT_EQ(database.events(), events);
    EXPECT_EQ(wrong_events(database, events), "0");
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now())"), "0");
}

INSTANTIATE_TEST_SUITE_P(Each, Cut, ::testing::Values(CuttingProxy::to_server, CuttingProxy::to_client),
                         [](const auto &info) {
                             return info.param == CuttingProxy::to_server ? "to_server" : "to_client";
                         });

// A batch in the middle of several under way fails twice, for a reason that passes.
TEST(ExactlyOnce, when_a_batch_in_the_middle_of_the_pipeline_fails)
{
    const Database database;
    auto session = database.session();
    session.query("CREATE SEQUENCE public.failures");
    session.query(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF new.value = 35 AND nextval('public.failures') <= 2 THEN RAISE 'not now' USING ERRCODE = '55P03'; END IF;"
        " RETURN new; END $$");
    session.query("CREATE TRIGGER fail BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION public.fail()");
    Client client{{.conninfo = database.conninfo(),
                   .batch_events = 10,
                   .batch_age = std::chrono::hours(1),
                   .reconnect_max = 5ms}};
    for (int i = 1; i <= 200; ++i)
        client.log({.event_type = "TICK", .value = static_cast<double>(i)});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 200, 0, 0, 0));
    EXPECT_EQ(database.events(), 200);
    EXPECT_EQ(wrong_events(database, 200), "0");
    EXPECT_EQ(database.value("SELECT last_value FROM public.failures"), "3");
}

// A database restored from an older backup, or another one.
TEST(ExactlyOnce, when_the_server_has_forgotten_the_client)
{
    const Database database;
    Errors errors;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1), .on_error = errors.listener()}};
    int events = 0;
    const auto log_and_flush = [&] {
        client.log({.event_type = "TICK", .value = static_cast<double>(++events)});
        EXPECT_TRUE(client.flush(patience));
    };
    for (int i = 0; i < 3; ++i)
        log_and_flush();
    database.session().query("UPDATE telemetry.producer SET last_sequence = 1");
    log_and_flush();
    log_and_flush();
    EXPECT_TRUE(errors.contain("the server has lost batches that it had stored"));
    database.session().query("DELETE FROM telemetry.producer");
    log_and_flush();
    log_and_flush();
    EXPECT_TRUE(is_account(client, 7, 0, 0, 0));
    EXPECT_EQ(database.events(), 7);
    EXPECT_EQ(wrong_events(database, 7), "0");
}

TEST(ExactlyOnce, and_the_server_knows_the_account)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    client.log_load_latency("m", -1);
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.flush(patience));
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_EQ(
        database.value(
            "SELECT concat_ws(' ', last_sequence, accepted, stored, queued, dropped, refused) FROM telemetry.producer"),
        "2 3 1 1 0 1");
}

// A child of a fork is a client of its own; what the parent had queued is the parent's.
TEST(Fork, stores_each_event_once)
{
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer does not follow a program of several threads into the child of a fork";
#endif
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    const Component model = client.component("m");
    for (int i = 1; i <= 10; ++i)
        client.log({.event_type = "TICK", .value = static_cast<double>(i)});
    const pid_t child = fork();
    if (child == 0) {
        // Eight threads find at once that they are in a child.
        std::atomic<int> kept{0};
        {
            std::vector<std::jthread> threads;
            for (int i = 11; i <= 18; ++i)
                threads.emplace_back(
                    [&, i] { kept += client.log({.event_type = "TICK", .value = static_cast<double>(i)}) ? 1 : 0; });
        }
        bool good = kept == 8 && client.account().accepted == 8 && model.name() == "m";
        good = client.log_load_latency(model, 19) && good;
        good = client.flush(patience) && client.account().stored == 9 && good;
        good = client.close(patience) && good;
        end_child(good);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(is_account(client, 0, 10, 0, 0));
    EXPECT_TRUE(client.flush(patience));
    EXPECT_EQ(database.events(), 19);
    EXPECT_EQ(wrong_events(database, 19), "0");
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.producer"), "2");
}

TEST(OnFull, block_loses_nothing)
{
    const Database database;
    auto blocker = database.session();
    blocker.query("BEGIN");
    blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
    Client client{{.conninfo = database.conninfo(),
                   .queue_capacity = 10,
                   .on_full = OnFull::block,
                   .batch_events = 5,
                   .batch_age = 1ms}};
    std::atomic<int> logged{0};
    std::thread logger([&] {
        for (int i = 1; i <= 50; ++i, ++logged)
            EXPECT_TRUE(client.log({.event_type = "TICK", .value = static_cast<double>(i)}));
    });
    EXPECT_TRUE(eventually([&] { return logged == 10; }));
    EXPECT_TRUE(is_account(client, 0, 10, 0, 0));
    blocker.query("ROLLBACK");
    logger.join();
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 50, 0, 0, 0));
    EXPECT_EQ(wrong_events(database, 50), "0");
}

TEST(OnFull, block_ends_with_close)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo(), .queue_capacity = 1, .on_full = OnFull::block}};
    client.log({.event_type = "TICK"});
    std::thread logger([&] { EXPECT_FALSE(client.log({.event_type = "TICK"})); });
    EXPECT_FALSE(client.close(50ms));
    logger.join();
    EXPECT_TRUE(is_account(client, 0, 0, 2, 0));
}

TEST(Drops, are_told)
{
    const TemporaryDirectory nowhere;
    Errors errors;
    Client client{{.conninfo = "host=" + nowhere.path(),
                   .queue_capacity = 2,
                   .batch_age = 0ms,
                   .reconnect_max = 1ms,
                   .close_deadline = 0ms,
                   .on_error = errors.listener()}};
    for (int i = 0; i < 5; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_TRUE(is_account(client, 0, 2, 3, 0));
    EXPECT_TRUE(eventually([&] { return errors.contain("events were dropped: the queue of 2 is full"); }));
}

TEST(Handles, log_like_names)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    const Component model = client.component("gemma2:27b");
    EXPECT_EQ(client.component("gemma2:27b").name().data(), model.name().data());
    EXPECT_THROW((void)client.component(""), std::invalid_argument);
    EXPECT_TRUE(client.log_thought_latency(model, 3.0024, 200, 50, 0.25));
    EXPECT_TRUE(client.log_thought_latency({.model_name = "gemma2:27b",
                                            .inference_time_seconds = 3.0024,
                                            .tokens_generated = 200,
                                            .prompt_tokens = 50,
                                            .first_token_seconds = 0.25}));
    EXPECT_TRUE(client.log_load_latency(model, 2.5, false));
    EXPECT_TRUE(client.log_load_latency("gemma2:27b", 2.5, false));
    {
        auto timer = client.time_thought(model, 7);
        timer.tokens(3);
    }
    {
        auto timer = client.time_load(model);
    }
    EXPECT_FALSE(client.log_thought_latency(model, -1, 1));
    EXPECT_FALSE(client.log_thought_latency(model, 1, -1));
    EXPECT_FALSE(client.log_thought_latency(model, 1, 1, 1, std::nan("")));
    EXPECT_FALSE(client.log_load_latency(model, std::nan("")));
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 6, 0, 0, 4));
    EXPECT_EQ(database.value(
                  "SELECT string_agg(n::text, ' ' ORDER BY n) FROM (SELECT count(*) AS n FROM telemetry.event GROUP BY"
                  " event_type, component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated, "
                  "status, metadata) AS g"),
              "1 1 2 2");
}

// As many threads as a large server has, each with one event: the account and the tables agree.
TEST(ManyThreads, lose_nothing)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 100, .batch_age = 5ms}};
    const Component model = client.component("m");
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 1'000; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 20; ++i)
                    client.log_thought_latency(model, 0.5, 10);
            });
    }
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 20'000, 0, 0, 0));
    EXPECT_EQ(database.events(), 20'000);
    EXPECT_EQ(database.value("SELECT measurement_count FROM telemetry.get_aggregated_efficiency()"), "20000");
}

} // namespace gravitas::telemetry::test
