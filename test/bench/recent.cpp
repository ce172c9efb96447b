// The newest events, of all and of a component that speaks seldom, with 60 days behind today.

#include "events.hpp"
#include "subjects.hpp"

#include <algorithm>

namespace bench {

namespace {

constexpr double recent_ms = 10; // DESIGN.md section 8
constexpr int days_behind = 60;

const std::string read_natural = "SELECT * FROM telemetry.system_telemetry ORDER BY \"timestamp\" DESC LIMIT 10";
const std::string read_rare = "SELECT * FROM telemetry.get_recent_events(10, 'rare')";

// Three events in as many weeks.
void log_rare_events(Connection &connection)
{
    for (const std::string days : {"50", "43", "36"})
        connection.run("SELECT telemetry.log('NOTE', 'rare', event_time => " + as_of + " - interval '24 hours' * " +
                       days + ")");
    connection.run("SELECT telemetry.compact()");
}

std::string today_database(long count, long day_events)
{
    const std::string name = "today_" + std::to_string(count);
    copy_database(day_database(count), name);
    progress("loading 60 days behind them");
    Connection connection(name);
    for (int day = days_behind; day > 0; --day)
        load_day(connection, utc_day(day + 1), day_events);
    log_rare_events(connection);
    connection.run("VACUUM ANALYZE");
    must_agree(connection, "the newest events", "SELECT \"timestamp\" FROM (" + read_natural + ") AS newest",
               "SELECT \"timestamp\" FROM telemetry.event ORDER BY \"timestamp\" DESC LIMIT 10");
    must_agree(connection, "get_recent_events()", "SELECT count(*) FROM (" + read_rare + ") AS found",
               "SELECT 3::bigint");
    return name;
}

// Planned anew, that within functions, too.
double cold_milliseconds(Connection &connection, const std::string &read)
{
    connection.run("DISCARD PLANS");
    return connection.milliseconds(read);
}

double first_milliseconds(const std::string &database, const std::string &read)
{
    Connection connection(database);
    return connection.milliseconds(read);
}

} // namespace

void measure_recent(const Options &options, Report &report)
{
    // Of fewer a day than there are today, so that loading them does not take an hour.
    const long day_events = std::min(options.day_events, options.full ? 20'000L : 5'000L);
    for (const long count : options.events) {
        const std::string database = today_database(count, day_events);
        const std::string behind = ", " + grouped(static_cast<double>(count)) + " events today, 60 days behind";
        Connection connection(database);
        const std::vector<Samples> samples = alternate(options.read_runs(), options.seconds_a_row() * 2,
                                                       {[&] { return cold_milliseconds(connection, read_natural); },
                                                        [&] { return cold_milliseconds(connection, read_rare); },
                                                        [&] { return first_milliseconds(database, read_natural); },
                                                        [&] { return first_milliseconds(database, read_rare); }});
        report.add({"SELECT … ORDER BY timestamp DESC LIMIT 10" + behind,
                    samples[0],
                    "the first read of a session",
                    samples[2],
                    {.figure = recent_ms}});
        report.add({"get_recent_events() of a rare component" + behind,
                    samples[1],
                    "the first read of a session",
                    samples[3],
                    {.figure = recent_ms}});
        drop_database(database);
    }
}

} // namespace bench
