// The client's log call against other calls that an application could make for each event, in nanoseconds.

#include "hot_path.hpp"

#include "database.hpp"
#include "inferences.hpp"
#include "subjects.hpp"

#include <gravitas/telemetry.hpp>

#include <map>
#include <stdexcept>
#include <vector>

namespace bench {

namespace {

namespace telemetry = gravitas::telemetry;

const std::string database = "hot_path";

Latency measure_client(int threads)
{
    telemetry::Client client({.conninfo = "dbname=" + database, .queue_capacity = burst_queue});
    std::vector<telemetry::Component> models;
    for (int model = 0; model < 10; ++model)
        models.push_back(client.component(model_name(model)));
    const Latency latency = latency_of(
        threads,
        [&](int, int event) {
            client.log_thought_latency(models[static_cast<std::size_t>(event % 10)], 1.5 + event * 1e-3, 100, 20);
        },
        [&] {
            if (!client.flush(std::chrono::minutes(1)))
                throw std::runtime_error("the client did not store a burst within a minute");
        });
    const telemetry::Account account = client.account();
    if (account.stored != account.accepted)
        throw std::runtime_error("of " + std::to_string(account.accepted) + " events only " +
                                 std::to_string(account.stored) + " were stored");
    return latency;
}

struct Latencies {
    Samples median, p99, p999;

    void add(const Latency &latency)
    {
        median.add(latency.median_ns);
        p99.add(latency.p99_ns);
        p999.add(latency.p999_ns);
    }
};

// In turns; the first time without counting it.
std::vector<Latencies> alternate(const Options &options, const std::vector<Logger> &loggers, int threads)
{
    std::vector<Latencies> latencies(loggers.size());
    for (int run = 0; run <= options.hot_path_runs; ++run)
        for (std::size_t i = 0; i < loggers.size(); ++i) {
            const Latency latency = loggers[i].measure(threads);
            if (run > 0)
                latencies[i].add(latency);
        }
    return latencies;
}

void compare(const Options &options, Report &report, const std::vector<Logger> &loggers, int threads)
{
    const std::string work =
        "Client::log_thought_latency() by handle, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
    progress(work);
    const std::vector<Latencies> latencies = alternate(options, loggers, threads);
    const Latencies &ours = latencies.front();
    const bool has_targets = threads == 1;
    const std::optional<double> median = has_targets ? std::optional(70.0) : std::nullopt;
    const std::optional<double> p999 = has_targets ? std::optional(2'000.0) : std::nullopt;
    for (std::size_t i = 1; i < loggers.size(); ++i) {
        const Latencies &theirs = latencies[i];
        const bool is_first = i == 1, is_spdlog = loggers[i].name == "spdlog async, to a file";
        const std::optional<double> ratio = has_targets && is_spdlog ? std::optional(0.2) : std::nullopt;
        const std::string label = is_first ? work + ", median" : "  median";
        report.add({label,
                    ours.median,
                    loggers[i].name,
                    theirs.median,
                    {.figure = is_first ? median : std::nullopt, .ratio = ratio},
                    "ns"});
        if (!loggers[i].has_tail && !is_first)
            continue;
        report.add({"  99 %", ours.p99, loggers[i].name, theirs.p99, {}, "ns"});
        report.add(
            {"  99.9 %", ours.p999, loggers[i].name, theirs.p999, {.figure = is_first ? p999 : std::nullopt}, "ns"});
    }
}

} // namespace

void measure_hot_path(const Options &options, Report &report)
{
    create_database(database);
    Connection(database).run("SELECT telemetry.ensure_partitions(now(), now() + interval '1 day')");
    std::vector<Logger> loggers = {{"the client", measure_client}};
    for (Logger &logger : other_loggers())
        if (logger.measure)
            loggers.push_back(std::move(logger));
        else
            report.say(logger.name, "absent");
    for (const int threads : {1, 4, 16})
        compare(options, report, loggers, threads);
    drop_database(database);
}

} // namespace bench
