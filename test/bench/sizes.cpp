// Bytes of summaries, and whether any of them leave their table.

#include "events.hpp"
#include "subjects.hpp"

namespace bench {

namespace {

void add_summary_sizes(Report &report)
{
    create_database("sizes");
    Connection connection("sizes");
    connection.run(
        "CREATE TABLE public.summary_of (LIKE telemetry.rollup_day INCLUDING STORAGE, sketch telemetry.sketch)");
    connection.run("ALTER TABLE public.summary_of SET (toast_tuple_target = 8160)");
    for (const long count : {1L, 60L, 3'600L, 86'400L, 1'000'000L}) {
        connection.run("TRUNCATE public.summary_of");
        connection.run("SELECT setseed(0.5)");
        connection.run("INSERT INTO public.summary_of SELECT " + day_before +
                       ", 'THOUGHT_LATENCY', 'model-0', "
                       "telemetry.summarize(event_type, at, value, duration_ms, first_token_ms, prompt_tokens, "
                       "tokens_generated, status), telemetry.sketch(duration_ms) FROM (" +
                       generated_events(day_before, count, 0, count - 1) + ") AS event");
        const double bytes = connection.number("SELECT pg_column_size(summary) FROM public.summary_of");
        const double sketch = connection.number("SELECT pg_column_size(sketch) FROM public.summary_of");
        report.add({"summary of " + grouped(static_cast<double>(count)) + " events with all three latencies",
                    {bytes},
                    "sketch of one latency",
                    {sketch},
                    {},
                    "B"});
    }
    drop_database("sizes");
}

void add_stored_sizes(Report &report, const std::string &database)
{
    Connection connection(database);
    for (const char *const level : {"minute", "hour", "day"}) {
        const std::string table = "telemetry.rollup_" + std::string(level);
        const std::string described =
            connection.value("SELECT to_char(count(*), 'FM999,999,999') || ' rows, summaries of ' || "
                             "round(avg(pg_column_size(summary))) || "
                             "' B on average, ' || max(pg_column_size(summary)) || ' B at most, with indexes ' || "
                             "pg_size_pretty(pg_total_relation_size('" +
                             table + "')) FROM " + table);
        const double toast = connection.number("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = '" +
                                               table + "'::regclass");
        report.add({"TOAST of rollup_" + std::string(level) + ", " + database,
                    {toast},
                    described,
                    {},
                    {.figure = 0, .ratio = {}},
                    "B"});
    }
}

} // namespace

void measure_sizes(const Options &options, Report &report)
{
    add_summary_sizes(report);
    add_stored_sizes(report, day_database(options.events.back()));
    add_stored_sizes(report, months_database(options.day_events));
}

} // namespace bench
