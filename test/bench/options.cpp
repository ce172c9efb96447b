#include "options.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace {

template <typename Value>
std::vector<Value> values(const char *name, const std::string &standard)
{
    const char *const given = std::getenv(name);
    std::istringstream words(given != nullptr && *given != '\0' ? given : standard);
    std::vector<Value> list;
    for (Value value; words >> value;)
        list.push_back(value);
    if (!words.eof())
        throw std::runtime_error(std::string(name) + " is not a list of numbers: \"" + words.str() + "\"");
    return list;
}

long number(const char *name, long standard)
{
    const std::vector<long> list = values<long>(name, std::to_string(standard));
    if (list.size() != 1 || list.front() < 0)
        throw std::runtime_error(std::string(name) + " takes one number");
    return list.front();
}

} // namespace

Options options_from_environment()
{
    Options options;
    const char *const mode = std::getenv("BENCH");
    options.full = mode != nullptr && std::string(mode) == "full";
    const bool full = options.full;
    options.only = values<std::string>("BENCH_ONLY", "");
    options.events = values<long>("BENCH_EVENTS", full ? "1000000 10000000" : "300000");
    options.day_events = number("BENCH_DAY_EVENTS", full ? 100'000 : 20'000);
    options.growth_events = values<long>("BENCH_GROWTH_EVENTS", full ? "1000000 10000000 100000000" : "100000 1000000");
    options.deltas = values<long>("BENCH_DELTAS", full ? "10000 600000" : "10000 60000");
    options.ingest_events = number("BENCH_INGEST_EVENTS", full ? 2'000'000 : 100'000);
    options.ingest_runs = static_cast<int>(number("BENCH_INGEST_RUNS", full ? 5 : 3));
    options.hot_path_runs = static_cast<int>(number("BENCH_HOT_PATH_RUNS", full ? 15 : 3));
    options.dropped_events = number("BENCH_DROPPED_EVENTS", full ? 1'000'000 : 20'000);
    options.misplaced_events = number("BENCH_MISPLACED_EVENTS", full ? 1'000'000 : 20'000);
    options.unattended_s = number("BENCH_UNATTENDED_S", full ? 600 : 10);
    if (options.misplaced_events < 100 || options.unattended_s < 10)
        throw std::runtime_error("BENCH_MISPLACED_EVENTS takes 100 or more, BENCH_UNATTENDED_S 10 or more");
    if (options.ingest_events < 10'000 || options.ingest_runs < 1 || options.hot_path_runs < 1)
        throw std::runtime_error("BENCH_INGEST_EVENTS takes 10,000 or more, BENCH_INGEST_RUNS and BENCH_HOT_PATH_RUNS "
                                 "1 or more");
    if (options.events.empty() || options.growth_events.empty())
        throw std::runtime_error("BENCH_EVENTS or BENCH_GROWTH_EVENTS names no number of events");
    return options;
}

bool Options::wants(const std::string &subject) const
{
    return only.empty() || std::find(only.begin(), only.end(), subject) != only.end();
}

} // namespace bench
