// The reads that people wait for, on data loaded in bulk and with deltas beside it.

#include "events.hpp"
#include "subjects.hpp"

namespace bench {

namespace {

// Targets of DESIGN.md section 8, and what section 4 says a delta costs a read.
constexpr double efficiency_ms = 4;
constexpr double statistics_ms = 5;
constexpr double delta_us = 2;

} // namespace

void measure_efficiency(const Options &options, Report &report)
{
    std::vector<Connection> connections;
    for (const long count : options.events)
        connections.emplace_back(day_database(count));
    std::vector<Measurement> reads;
    for (Connection &connection : connections)
        reads.push_back([&] { return connection.milliseconds(read_efficiency); });
    const std::vector<Samples> samples = alternate(options.read_runs(), options.seconds_a_row(), reads);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const std::string work =
            "get_aggregated_efficiency(), 24 h, 10 models, " + in_words(options.events[i]) + " events";
        if (i == 0)
            report.add({work, samples[i], "", {}, {.figure = efficiency_ms, .ratio = {}}});
        else
            report.add({work,
                        samples[i],
                        "the same of " + in_words(options.events[0]),
                        samples[0],
                        {.figure = efficiency_ms, .ratio = 2}});
    }
}

void measure_statistics(const Options &options, Report &report)
{
    Connection connection(months_database(options.day_events));
    const std::vector<Samples> samples = alternate(options.read_runs(), options.seconds_a_row(),
                                                   {[&] { return connection.milliseconds(read_statistics); },
                                                    [&] { return connection.milliseconds(read_efficiency); }});
    const std::string behind = "60 days of " + in_words(options.day_events) + " events";
    report.add({"get_60day_statistics(), " + behind, samples[0], "", {}, {.figure = statistics_ms, .ratio = {}}});
    // The last day is as large as the others; the planner sees larger tables.
    report.add({"get_aggregated_efficiency(), 24 h, " + behind + " behind",
                samples[1],
                "",
                {},
                {.figure = efficiency_ms, .ratio = {}}});
}

void measure_deltas(const Options &options, Report &report)
{
    const std::string compacted = months_database(options.day_events);
    for (const long deltas : options.deltas) {
        const std::string database = "deltas_" + std::to_string(deltas);
        progress("appending " + in_words(deltas) + " deltas");
        copy_database(compacted, database);
        Connection with(database);
        append_deltas(with, deltas);
        must_agree(with, "get_60day_statistics() with deltas",
                   "SELECT (telemetry.get_60day_statistics(" + as_of + ") #>> '{overall, total_measurements}')::bigint",
                   "SELECT 60::bigint * " + std::to_string(options.day_events) + " + " + std::to_string(deltas));
        Connection without(compacted);
        for (const std::string &read : {read_efficiency, read_statistics}) {
            const std::vector<Samples> samples =
                alternate(options.read_runs(), options.seconds_a_row(),
                          {[&] { return with.milliseconds(read); }, [&] { return without.milliseconds(read); }});
            const std::string name = read == read_efficiency ? "get_aggregated_efficiency()" : "get_60day_statistics()";
            report.add({name + " beside " + in_words(deltas) + " deltas", samples[0], "compacted", samples[1], {}});
            report.add({"  of that, each delta",
                        {(samples[0].median() - samples[1].median()) * 1000 / static_cast<double>(deltas)},
                        "",
                        {},
                        {.figure = delta_us, .ratio = {}},
                        "µs"});
        }
        drop_database(database);
    }
}

} // namespace bench
