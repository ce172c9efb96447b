// summarize() and sketch() over events, against what PostgreSQL offers for the same.

#include "events.hpp"
#include "subjects.hpp"

namespace bench {

namespace {

const std::string summarize = "telemetry.summarize(event_type, \"timestamp\", value, duration_ms, first_token_ms, "
                              "prompt_tokens, tokens_generated, "
                              "status)";
const std::string minutes = " GROUP BY date_trunc('minute', \"timestamp\"), component";
const std::string from_events = " FROM telemetry.event";

std::string four_of(const std::string &column)
{
    return "avg(" + column + "), min(" + column + "), max(" + column + "), sum(" + column + ")";
}

const std::string eight = four_of("value") + ", " + four_of("duration_ms");
// About what a summary answers, but for its percentiles, in plain aggregates.
const std::string all = eight + ", " + four_of("first_token_ms") +
                        ", count(*), count(*) FILTER (WHERE status = 'ERROR'), min(\"timestamp\"), max(\"timestamp\"), "
                        "sum(tokens_generated), sum(prompt_tokens), stddev(value), stddev(duration_ms), "
                        "stddev(first_token_ms), regr_slope(duration_ms, tokens_generated)";
const std::string three_percentiles =
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY value), percentile_cont(0.95) WITHIN "
    "GROUP (ORDER BY value), percentile_cont(0.99) WITHIN GROUP (ORDER BY value)";

// All groups computed, one row sent. Counting whole rows keeps the planner from leaving out columns that nobody reads.
std::string grouped_query(const std::string &expressions)
{
    return "SELECT count(by_minute) FROM (SELECT " + expressions + from_events + minutes + " OFFSET 0) AS by_minute";
}
std::string plain_query(const std::string &expression) { return "SELECT " + expression + from_events; }

struct Comparison {
    std::string work;
    std::string product;
    std::string reference_name;
    std::string reference;
    std::string settings;
    Target target;
};

std::vector<Comparison> comparisons()
{
    const std::string serial = "max_parallel_workers_per_gather = 0", parallel = "max_parallel_workers_per_gather = 2";
    const std::string in_memory = serial + "; SET work_mem = '1GB'", little = serial + "; SET work_mem = '4MB'";
    const std::string summary = "telemetry.event_count(" + summarize + ")";
    const std::string sketch = "telemetry.percentiles(telemetry.sketch(value), '{0.5, 0.95, 0.99}')";
    const std::string summary_percentiles = "telemetry.percentiles(" + summarize + ", '{0.5, 0.95, 0.99}')";
    const std::string two = "avg, min, max, sum of value and duration_ms";
    const Target sums = {.figure = {}, .ratio = 1.25};
    return {
        {"summarize(), serial", plain_query(summary), two, plain_query(eight), serial, sums},
        {"  against all that it answers", plain_query(summary), "26 plain aggregates", plain_query(all), serial, {}},
        {"  against one column",
         plain_query(summary),
         "avg, min, max, sum of value",
         plain_query(four_of("value")),
         serial,
         {}},
        {"summarize(), parallel", plain_query(summary), two, plain_query(eight), parallel, sums},
        {"summarize() by minute and component, serial, work_mem 1 GB", grouped_query(summary), two,
         grouped_query(eight), in_memory, sums},
        {"summarize() by minute and component, serial, work_mem 4 MB",
         grouped_query(summary),
         two,
         grouped_query(eight),
         little,
         {}},
        {"summarize() by minute and component, parallel, work_mem 1 GB", grouped_query(summary), two,
         grouped_query(eight), parallel + "; SET work_mem = '1GB'", sums},
        {"sketch(value), three percentiles, work_mem 1 GB",
         plain_query(sketch),
         "three percentile_cont",
         plain_query(three_percentiles),
         in_memory,
         {.figure = {}, .ratio = 1 / 2.0}},
        {"sketch(value), three percentiles, work_mem 4 MB",
         plain_query(sketch),
         "three percentile_cont",
         plain_query(three_percentiles),
         little,
         {.figure = {}, .ratio = 1 / 3.5}},
        {"summarize(), three percentiles, work_mem 1 GB",
         plain_query(summary_percentiles),
         "three percentile_cont",
         plain_query(three_percentiles),
         in_memory,
         {.figure = {}, .ratio = 1 / 2.0}},
        {"summarize(), three percentiles, work_mem 4 MB",
         plain_query(summary_percentiles),
         "three percentile_cont",
         plain_query(three_percentiles),
         little,
         {.figure = {}, .ratio = 1 / 3.5}},
    };
}

} // namespace

void measure_aggregates(const Options &options, Report &report)
{
    const long count = options.events.front();
    Connection connection(day_database(count));
    must_agree(connection, "summarize()", "SELECT telemetry.event_count(" + summarize + ")" + from_events,
               "SELECT count(*)" + from_events);
    connection.run("SET jit = off");
    progress("aggregates over " + grouped(static_cast<double>(count)) + " events, jit off");
    for (const Comparison &comparison : comparisons()) {
        connection.run("RESET work_mem");
        connection.run("SET " + comparison.settings);
        const std::vector<Samples> samples = alternate(9, options.seconds_a_row(),
                                                       {[&] { return connection.milliseconds(comparison.product); },
                                                        [&] { return connection.milliseconds(comparison.reference); }});
        report.add({comparison.work + ", " + grouped(static_cast<double>(count)) + " events", samples[0],
                    comparison.reference_name, samples[1], comparison.target});
    }
}

} // namespace bench
