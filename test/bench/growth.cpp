// Sixty days of events, filled by the fastest door there is: how fast that goes, and what a read of ten or a hundred
// times as many events costs.

#include "events.hpp"
#include "subjects.hpp"
#include "ways_to_store.hpp"

#include <chrono>

namespace bench {

namespace {

constexpr int days = 60;

struct Read {
    const char *name;
    std::string statement;
    double target_ms; // DESIGN.md section 8
};

const Read reads[] = {
    {"get_aggregated_efficiency(), 24 h", read_efficiency, 4},
    {"get_60day_statistics()", read_statistics, 5},
    {"SELECT … ORDER BY timestamp DESC LIMIT 10",
     "SELECT * FROM telemetry.system_telemetry ORDER BY \"timestamp\" DESC LIMIT 10", 10},
    {"get_recent_events() of a rare component", "SELECT * FROM telemetry.get_recent_events(10, 'rare')", 10},
    {"get_series(), 24 h in 72 steps",
     "SELECT * FROM telemetry.get_series('THOUGHT_LATENCY', NULL, 24, interval '20 minutes', " + as_of + ")", 0},
    {"footprint", "SELECT * FROM telemetry.footprint(" + as_of + ")", 2},
};

// One day after the other, compacted as they come, as maintenance does; the last ends at as_of.
Cost fill(const std::string &database, long count)
{
    using namespace std::chrono;
    constexpr std::size_t batch = 10'000;
    constexpr int under_way = 8;
    Connection connection(database);
    const long a_day = count / days;
    const std::string first = "(" + as_of + " - interval '24 hours' * " + std::to_string(days) + ")";
    connection.run("SELECT telemetry.ensure_partitions(" + first + ", " + as_of + ")");
    connection.run("SELECT telemetry.log('NOTE', 'rare', event_time => " + first +
                   " + interval '24 hours' * n) FROM generate_series(10, 40, 10) AS n");
    connection.prepare("ingest", "SELECT stored FROM telemetry.ingest($1)");
    const auto first_us =
        static_cast<std::int64_t>(connection.number("SELECT extract(epoch FROM " + first + ") * 1000000"));
    Cost total;
    double seconds = 0;
    for (int day = 0; day < days; ++day) {
        progress_of_step("  filled " + grouped(static_cast<double>(day * a_day)) + " of " + in_words(count) +
                         " events");
        const std::vector<Inference> events = make_inferences(a_day, first_us + microseconds(hours(24)).count() * day,
                                                              hours(24), static_cast<unsigned>(day));
        const Cost cost = store_by_ingest(connection, events, batch, under_way);
        seconds += static_cast<double>(a_day) / cost.rows_a_second;
        total.server_us += cost.server_us / days;
        total.client_us += cost.client_us / days;
        connection.run("SELECT telemetry.compact()");
    }
    total.rows_a_second = static_cast<double>(a_day * days) / seconds;
    record_days(connection);
    progress("  vacuum");
    connection.run("VACUUM ANALYZE");
    connection.run("CHECKPOINT");
    return total;
}

void check_answers(Connection &connection, long count)
{
    progress("  comparing answers with brute force");
    check_efficiency(connection);
    must_agree(connection, "get_60day_statistics()",
               "SELECT (telemetry.get_60day_statistics(" + as_of + ") #>> '{overall, total_measurements}')::bigint",
               "SELECT " + std::to_string(count / days * days) +
                   "::bigint + (SELECT count(*) FROM telemetry.event WHERE component = 'rare')");
}

void report_filling(Report &report, Connection &connection, long count, const Cost &cost)
{
    report.add({"filling " + in_words(count) + " events by ingest(), pipelined, B-tree and summaries included",
                {cost.rows_a_second},
                "",
                {},
                {},
                "rows/s"});
    report.add({"  CPU of the server, a row", {cost.server_us}, "", {}, {}, "µs"});
    report.add({"  bytes of an event with its index",
                {connection.number("SELECT sum(pg_total_relation_size(relid)) / " + std::to_string(count) +
                                   " FROM pg_partition_tree('telemetry.event'::regclass)")},
                "",
                {},
                {},
                "B"});
    report.add(
        {"  bytes of all rollups",
         {connection.number("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = "
                            "'telemetry'::regnamespace AND relname IN ('rollup_minute', 'rollup_hour', 'rollup_day')")},
         "",
         {},
         {},
         "B"});
}

std::string filled_database(Report &report, long count)
{
    const std::string name = "growth_" + std::to_string(count);
    progress("filling 60 days with " + in_words(count) + " events");
    create_database(name);
    const Cost cost = fill(name, count);
    Connection connection(name);
    report_filling(report, connection, count, cost);
    check_answers(connection, count);
    return name;
}

} // namespace

void measure_growth(const Options &options, Report &report)
{
    std::vector<std::string> databases;
    for (const long count : options.growth_events)
        databases.push_back(filled_database(report, count));
    {
        std::vector<Connection> connections;
        for (const std::string &database : databases)
            connections.emplace_back(database);
        for (const Read &read : reads) {
            std::vector<Measurement> measurements;
            for (Connection &connection : connections)
                measurements.push_back([&] { return connection.milliseconds(read.statement); });
            const std::vector<Samples> samples = alternate(options.read_runs(), options.seconds_a_row(), measurements);
            for (std::size_t i = 0; i < samples.size(); ++i)
                report.add({std::string(i == 0 ? "" : "  ") + read.name + ", 60 days of " +
                                in_words(options.growth_events[i]) + " events in all",
                            samples[i],
                            i == 0 ? "" : "the same of " + in_words(options.growth_events[0]),
                            i == 0 ? Samples() : samples[0],
                            {.figure = read.target_ms > 0 ? std::optional(read.target_ms) : std::nullopt}});
        }
    }
    for (const std::string &database : databases)
        drop_database(database);
}

} // namespace bench
