// crowd CONNECTIONS ROUNDS: so many sessions at once, each of which logs through another door in each round. Prints how
// many events were acknowledged. The connection is as the PG* environment says.

#include "core/batch_writer.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace gravitas::telemetry;

namespace {

constexpr int threads = 8; // a statement under way in each; all sessions stay connected

[[noreturn]] void fail(PGconn *connection)
{
    std::fprintf(stderr, "%s", PQerrorMessage(connection));
    std::exit(1);
}

void run(PGconn *connection, const std::string &statement, const std::vector<std::uint8_t> *batch = nullptr)
{
    const char *const value = batch == nullptr ? nullptr : reinterpret_cast<const char *>(batch->data());
    const int length = batch == nullptr ? 0 : static_cast<int>(batch->size());
    constexpr int binary = 1;
    PGresult *const result =
        PQexecParams(connection, statement.c_str(), batch == nullptr ? 0 : 1, nullptr, &value, &length, &binary, 0);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail(connection);
}

core::ProducerId producer_of(int session)
{
    core::ProducerId id = {0x67, 0x74};
    for (int i = 0; i < 4; ++i)
        id[static_cast<std::size_t>(12 + i)] = static_cast<std::uint8_t>(session >> 8 * i);
    return id;
}

// How many events.
int log_one_way(PGconn *connection, int session, int round)
{
    const std::string name = std::to_string(session);
    const std::string value = std::to_string(round);
    switch ((session + round) % 4) {
    case 0:
        run(connection, "SELECT telemetry.log('CROWD', '" + name + "', " + value + ")");
        return 1;
    case 1:
        run(connection, "INSERT INTO telemetry.system_telemetry (event_type, component, value)"
                        " SELECT 'CROWD', '" +
                            name + "', " + value + " + n / 4.0 FROM generate_series(0, 2) AS n");
        return 3;
    case 2:
        run(connection, "SELECT telemetry.log_batch(jsonb_build_array(jsonb_build_object('event_type', 'CROWD',"
                        " 'component', '" +
                            name + "', 'value', " + value + ")))");
        return 1;
    default:
        core::BatchWriter writer;
        for (int i = 0; i < 3; ++i)
            writer.add({.time_us = 1'770'000'000'000'000 + session,
                        .event_type = "CROWD",
                        .component = name,
                        .value = round + i / 4.0});
        static std::mutex mutex;
        static std::vector<std::uint64_t> sequences(100'000);
        std::uint64_t sequence;
        {
            const std::lock_guard lock(mutex);
            sequence = ++sequences.at(static_cast<std::size_t>(session));
        }
        const auto now =
            std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
        const auto batch = writer.finish({.producer = producer_of(session),
                                          .sequence = sequence,
                                          .created_at = now.count(),
                                          .sent_at = now.count()});
        run(connection, "SELECT telemetry.ingest($1)", &batch);
        return 3;
    }
}

} // namespace

int main(int argc, char **argv)
{
    const int connections = argc > 1 ? std::atoi(argv[1]) : 100;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 4;
    std::vector<PGconn *> sessions(static_cast<std::size_t>(connections));
    std::atomic<int> events{0};
    const auto in_threads = [&](auto body) {
        std::vector<std::jthread> workers;
        for (int t = 0; t < threads; ++t)
            workers.emplace_back([&, t] {
                for (int s = t; s < connections; s += threads)
                    body(s);
            });
    };
    in_threads([&](int s) {
        PGconn *const connection = sessions[static_cast<std::size_t>(s)] = PQconnectdb("");
        if (PQstatus(connection) != CONNECTION_OK)
            fail(connection);
    });
    for (int round = 1; round <= rounds; ++round)
        in_threads([&](int s) { events += log_one_way(sessions[static_cast<std::size_t>(s)], s, round); });
    for (PGconn *const connection : sessions)
        PQfinish(connection);
    std::printf("%d\n", events.load());
}
