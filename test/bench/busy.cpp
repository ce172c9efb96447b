// The reads after ten minutes of one-event statements, 1,000 a second, while an idle session holds an old snapshot,
// with autovacuum off and nothing preloaded. Until the extension maintains itself, the bench calls compact() once a
// minute.

#include "events.hpp"
#include "subjects.hpp"

#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;

// What a moment `event` ms after as_of is called in SQL.
std::string moment(long event) { return "(" + as_of + " + interval '" + std::to_string(event) + " milliseconds')"; }

class BusyDatabase {
public:
    BusyDatabase(const Options &options, const std::string &name)
        : options_(options), old_snapshot_(name), writer_(name), compactor_(name), reader_(name)
    {
        writer_.run("SELECT telemetry.ensure_partitions(" + as_of + ", " + as_of + " + interval '24 hours')");
        old_snapshot_.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
        old_snapshot_.run("SELECT count(*) FROM telemetry.rollup_delta");
    }

    // One minute: statements, reads before its compaction, and the compaction beside the next statements.
    void round()
    {
        for (long i = 0; i < options_.busy_statements; ++i)
            log_event();
        read(worst_efficiency_, worst_statistics_, 1);
        compactor_.finish();
        compactor_.start("SELECT telemetry.compact()");
    }

    void read_at_end(Samples &efficiency, Samples &statistics)
    {
        compactor_.finish();
        read(efficiency, statistics, 50);
    }

    // Of every read of the run, taken where the most deltas lie.
    [[nodiscard]] const Samples &efficiency_during() const { return worst_efficiency_; }
    [[nodiscard]] const Samples &statistics_during() const { return worst_statistics_; }
    [[nodiscard]] long events() const { return logged_; }

    double events_counted()
    {
        return reader_.number("SELECT telemetry.get_60day_statistics(" + moment(logged_) +
                              ") #>> '{overall, total_measurements}'");
    }

private:
    void log_event()
    {
        if (options_.busy_paced)
            std::this_thread::sleep_until(start_ + std::chrono::milliseconds(logged_));
        ++logged_;
        writer_.run("SELECT telemetry.log_thought_latency('model-" + std::to_string(logged_ % 10) + "', 2.5, " +
                    std::to_string(1 + logged_ % 500) + ", 100, event_time => " + moment(logged_ - 1) + ")");
    }

    void read(Samples &efficiency, Samples &statistics, int times)
    {
        const std::string now = moment(logged_);
        for (int i = 0; i < times; ++i) {
            efficiency.add(
                reader_.milliseconds("SELECT * FROM telemetry.get_aggregated_efficiency(NULL, 24, " + now + ")"));
            statistics.add(reader_.milliseconds("SELECT telemetry.get_60day_statistics(" + now + ")"));
        }
    }

    const Options &options_;
    Connection old_snapshot_, writer_, compactor_, reader_;
    Clock::time_point start_ = Clock::now();
    long logged_ = 0;
    Samples worst_efficiency_, worst_statistics_;
};

} // namespace

void measure_busy(const Options &options, Report &report)
{
    copy_database(months_database(options.day_events), "busy");
    const std::string how = grouped(static_cast<double>(options.busy_rounds)) + " × " +
                            grouped(static_cast<double>(options.busy_statements)) + " one-event statements" +
                            (options.busy_paced ? " at 1,000/s" : " as fast as they go") + ", old snapshot";
    progress(how);
    BusyDatabase database(options, "busy");
    const auto start = Clock::now();
    for (long round = 1; round <= options.busy_rounds; ++round) {
        database.round();
        if (options.busy_paced)
            progress("  round " + std::to_string(round));
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    Samples efficiency, statistics;
    database.read_at_end(efficiency, statistics);

    // The first events of the 60 days have left the window by now.
    const double share = static_cast<double>(database.events()) / 86'400'000;
    const double left = static_cast<double>(options.day_events) * (60 - share);
    if (std::abs(database.events_counted() - left - static_cast<double>(database.events())) >
        static_cast<double>(options.day_events) / 700 + 1) // a window is widened to whole minutes
        throw std::runtime_error("events were lost or counted twice beside an old snapshot");

    const std::string rate =
        "compact() by the bench after each; " + grouped(database.events() / seconds) + " statements/s";
    report.add({how + ": get_aggregated_efficiency() at the end", efficiency, rate, {}, {.figure = 4, .ratio = {}}});
    report.add(
        {"  before each compact(): the max is the worst", database.efficiency_during(), "at the end", efficiency, {}});
    report.add({"  get_60day_statistics() at the end", statistics, "", {}, {.figure = 5, .ratio = {}}});
    report.add(
        {"  before each compact(): the max is the worst", database.statistics_during(), "at the end", statistics, {}});
}

} // namespace bench
