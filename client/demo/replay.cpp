#include "replay.hpp"

#include "database.hpp"
#include "progress.hpp"
#include "storing.hpp"
#include "trace.hpp"

#include <algorithm>
#include <cstdio>

namespace demo {

namespace {

using gravitas::telemetry::Clock;

void announce(const TraceFiles &files)
{
    for (const auto &trace : files.traces)
        std::printf("  %-24s %7s %s\n", trace->component().c_str(), grouped(trace->size()).c_str(),
                    std::string(trace->unit()).c_str());
    for (const auto &path : files.skipped)
        std::printf("  skipped %s: not a trace that is known\n", path.c_str());
}

Nanoseconds oldest_age(const TraceFiles &files)
{
    Nanoseconds oldest{};
    for (const auto &trace : files.traces)
        for (std::size_t event = 0; event < trace->size(); ++event)
            oldest = std::max(oldest, trace->age(event));
    return oldest;
}

} // namespace

void replay(const std::vector<std::filesystem::path> &paths)
{
    std::printf("Reading the traces\n");
    const TraceFiles files = read_traces(paths);
    announce(files);
    if (files.traces.empty())
        throw TraceError(paths.front().string() + ": holds no trace that is known");
    std::size_t total = 0;
    for (const auto &trace : files.traces)
        total += trace->size();

    const TimePoint end = Clock::now();
    prepare_database(end - oldest_age(files));
    StoringClient storing;
    std::printf("Replaying %s events, each trace as if its last event were now\n", grouped(total).c_str());
    Progress progress("stored", total);
    const auto show = [&](std::uint64_t stored) { progress.show(stored); };
    for (const auto &trace : files.traces) {
        for (std::size_t event = 0; event < trace->size(); ++event) {
            storing.wait_for_room(show);
            trace->log(storing.client(), event, end);
        }
    }
    storing.store_all(show);
    progress.finish();
}

} // namespace demo
