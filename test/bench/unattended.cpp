// The reads through ten minutes of 1,000 one-event statements a second, while maintenance comes by itself: nothing is
// preloaded and nothing is called. Once as a server is by default, and once without autovacuum and with an idle session
// that holds an old snapshot, so that what compaction leaves behind stays.

#include "events.hpp"
#include "steady_writer.hpp"
#include "subjects.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace bench {

namespace {

const std::string database = "unattended";

struct Read {
    std::string name;
    std::string statement;
    double target_ms; // DESIGN.md section 8
};

const Read reads[] = {
    {"get_aggregated_efficiency()", "SELECT * FROM telemetry.get_aggregated_efficiency()", 4},
    {"get_60day_statistics()", "SELECT telemetry.get_60day_statistics()", 5},
    {"SELECT … ORDER BY timestamp DESC LIMIT 10",
     "SELECT * FROM telemetry.system_telemetry ORDER BY \"timestamp\" DESC LIMIT 10", 10},
    {"get_recent_events() of a rare component", "SELECT * FROM telemetry.get_recent_events(10, 'rare')", 10},
    {"footprint", "SELECT * FROM telemetry.footprint", 2},
};

// Sixty days of rollups, moved from before as_of to before now, with one event of a rare component among them.
void load(const Options &options)
{
    copy_database(months_database(options.day_events), database);
    progress("moving 60 days of rollups to now");
    Connection connection(database);
    const std::string days =
        connection.value("SELECT (now() AT TIME ZONE 'UTC')::date - (" + as_of + " AT TIME ZONE 'UTC')::date");
    for (const std::string level : {"minute", "hour", "day"})
        connection.run("CREATE TEMP TABLE moved AS SELECT * FROM telemetry.rollup_" + level +
                       "; TRUNCATE telemetry.rollup_" + level + "; INSERT INTO telemetry.rollup_" + level +
                       " SELECT bucket + " + days +
                       " * interval '24 hours', event_type, component, summary FROM moved; DROP TABLE moved");
    connection.run("SELECT telemetry.log('NOTE', 'rare', event_time => now() - interval '40 days')");
    connection.run("VACUUM ANALYZE");
    Connection("postgres").run("ALTER DATABASE " + database + " SET gravitas_telemetry.maintenance = on");
}

class Readings {
public:
    Readings() : connection_(database) {}

    void take(bool is_late)
    {
        for (std::size_t i = 0; i < std::size(reads); ++i) {
            const double milliseconds = connection_.milliseconds(reads[i].statement);
            all_[i].add(milliseconds);
            if (is_late)
                late_[i].add(milliseconds);
        }
        deltas_.add(connection_.number("SELECT count(*) FROM telemetry.deltas('-infinity', 'infinity')"));
    }

    void report(const std::string &how, Report &report) const
    {
        for (std::size_t i = 0; i < std::size(reads); ++i)
            report.add({(i == 0 ? how : "  ") + reads[i].name,
                        all_[i],
                        "in the last fifth of the time",
                        late_[i],
                        {.figure = reads[i].target_ms}});
        report.add({"  deltas that lay there", deltas_, "", {}, {}, "deltas"});
    }

private:
    Connection connection_;
    Samples all_[std::size(reads)], late_[std::size(reads)], deltas_;
};

// Reads for so many seconds, twice a second, while a writer writes; how long its statements took.
Samples read_beside_writer(long seconds, Readings &readings)
{
    using Clock = std::chrono::steady_clock;
    SteadyWriter writer(database, "clock_timestamp()");
    const auto start = Clock::now(), end = start + std::chrono::seconds(seconds);
    const auto late = start + std::chrono::seconds(seconds * 4 / 5);
    while (Clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        readings.take(Clock::now() > late);
    }
    return writer.stop();
}

void run(const Options &options, const std::string &server, bool has_old_snapshot, Report &report)
{
    load(options);
    progress("1,000 statements a second for " + std::to_string(options.unattended_s) + " s, " + server);
    Connection connection(database), old_snapshot(database);
    connection.run("SELECT telemetry.compact()");
    if (has_old_snapshot)
        old_snapshot.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    old_snapshot.run("SELECT count(*) FROM telemetry.rollup_delta");
    const std::string events_in_rollups = "(SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_day)";
    const std::string before = connection.value("SELECT " + events_in_rollups);
    Readings readings;
    const Samples waits = read_beside_writer(options.unattended_s, readings);

    connection.run("SELECT telemetry.compact()");
    if (connection.number("SELECT count(*) FROM telemetry.maintenance_log WHERE step = 'maintain'") < 1)
        throw std::runtime_error("maintenance did not come by itself");
    must_agree(connection, "the events that were logged", "SELECT " + events_in_rollups + " - " + before,
               "SELECT count(*)::numeric - 1 FROM telemetry.event"); // without the rare one
    readings.report(std::to_string(options.unattended_s) + " s of 1,000 one-event statements/s, " + server + ": ",
                    report);
    report.add({"  one statement",
                waits,
                connection.value("SELECT count(*) FILTER (WHERE step = 'maintain') || ' rounds, ' || count(*) FILTER "
                                 "(WHERE step = 'compaction') || ' compactions, ' || count(error) || ' failures' "
                                 "FROM telemetry.maintenance_log"),
                {},
                {}});
    drop_database(database);
}

void alter_system(const std::string &change)
{
    Connection("postgres").run("ALTER SYSTEM " + change);
    Connection("postgres").run("SELECT pg_reload_conf()");
}

} // namespace

void measure_unattended(const Options &options, Report &report)
{
    alter_system("SET autovacuum = on");
    run(options, "defaults", false, report);
    alter_system("RESET autovacuum");
    run(options, "no autovacuum, old snapshot", true, report);
}

} // namespace bench
