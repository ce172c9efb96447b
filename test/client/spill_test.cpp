// What goes to a spill file is stored once, whoever dies in between.

#include "cutting_proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gravitas::telemetry::test {

namespace {

std::vector<std::filesystem::path> files_in(const std::string &directory)
{
    std::vector<std::filesystem::path> files;
    for (const auto &entry : std::filesystem::directory_iterator(directory))
        files.push_back(entry.path());
    return files;
}

std::string content_of(const std::filesystem::path &file)
{
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path &file, std::string_view content)
{
    std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

Options spilling(const std::string &conninfo, const TemporaryDirectory &directory)
{
    return {.conninfo = conninfo,
            .queue_capacity = 100,
            .on_full = OnFull::spill,
            .spill_directory = directory.path(),
            .batch_events = 10,
            .batch_age = 1ms,
            .reconnect_max = 5ms};
}

// The events with these values; each waits until there is room for it, so that none is dropped.
void log(Client &client, int first, int last)
{
    for (int i = first; i <= last; ++i) {
        ASSERT_TRUE(eventually([&] { return client.account().queued < 100; }));
        ASSERT_TRUE(client.log({.event_type = "TICK", .value = static_cast<double>(i)}));
    }
}

// Leaves a file with these events, as of a process whose database did not come back.
void leave(const TemporaryDirectory &directory, int first, int last)
{
    const TemporaryDirectory nowhere;
    Client client(spilling("host=" + nowhere.path(), directory));
    log(client, first, last);
    ASSERT_TRUE(client.close(0ms));           // nothing is lost
    const Account account = client.account(); // it may have adopted what was left before
    ASSERT_GE(account.spilled, static_cast<std::uint64_t>(last - first + 1));
    ASSERT_EQ(account.accepted, account.spilled);
}

// Stores what is left, and tells of nothing but that.
void adopt(const Database &database, const TemporaryDirectory &directory, std::uint64_t events)
{
    Client client(spilling(database.conninfo(), directory));
    ASSERT_TRUE(eventually([&] { return client.account().stored == events; }));
    ASSERT_TRUE(is_account(client, events, 0, 0, 0));
    ASSERT_TRUE(client.close(patience));
    ASSERT_TRUE(files_in(directory.path()).empty());
}

// What a child of a fork does; it ends as it is told to, or fails.
template <typename Body>
int status_of_child(Body body)
{
    const pid_t child = fork();
    if (child == 0) {
        body();
        end_child(!::testing::Test::HasFailure());
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

#ifdef __SANITIZE_THREAD__
#define SKIP_FORK() GTEST_SKIP() << "ThreadSanitizer does not follow a program of several threads into a child"
#else
#define SKIP_FORK() static_cast<void>(0)
#endif

} // namespace

TEST(Spill, needs_a_directory_that_can_be_written)
{
    const TemporaryDirectory directory;
    const auto message_for = [](const std::string &path) {
        try {
            Client client{{.on_full = OnFull::spill, .spill_directory = path}};
        } catch (const std::invalid_argument &error) {
            return std::string(error.what());
        }
        return std::string("none");
    };
    EXPECT_EQ(message_for(""), "on_full is spill, but spill_directory is empty");
    EXPECT_EQ(message_for(directory.path() + "/no/such"),
              "spill_directory \"" + directory.path() + "/no/such\": No such file or directory");
    write_file(directory.path() + "/file", "");
    EXPECT_NE(message_for(directory.path() + "/file"), "none");
    EXPECT_EQ(message_for(directory.path() + "/new"), "none");
    EXPECT_TRUE(std::filesystem::is_directory(directory.path() + "/new"));
}

TEST(Spill, keeps_what_no_server_takes_for_the_next_start)
{
    const Database database;
    const TemporaryDirectory directory;
    leave(directory, 1, 5'000);
    leave(directory, 5'001, 5'042);
    EXPECT_EQ(files_in(directory.path()).size(), 2U);
    adopt(database, directory, 5'042);
    EXPECT_EQ(database.events(), 5'042);
    EXPECT_EQ(wrong_events(database, 5'042), "0");
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now())"), "0");
}

TEST(Spill, needs_no_file_while_the_server_keeps_up)
{
    const Database database;
    const TemporaryDirectory directory;
    Client client(spilling(database.conninfo(), directory));
    for (int i = 1; i <= 40; ++i)
        client.log({.event_type = "TICK", .value = static_cast<double>(i)});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 40, 0, 0, 0));
    EXPECT_TRUE(files_in(directory.path()).empty());
}

// A statement that waits does not keep events from the file; and what came later does not overtake.
TEST(Spill, goes_on_while_the_table_is_locked)
{
    const Database database;
    const TemporaryDirectory directory;
    auto blocker = database.session();
    blocker.query("BEGIN");
    blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
    Client client(spilling(database.conninfo(), directory));
    log(client, 1, 3'000);
    EXPECT_GT(client.account().spilled, 2'800U);
    EXPECT_FALSE(client.flush(10ms));
    blocker.query("ROLLBACK");
    log(client, 3'001, 3'100);
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 3'100, 0, 0, 0));
    EXPECT_EQ(wrong_events(database, 3'100), "0");
    EXPECT_EQ(database.value("SELECT count(*) FROM (SELECT value - lag(value) OVER (ORDER BY id) AS step"
                             " FROM telemetry.event) AS s WHERE step <> 1"),
              "0");
    ASSERT_EQ(files_in(directory.path()).size(), 1U);
    EXPECT_EQ(std::filesystem::file_size(files_in(directory.path())[0]), 0U); // and again when there is need
    EXPECT_TRUE(client.close(patience));
    EXPECT_TRUE(files_in(directory.path()).empty());
}

// The producer's row tells the operator.
TEST(Spill, is_in_the_account_that_the_server_knows)
{
    const Database database;
    const TemporaryDirectory directory;
    leave(directory, 1, 95);
    adopt(database, directory, 95);
    EXPECT_EQ(database.value("SELECT concat_ws(' ', accepted = spilled + queued, spilled > 0, stored, dropped)"
                             " FROM telemetry.producer"),
              "t t 0 0");
}

// The application is killed at any moment, with batches in memory, in flight, and in the file.
TEST(Spill, survives_the_application_being_killed)
{
    SKIP_FORK();
    const Database database;
    std::mt19937 random(7);
    int next = 1;
    for (int round = 0; round < 20; ++round) {
        const TemporaryDirectory directory;
        CuttingProxy proxy(database);
        proxy.close_the_way(round % 2 == 0); // the server away, or cut off in the middle
        proxy.cut_after(CuttingProxy::to_client, std::uniform_int_distribution<>(500, 4'000)(random));
        const int more = std::uniform_int_distribution<>(60, 700)(random);
        int told[2];
        ASSERT_EQ(pipe(told), 0);
        const int status = status_of_child([&] {
            Client client(spilling(proxy.conninfo(), directory));
            log(client, next, next + more - 1);
            const Account account = client.account();
            static_cast<void>(!write(told[1], &account, sizeof account));
            raise(SIGKILL);
        });
        ASSERT_TRUE(WIFSIGNALED(status));
        Account account;
        ASSERT_EQ(read(told[0], &account, sizeof account), static_cast<ssize_t>(sizeof account));
        close(told[0]);
        close(told[1]);
        {
            Client client(spilling(database.conninfo(), directory));
            ASSERT_TRUE(eventually([&] { return files_in(directory.path()).empty(); }));
            ASSERT_EQ(client.account().spilled, 0U);
        }
        const std::string of_round = " FROM telemetry.event WHERE value >= " + std::to_string(next);
        EXPECT_EQ(database.value("SELECT count(*) - count(DISTINCT value)" + of_round), "0");
        // What was in the file or acknowledged is there; of what was in memory, what the server took.
        const auto found = static_cast<std::uint64_t>(std::stoi(database.value("SELECT count(*)" + of_round)));
        EXPECT_GE(found, account.stored + account.spilled);
        EXPECT_LE(found, account.accepted);
        next += more;
    }
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now())"), "0");
}

// The file ends at any byte of its last two batches, or one of its bits is wrong.
TEST(Spill, stores_whatever_comes_before_damage)
{
    const Database database;
    const TemporaryDirectory made;
    leave(made, 1, 30);
    const std::string whole = content_of(files_in(made.path()).at(0));
    const std::size_t one = whole.size() / 3; // three batches, almost of the same length
    const auto stored_of = [&](const std::string &content, bool tells) {
        const TemporaryDirectory directory;
        Errors errors;
        write_file(directory.path() + "/x.spill", content);
        database.session().query("TRUNCATE telemetry.event, telemetry.producer");
        Options options = spilling(database.conninfo(), directory);
        options.on_error = errors.listener();
        Client client(options);
        EXPECT_TRUE(eventually([&] { return files_in(directory.path()).empty(); }));
        if (tells) // after the file is gone
            EXPECT_TRUE(eventually([&] { return errors.contain("ended torn"); }));
        else
            EXPECT_FALSE(errors.contain("ended torn"));
        const int events = database.events();
        EXPECT_EQ(wrong_events(database, events), "0");
        EXPECT_TRUE(is_account(client, static_cast<std::uint64_t>(events), 0, 0, 0));
        return events;
    };
    std::mt19937 random(3);
    for (int i = 0; i < 40; ++i) {
        const std::size_t end = std::uniform_int_distribution<std::size_t>(one + 10, whole.size() - 1)(random);
        EXPECT_EQ(stored_of(whole.substr(0, end), true), end < 2 * one - 10 ? 10 : 20) << end;
    }
    for (int i = 0; i < 40; ++i) {
        std::string damaged = whole;
        const std::size_t at = std::uniform_int_distribution<std::size_t>(one + 10, whole.size() - 1)(random);
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << i % 8);
        EXPECT_LE(stored_of(damaged, true), 20) << at;
    }
    EXPECT_EQ(stored_of("", false), 0);
    EXPECT_EQ(stored_of("no batch", true), 0);
    EXPECT_EQ(stored_of(whole, false), 30);
}

// A database restored from an older backup: its new identity must outlive the process that took it.
TEST(Spill, goes_on_as_a_new_producer_whose_batches_are_stored_once)
{
    SKIP_FORK();
    const Database database;
    std::mt19937 random(11);
    for (int round = 0; round < 12; ++round) {
        database.session().query("TRUNCATE telemetry.event, telemetry.producer");
        const TemporaryDirectory directory;
        CuttingProxy proxy(database);
        {
            Client client(spilling(proxy.conninfo(), directory));
            log(client, 1, 50);
            ASSERT_TRUE(client.flush(patience));
            proxy.close_the_way(true);
            log(client, 51, 400);
            ASSERT_TRUE(client.close(0ms));
        }
        database.session().query("DELETE FROM telemetry.event WHERE value > 50");
        database.session().query("DELETE FROM telemetry.producer");
        proxy.close_the_way(false);
        const auto enough = static_cast<std::uint64_t>(std::uniform_int_distribution<>(0, 30)(random)) * 10;
        const int status = status_of_child([&] {
            Client client(spilling(database.conninfo(), directory));
            eventually([&] { return client.account().stored >= enough; });
            raise(SIGKILL);
        });
        ASSERT_TRUE(WIFSIGNALED(status));
        Client client(spilling(database.conninfo(), directory));
        ASSERT_TRUE(eventually([&] { return files_in(directory.path()).empty(); }));
        EXPECT_EQ(wrong_events(database, 400), "0") << "round " << round;
    }
}

TEST(Spill, drops_what_the_file_may_not_hold)
{
    const TemporaryDirectory nowhere;
    const TemporaryDirectory directory;
    const Database database;
    std::uint64_t spilled = 0;
    {
        Options options = spilling("host=" + nowhere.path(), directory);
        options.spill_bytes_max = 4'000;
        Client client(options);
        ASSERT_TRUE(eventually([&] { return !client.log({.event_type = "TICK", .value = 1}); }));
        EXPECT_FALSE(client.close(0ms));
        const Account account = client.account();
        spilled = account.spilled;
        EXPECT_GT(spilled, 100U);
        EXPECT_EQ(account.accepted, account.spilled + account.dropped);
        EXPECT_LE(std::filesystem::file_size(files_in(directory.path()).at(0)), 4'000U);
    }
    adopt(database, directory, spilled);
}

// The answered part makes room: in all, far more than the file may hold goes through it.
TEST(Spill, uses_its_file_again)
{
    const Database database;
    const TemporaryDirectory directory;
    auto blocker = database.session();
    Options options = spilling(database.conninfo(), directory);
    options.spill_bytes_max = 20'000;
    options.batches_in_flight = 1;
    Client client(options);
    // The file is never quite empty, and never holds more than two rounds.
    int events = 0;
    for (int round = 0; round < 30; ++round) {
        blocker.query("BEGIN");
        blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
        log(client, events + 1, events + 100);
        events += 100;
        blocker.query("ROLLBACK");
        EXPECT_TRUE(eventually([&] { return static_cast<int>(client.account().stored) >= events - 120; }));
    }
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, static_cast<std::uint64_t>(events), 0, 0, 0));
    EXPECT_EQ(wrong_events(database, events), "0");
}

// A limit of the size of files stands for the full disk: writing fails in the middle of a batch.
TEST(Spill, goes_on_where_the_disk_was_full)
{
    SKIP_FORK();
    const Database database;
    const TemporaryDirectory directory;
    const TemporaryDirectory nowhere;
    int told[2];
    ASSERT_EQ(pipe(told), 0);
    const int status = status_of_child([&] {
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{};
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 3'333;
        setrlimit(RLIMIT_FSIZE, &limit);
        Errors errors;
        Options options = spilling("host=" + nowhere.path(), directory);
        options.on_error = errors.listener();
        Client client(options);
        int i = 0;
        const bool was_full = eventually([&] { return !client.log({.event_type = "TICK", .value = ++i}); });
        const bool was_told = eventually([&] { return errors.contain("spill file"); });
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_FSIZE, &limit);
        const bool closed = client.close(0ms); // now there is room
        const Account account = client.account();
        static_cast<void>(!write(told[1], &account, sizeof account));
        end_child(was_full && was_told && closed);
    });
    EXPECT_EQ(status, 0);
    Account account;
    ASSERT_EQ(read(told[0], &account, sizeof account), static_cast<ssize_t>(sizeof account));
    close(told[0]);
    close(told[1]);
    EXPECT_GT(account.spilled, 150U); // what was in memory when the disk was full is in it, too
    EXPECT_EQ(account.accepted, account.spilled + account.dropped);
    adopt(database, directory, account.spilled);
    EXPECT_EQ(database.value("SELECT count(*) - count(DISTINCT value) FROM telemetry.event"), "0");
}

// Several processes, or clients, in one directory.
TEST(Spill, leaves_alone_what_is_in_use)
{
    const Database database;
    const TemporaryDirectory directory;
    const TemporaryDirectory nowhere;
    Client first(spilling("host=" + nowhere.path(), directory));
    log(first, 1, 500);
    {
        Client second(spilling(database.conninfo(), directory));
        log(second, 501, 520);
        EXPECT_TRUE(second.flush(patience));
        EXPECT_TRUE(is_account(second, 20, 0, 0, 0));
    }
    EXPECT_EQ(files_in(directory.path()).size(), 1U);
    EXPECT_TRUE(first.close(0ms));
    adopt(database, directory, 500);
    EXPECT_EQ(wrong_events(database, 520), "0");
}

// A child that lives on does not keep its parent's file.
TEST(Spill, is_not_kept_by_the_child_of_a_fork)
{
    SKIP_FORK();
    const Database database;
    const TemporaryDirectory directory;
    const TemporaryDirectory nowhere;
    std::atomic<int> told{0};
    Options options = spilling("host=" + nowhere.path(), directory);
    options.on_error = [&](const Error &) { ++told; };
    auto client = std::make_unique<Client>(options);
    log(*client, 1, 500);
    int up[2];
    int down[2];
    ASSERT_EQ(pipe(up), 0);
    ASSERT_EQ(pipe(down), 0);
    const pid_t child = fork();
    if (child == 0) {
        const int told_before = told;
        client->log({.event_type = "TICK", .value = 501});
        // Once it asks for the server, it has looked for files that it could adopt.
        const bool looked = eventually([&] { return told > told_before; });
        char byte = 0;
        const bool good = looked && write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 1 && client->close(0ms) &&
                          client->account().spilled == 1;
        end_child(good);
    }
    char byte = 0;
    ASSERT_EQ(read(up[0], &byte, 1), 1);
    EXPECT_TRUE(client->close(0ms));
    client.reset();
    adopt(database, directory, 500);
    ASSERT_EQ(write(down[1], &byte, 1), 1);
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    adopt(database, directory, 1);
    EXPECT_EQ(wrong_events(database, 501), "0");
    for (const int descriptor : {up[0], up[1], down[0], down[1]})
        close(descriptor);
}

} // namespace gravitas::telemetry::test
