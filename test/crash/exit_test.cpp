// An application ends without close(): nothing hangs, what was acknowledged is stored once.

#include "crash/faults.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <sys/wait.h>

namespace gravitas::telemetry::test {

namespace {

// The command of a program that is stopped, with status 124, when it hangs.
std::string exit_client(const std::string &way, const std::string &conninfo)
{
    return "exec timeout 25 '" + std::filesystem::canonical("/proc/self/exe").parent_path().string() +
           "/exit_client' '" + way + "' '" + conninfo + "'";
}

int status_of(const std::string &command)
{
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string events_once(const Database &database)
{
    return database.value("SELECT count(*) || ' ' || count(DISTINCT value) FROM telemetry.event");
}

struct Way {
    const char *name;
    const char *events;
};

struct ExitWithoutClose : ::testing::TestWithParam<Way> {};

} // namespace

TEST_P(ExitWithoutClose, stores_each_event_once)
{
    const Database database;
    EXPECT_EQ(status_of(exit_client(GetParam().name, database.conninfo())), 0);
    EXPECT_EQ(events_once(database), GetParam().events);
    EXPECT_TRUE(is_consistent(database));
}

INSTANTIATE_TEST_SUITE_P(Each, ExitWithoutClose,
                         ::testing::Values(Way{"return", "1000 1000"}, Way{"another thread", "1000 1000"},
                                           Way{"late destructor", "1001 1001"}, Way{"child", "1000 1000"}),
                         [](const auto &info) {
                             std::string name = info.param.name;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name;
                         });

TEST(ExitFromOnError, does_not_hang)
{
    const TemporaryDirectory nowhere;
    EXPECT_EQ(status_of("EXIT_ON_ERROR=1 " + exit_client("on_error", "host=" + nowhere.path()).substr(5)), 0);
}

// What it had been told is stored is there once; what was under way, at most once.
TEST(KilledClient, doubles_nothing)
{
    std::mt19937 random(seed());
    for (int round = 0; round < rounds(5); ++round) {
        const Database database;
        FILE *const output = popen(exit_client("killed", database.conninfo()).c_str(), "r");
        ASSERT_NE(output, nullptr);
        int pid = 0;
        int acknowledged = 0;
        ASSERT_EQ(std::fscanf(output, "%d", &pid), 1);
        const int enough = std::uniform_int_distribution(1, 20)(random);
        for (int lines = 0; lines < enough && std::fscanf(output, "%d", &acknowledged) == 1; ++lines) {
        }
        EXPECT_EQ(kill(pid, SIGKILL), 0);
        while (std::fscanf(output, "%d", &acknowledged) == 1) {
        }
        pclose(output);
        EXPECT_GT(acknowledged, 0);
        auto session = database.session();
        EXPECT_TRUE(eventually([&] {
            return session.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                                 "application_name = 'gravitas-telemetry'") == "0";
        }));
        const std::string up_to = std::to_string(acknowledged);
        EXPECT_EQ(session.value("SELECT count(*) FROM telemetry.event WHERE value <= " + up_to), up_to);
        EXPECT_EQ(session.value("SELECT count(*) - count(DISTINCT value) FROM telemetry.event"), "0");
        EXPECT_TRUE(is_consistent(database));
    }
}

} // namespace gravitas::telemetry::test
