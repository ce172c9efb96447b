// Rounds of maintenance: after a busy minute, and after a hundred days without any.

#include "activity.hpp"
#include "events.hpp"
#include "inferences.hpp"
#include "steady_writer.hpp"
#include "subjects.hpp"
#include "ways_to_store.hpp"

#include <chrono>

namespace bench {

namespace {

constexpr double wait_ms = 100; // of a writer, as DESIGN.md section 8 has it for a drop

// ---- After one minute of 10,000 events a second ----

void add_busy_minute(const Options &options, Report &report)
{
    constexpr long events = 600'000;
    const int minutes = options.full ? 5 : 2;
    create_database("minute");
    Connection connection("minute");
    connection.run("CALL telemetry.maintain()");
    connection.prepare("ingest", "SELECT stored FROM telemetry.ingest($1)");
    Samples rounds, deltas;
    for (int minute = 0; minute < minutes; ++minute) {
        (void)store_by_ingest(connection, make_inferences(events, std::chrono::minutes(1)), 1'000, 4);
        deltas.add(connection.number("SELECT count(*) FROM telemetry.rollup_delta"));
        rounds.add(connection.milliseconds("CALL telemetry.maintain()"));
        must_agree(connection, "events after maintenance",
                   "SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_day",
                   "SELECT count(*)::numeric FROM telemetry.event");
        connection.run("VACUUM telemetry.rollup_delta");
    }
    report.add({"maintain() after a minute of 10,000 events/s in batches of 1,000",
                rounds,
                grouped(deltas.median()) + " deltas",
                {},
                {}});
    drop_database("minute");
}

// ---- A hundred missing days, or one, and all their events in the default partition ----

// Loads `count` events of so many days before as_of, for which no partition was made.
void load_misplaced(const std::string &database, long count, int days)
{
    progress("loading " + grouped(static_cast<double>(count)) + " events into the default partition");
    create_database(database);
    Connection connection(database);
    connection.run("SELECT telemetry.set_retention('event', '200 days')");
    const long a_day = count / days;
    for (int day = 1; day <= days; ++day)
        connection.run("INSERT INTO telemetry.event " + event_columns + " " +
                       generated_events(utc_day(day), a_day, 0, a_day - 1));
    connection.run("SELECT telemetry.rebuild_rollups(" + utc_day(days) + ", " + utc_day(0) + ")");
    connection.run("VACUUM ANALYZE");
}

void add_misplaced(Report &report, long count, int days)
{
    const std::string database = "misplaced";
    load_misplaced(database, count, days);
    const double alone = longest_wait_alone(database, as_of);
    SteadyWriter writer(database, as_of);
    const std::vector<Activity> activities = watch(database, "CALL telemetry.maintain(" + as_of + ")");
    const Samples waits = writer.stop();

    Connection connection(database);
    must_agree(connection, "events after they moved", "SELECT count(*) FROM telemetry.event",
               "SELECT sum(telemetry.event_count(summary))::bigint FROM telemetry.rollups(" + utc_day(200) + ", " +
                   utc_day(-1) + ")");
    const std::string what = grouped(static_cast<double>(count)) + " default rows of " + std::to_string(days) +
                             (days == 1 ? " missing day" : " missing days");
    report.add({"maintain() with " + what, {total_milliseconds(activities) / 1000}, "", {}, {}, "s"});
    report.add({"  longest wait of " + grouped(static_cast<double>(waits.size())) + " statements meanwhile",
                {waits.maximum()},
                "of 3,000 alone",
                {alone},
                {.figure = wait_ms}});
    report.add({"  each day, a transaction",
                milliseconds_of(activities, "making day"),
                "as long as it is locked",
                milliseconds_of(activities, "making day", &Activity::locked_milliseconds),
                {}});
    report.add({"  days still missing",
                {connection.number("SELECT count(*) FROM telemetry.missing_days(" + as_of + ")")},
                "",
                {},
                {.figure = 0},
                "days"});
    drop_database(database);
}

} // namespace

void measure_maintenance(const Options &options, Report &report)
{
    add_busy_minute(options, report);
    add_misplaced(report, options.misplaced_events, 100);
    add_misplaced(report, options.misplaced_events, 1);
}

} // namespace bench
