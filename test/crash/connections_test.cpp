// A thousand sessions log at the same time, by every door.

#include "core/batch_writer.hpp"
#include "crash/faults.hpp"

#include <barrier>
#include <cstring>
#include <sys/resource.h>

namespace gravitas::telemetry::test {

namespace {

constexpr int sessions = 1'000;
constexpr int threads = 20; // each drives its share of the sessions
constexpr int rounds_each = 4;

// Two files a client and one a session.
void raise_open_files()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8'192);
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::string batch(int session, int sequence, int value)
{
    core::BatchHeader header;
    std::memcpy(header.producer.data(), &session, sizeof session);
    header.sequence = static_cast<std::uint64_t>(sequence);
    header.created_at = header.sent_at =
        std::chrono::floor<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
    core::BatchWriter writer;
    writer.add({.time_us = header.created_at, .event_type = "TICK", .value = static_cast<double>(value)});
    std::string text = "\\x";
    for (const std::uint8_t byte : writer.finish(header)) {
        constexpr char digits[] = "0123456789abcdef";
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

void log_one(Session &session, int number, int round)
{
    const int value = number * rounds_each + round;
    switch ((number + round % 2 * (number / 4)) % 3) { // some sessions take two doors in turn
    case 0:
        session.query("SELECT telemetry.log('TICK', value => $1)", {std::to_string(value)});
        break;
    case 1:
        session.query("INSERT INTO telemetry.system_telemetry (event_type, value) VALUES ('TICK', $1)",
                      {std::to_string(value)});
        break;
    default:
        EXPECT_EQ(session.value("SELECT stored FROM telemetry.ingest($1)", {batch(value + 1, 1, value)}), "1");
    }
}

} // namespace

TEST(ThousandConnections, lose_and_double_nothing)
{
    raise_open_files();
    const Database database;
    make_days(database);
    std::barrier all_connected(threads + 1);
    std::barrier all_may_start(threads + 1);
    {
        std::vector<std::jthread> drivers;
        for (int thread = 0; thread < threads; ++thread)
            drivers.emplace_back([&, thread] {
                std::vector<Session> own;
                try {
                    for (int i = 0; i < sessions / threads; ++i)
                        own.push_back(database.session());
                } catch (const std::exception &error) {
                    ADD_FAILURE() << error.what();
                }
                all_connected.arrive_and_wait();
                all_may_start.arrive_and_wait();
                try {
                    for (int round = 0; round < rounds_each; ++round)
                        for (std::size_t i = 0; i < own.size(); ++i)
                            log_one(own[i], thread * (sessions / threads) + static_cast<int>(i), round);
                } catch (const std::exception &error) {
                    ADD_FAILURE() << error.what();
                }
            });
        all_connected.arrive_and_wait();
        EXPECT_EQ(database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                 " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"),
                  std::to_string(sessions));
        all_may_start.arrive_and_wait();
    }
    EXPECT_EQ(database.events(), sessions * rounds_each);
    EXPECT_EQ(database.value("SELECT count(DISTINCT value) || ' from ' || min(value) || ' to ' || max(value)"
                             " FROM telemetry.event"),
              std::to_string(sessions * rounds_each) + " from 0 to " + std::to_string(sessions * rounds_each - 1));
    EXPECT_TRUE(is_consistent(database));
}

} // namespace gravitas::telemetry::test
