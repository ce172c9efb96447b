#include "support.hpp"

#include <atomic>
#include <condition_variable>
#include <dlfcn.h>
#include <netdb.h>
#include <thread>

namespace gravitas::telemetry::test {

namespace {

// A resolver that does not answer for one name until it is told to.
class Resolver {
public:
    static constexpr const char *name = "stuck.example";

    void wait()
    {
        std::unique_lock lock(mutex_);
        is_asked_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return may_answer_; });
        is_asked_ = false;
    }

    void hold()
    {
        const std::lock_guard lock(mutex_);
        may_answer_ = false;
    }

    bool is_asked()
    {
        const std::lock_guard lock(mutex_);
        return is_asked_;
    }

    void answer()
    {
        const std::lock_guard lock(mutex_);
        may_answer_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_asked_ = false;
    bool may_answer_ = false;
};

Resolver &resolver()
{
    static Resolver &resolver = *new Resolver;
    return resolver;
}

} // namespace

} // namespace gravitas::telemetry::test

// Stands before the C library's, for libpq too.
extern "C" [[gnu::visibility("default")]] int getaddrinfo(const char *node, const char *service, const addrinfo *hints,
                                                          addrinfo **result)
{
    using gravitas::telemetry::test::Resolver;
    if (node != nullptr && std::string_view(node) == Resolver::name) {
        gravitas::telemetry::test::resolver().wait();
        return EAI_NONAME;
    }
    static const auto next = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    return next(node, service, hints, result);
}

namespace gravitas::telemetry::test {

TEST(Flush, waits_until_everything_is_stored)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 10'000, .batch_age = std::chrono::hours(1)}};
    for (int round = 1; round <= 20; ++round) {
        for (int i = 0; i < 10; ++i)
            client.log({.event_type = "TICK"});
        EXPECT_TRUE(client.flush(patience));
        EXPECT_TRUE(is_account(client, static_cast<std::uint64_t>(round) * 10, 0, 0, 0));
    }
    EXPECT_EQ(database.events(), 200);
}

TEST(Flush, of_nothing_needs_no_server)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo()}};
    EXPECT_TRUE(client.flush(0ms));
    EXPECT_TRUE(client.close(0ms));
}

TEST(Flush, does_not_wait_for_later_events)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .queue_capacity = 1'000, .batch_events = 10}};
    std::atomic<bool> stop{false};
    std::jthread noise([&] {
        while (!stop)
            client.log({.event_type = "NOISE"});
    });
    for (int i = 0; i < 5; ++i) {
        // The queue may be full of noise.
        while (!client.log({.event_type = "MINE"}))
            std::this_thread::yield();
        EXPECT_TRUE(client.flush(patience));
        EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.system_telemetry WHERE event_type = 'MINE'"),
                  std::to_string(i + 1));
    }
    stop = true;
}

TEST(Flush, from_many_threads_answers_each)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            const std::string name = "t" + std::to_string(t);
            auto session = database.session();
            for (int i = 1; i <= 5; ++i) {
                client.log({.event_type = "TICK", .component = name});
                EXPECT_TRUE(client.flush(patience));
                EXPECT_EQ(session.value("SELECT count(*) FROM telemetry.system_telemetry WHERE component = $1", {name}),
                          std::to_string(i));
            }
        });
    }
}

TEST(Flush, returns_by_its_deadline_when_the_server_hangs)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo(), .close_deadline = 0ms}};
    client.log({.event_type = "TICK"});
    const double seconds = seconds_of([&] { EXPECT_FALSE(client.flush(200ms)); });
    EXPECT_GE(seconds, 0.2);
    EXPECT_LT(seconds, 2);
    EXPECT_TRUE(is_account(client, 0, 1, 0, 0));
}

TEST(Close, stores_what_is_queued)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_events = 100, .batch_age = std::chrono::hours(1)}};
    for (int i = 0; i < 1'050; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.close(patience));
    EXPECT_TRUE(is_account(client, 1'050, 0, 0, 0));
    EXPECT_EQ(database.events(), 1'050);
}

TEST(Close, drops_what_is_logged_later)
{
    const Database database;
    Client client{{.conninfo = database.conninfo()}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.close(patience));
    EXPECT_FALSE(client.log({.event_type = "TICK"}));
    EXPECT_FALSE(client.log_load_latency("", -1));
    EXPECT_TRUE(is_account(client, 1, 0, 2, 0));
    EXPECT_TRUE(client.flush(0ms));
    EXPECT_TRUE(client.close(0ms));
}

TEST(Close, returns_by_its_deadline_while_connecting)
{
    const SilentServer server;
    Client client{{.conninfo = server.conninfo()}};
    client.log({.event_type = "TICK"});
    const double seconds = seconds_of([&] { EXPECT_FALSE(client.close(200ms)); });
    EXPECT_GE(seconds, 0.2);
    EXPECT_LT(seconds, 2);
    EXPECT_TRUE(is_account(client, 0, 0, 1, 0));
    EXPECT_FALSE(client.close(200ms));
}

TEST(Close, returns_by_its_deadline_while_a_statement_hangs)
{
    const Database database;
    auto blocker = database.session();
    blocker.query("BEGIN");
    blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
    Client client{{.conninfo = database.conninfo(), .batch_age = 0ms}};
    client.log({.event_type = "TICK"});
    auto observer = database.session();
    ASSERT_TRUE(eventually([&] {
        return observer.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gravitas-telemetry'"
                              " AND datname = current_database() AND wait_event_type = 'Lock'") == "1";
    }));
    const double seconds = seconds_of([&] { EXPECT_FALSE(client.close(100ms)); });
    EXPECT_LT(seconds, 2);
    EXPECT_TRUE(is_account(client, 0, 0, 1, 0));
}

TEST(Close, returns_by_its_deadline_while_the_server_is_down)
{
    const TemporaryDirectory nowhere;
    Client client{{.conninfo = "host=" + nowhere.path()}};
    client.log({.event_type = "TICK"});
    const double seconds = seconds_of([&] { EXPECT_FALSE(client.close(100ms)); });
    EXPECT_LT(seconds, 2);
}

TEST(Close, returns_by_its_deadline_while_the_host_name_is_not_resolved)
{
    resolver().hold();
    Errors errors;
    {
        Client client{{.conninfo = std::string("host=") + Resolver::name, .on_error = errors.listener()}};
        client.log({.event_type = "TICK"});
        ASSERT_TRUE(eventually([] { return resolver().is_asked(); }));
        const double seconds = seconds_of([&] { EXPECT_FALSE(client.close(100ms)); });
        EXPECT_LT(seconds, 2);
        EXPECT_TRUE(is_account(client, 0, 0, 1, 0));
    }
    resolver().answer();
    EXPECT_TRUE(eventually([] { return !resolver().is_asked(); }));
    EXPECT_TRUE(errors.all().empty()); // the function could have been gone
}

TEST(Close, is_what_the_destructor_does)
{
    const Database database;
    {
        Client client{
            {.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1), .close_deadline = patience}};
        client.log({.event_type = "TICK"});
    }
    EXPECT_EQ(database.events(), 1);
}

TEST(Close, in_the_destructor_keeps_its_deadline)
{
    const SilentServer server;
    const double seconds = seconds_of([&] {
        Client client{{.conninfo = server.conninfo(), .close_deadline = 100ms}};
        client.log({.event_type = "TICK"});
    });
    EXPECT_LT(seconds, 2);
}

TEST(Close, while_others_log_loses_no_event_from_the_account)
{
    const Database database;
    for (int round = 0; round < 5; ++round) {
        Client client{{.conninfo = database.conninfo()}};
        std::atomic<std::uint64_t> logged{0};
        std::atomic<bool> stop{false};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                while (!stop) {
                    client.log({.event_type = "TICK"});
                    ++logged;
                }
            });
        }
        ASSERT_TRUE(eventually([&] { return logged > 200; }));
        client.close(patience);
        stop = true;
        threads.clear();
        const Account account = client.account();
        EXPECT_EQ(account.accepted, logged);
        EXPECT_EQ(account.queued, 0u);
    }
}

} // namespace gravitas::telemetry::test
