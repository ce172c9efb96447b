// storm THREADS: logs from so many threads, as fast as a busy application does, until its input ends; then prints its
// account. Event n of thread t has component "t" and value n, so that each can be found again. The connection is as the
// PG* environment says.

#include <gravitas/telemetry.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace gravitas::telemetry;
using namespace std::chrono_literals;

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? std::atoi(argv[1]) : 4;
    Client client{{.queue_capacity = 20'000,
                   .on_full = OnFull::block,
                   .batch_events = 200,
                   .batch_age = 5ms,
                   .reconnect_max = 100ms}};
    std::atomic<bool> stop{false};
    std::vector<std::jthread> loggers;
    for (int t = 0; t < threads; ++t)
        loggers.emplace_back([&, name = std::to_string(t)] {
            for (double n = 1; !stop; ++n) {
                client.log({.event_type = "STORM", .component = name, .value = n});
                std::this_thread::sleep_for(200us);
            }
        });
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    stop = true;
    loggers.clear();
    const bool closed = client.close(120s);
    const Account account = client.account();
    std::printf("{\"closed\": %s, \"accepted\": %llu, \"stored\": %llu, \"queued\": %llu, \"dropped\": %llu, "
                "\"refused\": %llu}\n",
                closed ? "true" : "false", static_cast<unsigned long long>(account.accepted),
                static_cast<unsigned long long>(account.stored), static_cast<unsigned long long>(account.queued),
                static_cast<unsigned long long>(account.dropped), static_cast<unsigned long long>(account.refused));
}
