#include "activity.hpp"

#include <chrono>
#include <thread>

namespace bench {

std::vector<Activity> watch(const std::string &database, const std::string &statement)
{
    using Clock = std::chrono::steady_clock;
    const std::string prefix = "telemetry maintenance: ";
    Connection maintainer(database), watcher(database);
    const std::string pid = maintainer.value("SELECT pg_backend_pid()");
    watcher.prepare("look", "SELECT query FROM pg_stat_activity WHERE pid = " + pid);
    watcher.prepare("locks", "SELECT count(*) FROM pg_locks WHERE pid = " + pid +
                                 " AND relation = 'telemetry.event'::regclass AND mode = 'AccessExclusiveLock'"
                                 " AND granted");
    std::vector<Activity> seen = {{"starting", 0, 0}};
    Clock::time_point since = Clock::now();
    maintainer.start(statement);
    while (maintainer.is_running()) {
        const bool is_locked = watcher.run_binary("locks", {}) != "0";
        const std::string query = watcher.run_binary("look", {});
        const Clock::time_point now = Clock::now();
        const double passed = std::chrono::duration<double, std::milli>(now - since).count();
        since = now;
        seen.back().milliseconds += passed;
        seen.back().locked_milliseconds += is_locked ? passed : 0;
        if (query.starts_with(prefix) && query.substr(prefix.size()) != seen.back().text)
            seen.push_back({query.substr(prefix.size()), 0, 0});
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    seen.back().milliseconds += std::chrono::duration<double, std::milli>(Clock::now() - since).count();
    maintainer.finish();
    return seen;
}

Samples milliseconds_of(const std::vector<Activity> &activities, const std::string &beginning, double Activity::*which)
{
    Samples samples;
    for (const Activity &activity : activities)
        if (activity.text.starts_with(beginning))
            samples.add(activity.*which);
    return samples;
}

double total_milliseconds(const std::vector<Activity> &activities)
{
    double total = 0;
    for (const Activity &activity : activities)
        total += activity.milliseconds;
    return total;
}

} // namespace bench
