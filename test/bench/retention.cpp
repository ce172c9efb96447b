// Dropping days beside a writer: how long the proof takes, how long the drop holds everybody up, and what is left.

#include "activity.hpp"
#include "bare_table.hpp"
#include "events.hpp"
#include "steady_writer.hpp"
#include "subjects.hpp"

#include <unistd.h>

namespace bench {

namespace {

constexpr double drop_ms = 50, wait_ms = 100; // DESIGN.md section 8
constexpr int days = 3;
const std::string database = "retention";

std::string bare_table(int day) { return "bare_" + std::to_string(day); }

void load(const Options &options)
{
    progress("loading three days of " + grouped(static_cast<double>(options.dropped_events)) + " events");
    create_database(database);
    Connection connection(database);
    for (int day = 0; day < days; ++day) {
        load_day(connection, utc_day(65 - day), options.dropped_events);
        make_bare_table(connection, bare_table(day));
        add_timestamp_index(connection, bare_table(day));
        connection.run("INSERT INTO " + bare_table(day) + " SELECT * FROM telemetry.event WHERE \"timestamp\" >= " +
                       utc_day(65 - day) + " AND \"timestamp\" < " + utc_day(64 - day));
    }
    connection.run("SELECT telemetry.ensure_partitions(" + as_of + ", " + as_of + " + interval '24 hours')");
    connection.run("VACUUM ANALYZE");
    // Old files have long been written, and the kernel takes its time to forget those that have not.
    connection.run("CHECKPOINT");
    ::sync();
}

Samples drop_bare_tables()
{
    Samples samples;
    Connection connection(database);
    for (int day = 0; day < days; ++day)
        samples.add(connection.milliseconds("DROP TABLE " + bare_table(day)));
    return samples;
}

double dead_rows(Connection &connection)
{
    connection.run("SELECT pg_stat_clear_snapshot()");
    return connection.number("SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables "
                             "WHERE schemaname = 'telemetry' AND relname ~ '^event'");
}

} // namespace

void measure_retention(const Options &options, Report &report)
{
    load(options);
    const std::string what = "dropping a day of " + grouped(static_cast<double>(options.dropped_events)) + " events";
    const double alone = longest_wait_alone(database, as_of);
    SteadyWriter writer(database, as_of);
    const std::vector<Activity> activities = watch(database, "CALL telemetry.apply_retention(" + as_of + ")");
    const Samples waits = writer.stop();
    const Samples bare = drop_bare_tables();

    Connection connection(database);
    must_agree(connection, "the events of dropped days",
               "SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_day WHERE bucket < " + utc_day(60),
               "SELECT " + std::to_string(days * options.dropped_events) + "::numeric");
    must_agree(connection, "days that are left", "SELECT min(\"timestamp\") FROM telemetry.event", "SELECT " + as_of);
    // Postgres removes the files once nobody waits any more, and how long that takes is the file system's.
    report.add({what + ": as long as it is locked",
                milliseconds_of(activities, "dropping", &Activity::locked_milliseconds),
                "looked at each millisecond",
                {},
                {.figure = drop_ms}});
    report.add({"  in all, with its files",
                milliseconds_of(activities, "dropping"),
                "DROP TABLE, bare table",
                bare,
                {.ratio = 1.2}});
    report.add({"  the proof before it", milliseconds_of(activities, "proving"), "", {}, {}});
    report.add({"  longest wait of " + grouped(static_cast<double>(waits.size())) + " statements meanwhile",
                {waits.maximum()},
                "of 3,000 alone",
                {alone},
                {.figure = wait_ms}});
    report.add({"  dead rows left", {dead_rows(connection)}, "", {}, {.figure = 0}, "rows"});
    drop_database(database);
}

} // namespace bench
