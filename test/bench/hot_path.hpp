// What an application's thread waits for when it logs one event: nanoseconds of one call among many.

#pragma once

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

struct Latency {
    double median_ns = 0, p99_ns = 0, p999_ns = 0;
};

// One library, started anew for each run.
struct Logger {
    std::string name;
    std::function<Latency(int threads)> measure; // empty: not there when this program was built
    bool has_tail = true;                        // whether its 99 % and 99.9 % are of interest
};

// Those of hot_path_peers.cpp.
std::vector<Logger> other_loggers();
std::string versions_of_peers();

// The events come in bursts that fit into the queues, and everything is written between two of them: what is measured
// is how an event gets in, not how fast the other end is.
inline constexpr int burst_events = 50'000, bursts = 3; // of all threads; the first burst is not counted
inline constexpr std::size_t burst_queue = 65'536;      // the client's standard

// Each call of log(thread, event) between two readings of the clock, which are part of the figure. settle() waits until
// everything that was logged is written.
template <typename Log, typename Settle>
Latency latency_of(int threads, Log log, Settle settle)
{
    using Clock = std::chrono::steady_clock;
    const int events = burst_events / threads;
    std::vector<std::vector<std::uint32_t>> samples(static_cast<std::size_t>(threads));
    std::barrier step(threads + 1);
    std::vector<std::jthread> workers;
    for (int thread = 0; thread < threads; ++thread)
        workers.emplace_back([&, thread] {
            std::vector<std::uint32_t> &mine = samples[static_cast<std::size_t>(thread)];
            mine.resize(static_cast<std::size_t>(events) * bursts); // touches the memory before the clock runs
            for (int burst = 0; burst < bursts; ++burst) {
                step.arrive_and_wait();
                for (int event = 0; event < events; ++event) {
                    const Clock::time_point start = Clock::now();
                    log(thread, event);
                    const Clock::duration taken = Clock::now() - start;
                    mine[static_cast<std::size_t>(burst * events + event)] =
                        static_cast<std::uint32_t>(std::min<std::int64_t>(taken.count(), UINT32_MAX));
                }
                step.arrive_and_wait();
            }
        });
    for (int burst = 0; burst < bursts; ++burst) {
        step.arrive_and_wait();
        step.arrive_and_wait();
        settle();
    }
    workers.clear();

    std::vector<std::uint32_t> all;
    for (const std::vector<std::uint32_t> &mine : samples)
        all.insert(all.end(), mine.begin() + events, mine.end());
    const auto quantile = [&](double share) {
        const auto at = all.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size()));
        std::nth_element(all.begin(), at, all.end());
        return static_cast<double>(*at);
    };
    return {quantile(0.5), quantile(0.99), quantile(0.999)};
}

} // namespace bench
