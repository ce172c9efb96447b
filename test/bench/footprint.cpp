// The footprint of 70 days of events, beside what it costs to ask the tables themselves.

#include "events.hpp"
#include "subjects.hpp"

namespace bench {

namespace {

constexpr double footprint_ms = 2; // DESIGN.md section 8
constexpr int days = 70;

const std::string read_footprint = "SELECT * FROM telemetry.footprint(" + as_of + ")";
const std::string ask_the_tables =
    "SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('telemetry.event'::regclass)), "
    "count(*), min(\"timestamp\"), max(\"timestamp\") FROM telemetry.event";

std::string days_database(long count)
{
    const std::string name = "days_" + std::to_string(count);
    progress("loading " + grouped(static_cast<double>(count)) + " events of 70 days");
    create_database(name);
    Connection connection(name);
    for (int day = days - 1; day >= 0; --day) {
        progress_of_step("  loading " + std::to_string(day + 1) + " more days");
        load_day(connection, utc_day(day), count / days);
    }
    connection.run("VACUUM ANALYZE");
    must_agree(connection, "footprint",
               "SELECT row_count, oldest_record, newest_record, row_count_is_estimate FROM telemetry.footprint(" +
                   as_of + ") WHERE table_name = 'system_telemetry'",
               "SELECT count(*), min(\"timestamp\"), max(\"timestamp\"), false FROM telemetry.event");
    return name;
}

} // namespace

void measure_footprint(const Options &options, Report &report)
{
    const long count = options.events.front();
    const std::string database = days_database(count);
    const std::string behind = ", 70 days, " + grouped(static_cast<double>(count)) + " events";
    for (const bool recorded : {false, true}) {
        Connection connection(database);
        if (recorded)
            record_days(connection);
        // Not in turns: a scan of all events leaves no cache as it was.
        const std::vector<Samples> product = alternate(options.read_runs(), options.seconds_a_row(),
                                                       {[&] { return connection.milliseconds(read_footprint); }});
        const std::vector<Samples> reference = alternate(options.read_runs(), options.seconds_a_row(),
                                                         {[&] { return connection.milliseconds(ask_the_tables); }});
        report.add({std::string("footprint") + (recorded ? ", closed days recorded" : ", no day recorded") + behind,
                    product[0], "the same of the tables", reference[0],
                    recorded ? Target{.figure = footprint_ms} : Target{}});
    }
    drop_database(database);
}

} // namespace bench
