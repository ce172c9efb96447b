// The server is killed, stopped and restarted under load: what was acknowledged is stored once, and all comes in the
// end.

#include "crash/faults.hpp"

#include <csignal>
#include <random>

namespace gravitas::telemetry::test {

namespace {

using Random = std::mt19937;

int between(Random &random, int low, int high) { return std::uniform_int_distribution(low, high)(random); }

// Two clients with small batches, so that several are under way at any time: one that waits when its queue is full, and
// one whose queue is soon full when the server is away.
struct Load {
    explicit Load(const Database &database)
        : blocking(options(database, OnFull::block, 2'000)), dropping(options(database, OnFull::drop_newest, 100))
    {
    }

    Options options(const Database &database, OnFull on_full, std::size_t capacity)
    {
        return {.conninfo = database.conninfo(),
                .queue_capacity = capacity,
                .on_full = on_full,
                .batch_events = 10,
                .batch_age = 2ms,
                .reconnect_max = 100ms,
                .on_error = errors.listener()};
    }

    // Both have stored something since.
    bool goes_on()
    {
        const std::uint64_t before[] = {blocking.account().stored, dropping.account().stored};
        return eventually(
            [&] { return blocking.account().stored > before[0] && dropping.account().stored > before[1]; });
    }

    void check(const Database &database)
    {
        blocked_writers.stop();
        dropped_writers.stop();
        EXPECT_TRUE(blocking.flush(patience));
        EXPECT_TRUE(dropping.flush(patience));
        EXPECT_TRUE(is_account(blocking, blocked_writers.kept(), 0, 0, 0));
        EXPECT_TRUE(is_account(dropping, dropped_writers.kept(), 0, dropping.account().dropped, 0));
        EXPECT_EQ(blocked_writers.wrong_events(database), 0);
        EXPECT_EQ(dropped_writers.wrong_events(database), 0);
        EXPECT_EQ(static_cast<std::size_t>(database.events()), blocked_writers.kept() + dropped_writers.kept());
        EXPECT_TRUE(is_consistent(database));
    }

    Errors errors;
    Client blocking;
    Client dropping;
    Writers blocked_writers{blocking, "blocking", 4};
    Writers dropped_writers{dropping, "dropping", 2};
};

// Deltas move while the server may go down; the answer does not matter.
void compact(const Database &database)
{
    try {
        database.session().query("SELECT telemetry.compact()");
    } catch (const std::exception &) {
    }
}

// In most rounds all processes at once, in others the postmaster alone or one session.
void kill_somehow(Random &random, const Server &server, const Database &database)
{
    const pid_t before = server.postmaster();
    switch (between(random, 0, 4)) {
    case 0:
        server.signal(SIGKILL);
        break;
    case 1:
        EXPECT_TRUE(Server::kill_session(database));
        return; // the postmaster stays
    default:
        server.kill_all();
    }
    ASSERT_TRUE(server.comes_back_after(before));
}

} // namespace

TEST(Killed, server_loses_and_doubles_nothing)
{
    const Server server;
    const Database database;
    make_days(database);
    Random random(seed());
    Load load(database);
    for (int round = 0; round < rounds(20) && !::testing::Test::HasFailure(); ++round) {
        ASSERT_TRUE(load.goes_on()) << "round " << round;
        std::this_thread::sleep_for(std::chrono::milliseconds(between(random, 0, 50)));
        kill_somehow(random, server, database);
        if (between(random, 0, 1) == 0) // it is killed while it recovers, too
            server.kill_all();
        else
            compact(database);
    }
    EXPECT_TRUE(load.goes_on());
    load.check(database);
    EXPECT_FALSE(load.errors.all().empty());
}

TEST(Restarted, server_loses_and_doubles_nothing)
{
    const Server server;
    const Database database;
    make_days(database);
    Load load(database);
    for (const int how : {SIGINT, SIGQUIT, SIGINT, SIGQUIT}) {
        ASSERT_TRUE(load.goes_on());
        const pid_t before = server.postmaster();
        server.signal(how);
        ASSERT_TRUE(server.comes_back_after(before));
    }
    EXPECT_TRUE(load.goes_on());
    load.check(database);
}

// Its session gets no time: nothing is lost, and whoever waits for it goes by the deadline.
TEST(Stopped, server_delays_events_only)
{
    const Database database;
    make_days(database);
    Load load(database);
    ASSERT_TRUE(load.goes_on());
    auto session = database.session();
    std::vector<pid_t> stopped;
    for (const auto &row : session.query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
                                         "application_name = 'gravitas-telemetry'")) {
        stopped.push_back(std::stoi(row[0].value()));
        EXPECT_EQ(kill(stopped.back(), SIGSTOP), 0);
    }
    EXPECT_EQ(stopped.size(), 2u);
    EXPECT_TRUE(eventually([&] { return load.dropping.account().dropped > 100; }));
    const double seconds = seconds_of([&] { EXPECT_FALSE(load.blocking.flush(200ms)); });
    EXPECT_LT(seconds, 5);
    for (const pid_t pid : stopped)
        kill(pid, SIGCONT);
    EXPECT_TRUE(load.goes_on());
    load.check(database);
}

} // namespace gravitas::telemetry::test
