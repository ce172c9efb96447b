// What else an application could call for each event. spdlog and prometheus-cpp are measured where they were installed
// when this was built.

#include "hot_path.hpp"
#include "inferences.hpp"

#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#elif __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#else
#include <moodycamel/concurrentqueue.h>
#endif

#ifdef BENCH_SPDLOG
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#endif
#ifdef BENCH_PROMETHEUS
#include <prometheus/histogram.h>
#endif

#include <array>
#include <atomic>
#include <cstdio>

namespace bench {

namespace {

using namespace std::chrono_literals;

Latency measure_clock(int threads)
{
    return latency_of(
        threads, [](int, int) {}, [] {});
}

// An event of 64 bytes, and a thread that takes them, as the client has.
Latency measure_queue(int threads)
{
    using Event = std::array<std::uint64_t, 8>;
    moodycamel::ConcurrentQueue<Event> queue(burst_queue);
    std::jthread consumer([&](const std::stop_token &stop) {
        std::array<Event, 256> taken;
        while (!stop.stop_requested())
            if (queue.try_dequeue_bulk(taken.data(), taken.size()) == 0)
                std::this_thread::sleep_for(1ms);
    });
    return latency_of(
        threads, [&](int thread, int event) { queue.enqueue({static_cast<std::uint64_t>(thread + event)}); },
        [&] {
            while (queue.size_approx() > 0)
                std::this_thread::sleep_for(1ms);
        });
}

#ifdef BENCH_SPDLOG

// A formatted line with the fields of the client's call.
Latency measure_spdlog(int threads, std::size_t queue, spdlog::async_overflow_policy policy)
{
    const char *const path = "build/bench/spdlog.log";
    const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, true);
    const auto pool = std::make_shared<spdlog::details::thread_pool>(queue, 1);
    const auto logger = std::make_shared<spdlog::async_logger>("bench", sink, pool, policy);
    const Latency latency = latency_of(
        threads,
        [&](int, int event) {
            logger->info("THOUGHT_LATENCY component={} duration_ms={} prompt_tokens={} tokens_generated={} status={}",
                         model_name(event % 10), 1500.0 + event, 20, 100, "OK");
        },
        [&] {
            while (pool->queue_size() > 0)
                std::this_thread::sleep_for(1ms);
        });
    std::remove(path);
    return latency;
}

std::vector<Logger> spdlog_loggers()
{
    constexpr std::size_t standard_queue = spdlog::details::default_async_q_size;
    using enum spdlog::async_overflow_policy;
    return {
        {"spdlog async, to a file", [](int threads) { return measure_spdlog(threads, burst_queue, block); }},
        // Never blocks: loses events instead. spdlog 1.10 has no policy that keeps the older ones.
        {"spdlog async, its standard queue of 8,192, overrun_oldest",
         [](int threads) { return measure_spdlog(threads, standard_queue, overrun_oldest); }},
    };
}

#else
std::vector<Logger> spdlog_loggers() { return {{"spdlog", {}}}; }
#endif

#ifdef BENCH_PROMETHEUS

Latency measure_prometheus(int threads)
{
    prometheus::Histogram histogram({1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000});
    return latency_of(
        threads, [&](int, int event) { histogram.Observe(event % 10'000); }, [] {});
}

std::vector<Logger> prometheus_loggers() { return {{"prometheus-cpp, Histogram::Observe()", measure_prometheus}}; }

#else
std::vector<Logger> prometheus_loggers() { return {{"prometheus-cpp", {}}}; }
#endif

} // namespace

std::string versions_of_peers()
{
    std::string spdlog = "absent", prometheus = "absent";
#ifdef BENCH_SPDLOG
    spdlog = BENCH_SPDLOG;
#endif
#ifdef BENCH_PROMETHEUS
    prometheus = BENCH_PROMETHEUS;
#endif
    return "spdlog " + spdlog + ", prometheus-cpp " + prometheus;
}

std::vector<Logger> other_loggers()
{
    std::vector<Logger> loggers = spdlog_loggers();
    for (Logger &logger : prometheus_loggers())
        loggers.push_back(std::move(logger));
    loggers.push_back({"moodycamel enqueue, 64 bytes", measure_queue, false});
    loggers.push_back({"nothing: two readings of the clock", measure_clock, false});
    return loggers;
}

} // namespace bench
