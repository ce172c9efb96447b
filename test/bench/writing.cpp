// What it costs to write one event, and to compact what many have left.

#include "bare_table.hpp"
#include "events.hpp"
#include "subjects.hpp"

#include <chrono>

namespace bench {

namespace {

constexpr int calls = 10'000;

void add_compaction(const Options &options, Report &report)
{
    copy_database(months_database(options.day_events), "compaction");
    Connection connection("compaction");
    for (const long deltas : {6'000L, 60'000L}) {
        Samples samples;
        for (int run = 0; run < 5; ++run) {
            append_deltas(connection, deltas);
            samples.add(connection.milliseconds("SELECT telemetry.compact()"));
            connection.run("VACUUM telemetry.rollup_delta, telemetry.rollup_minute, telemetry.rollup_hour, "
                           "telemetry.rollup_day");
        }
        report.add({"compact() of " + grouped(static_cast<double>(deltas)) + " deltas",
                    samples,
                    deltas == 6'000 ? "27-44 ms in DESIGN.md section 4" : "250 ms in DESIGN.md section 4",
                    {},
                    {}});
    }
    drop_database("compaction");
}

const std::string bare_insert = "INSERT INTO public.bare (event_type, component, value, duration_ms, prompt_tokens, "
                                "tokens_generated, status) VALUES ('THOUGHT_LATENCY', ";
const std::string bare_values = ", 15, 1500, 20, 100, 'OK')";
const std::string log_call = "telemetry.log_thought_latency(";
const std::string log_arguments = ", 1.5, 100, 20)";

std::string loop(const std::string &statement)
{
    return "DO $$ BEGIN FOR i IN 1 .. " + std::to_string(calls) + " LOOP " + statement + "; END LOOP; END $$";
}

// Nobody compacts inside the figures, and both tables start small.
void clear(Connection &connection)
{
    connection.run("SELECT telemetry.compact()");
    connection.run("TRUNCATE telemetry.event, telemetry.rollup_delta, public.bare");
}

double cpu_of(Connection &connection, const std::string &statement)
{
    const double before = connection.cpu_milliseconds().value_or(0);
    connection.run(statement);
    return (connection.cpu_milliseconds().value_or(0) - before) * 1000 / calls;
}

double wall_of_prepared(Connection &connection, const std::string &name)
{
    connection.run("BEGIN");
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i)
        connection.run_prepared(name, {"model-" + std::to_string(i % 10)});
    const auto end = std::chrono::steady_clock::now();
    connection.run("COMMIT");
    return std::chrono::duration<double, std::micro>(end - start).count() / calls;
}

void add_logging(const Options &options, Report &report)
{
    create_database("logging");
    Connection connection("logging");
    make_bare_table(connection, "bare");
    add_timestamp_index(connection, "bare");
    connection.run("SELECT telemetry.ensure_partitions(now(), now() + interval '1 day')");
    const auto compare = [&](const std::string &work, const Measurement &product, const Measurement &reference,
                             const Target &target) {
        const std::vector<Samples> samples = alternate(9, options.seconds_a_row() * 2,
                                                       {[&] {
                                                            clear(connection);
                                                            return product();
                                                        },
                                                        [&] {
                                                            clear(connection);
                                                            return reference();
                                                        }});
        report.add({work, samples[0], "one-row INSERT, bare table, same B-tree", samples[1], target, "µs"});
    };
    const std::string log_loop = loop("PERFORM " + log_call + "'model-' || i % 10" + log_arguments);
    const std::string bare_loop = loop(bare_insert + "'model-' || i % 10" + bare_values);
    if (connection.cpu_milliseconds())
        compare(
            "one log_thought_latency() in a transaction, CPU of the backend",
            [&] { return cpu_of(connection, log_loop); }, [&] { return cpu_of(connection, bare_loop); },
            {.ratio = 1.5});
    connection.prepare("log", "SELECT " + log_call + "$1" + log_arguments);
    connection.prepare("bare", bare_insert + "$1" + bare_values);
    compare(
        "one log_thought_latency() in a transaction, prepared, round trip",
        [&] { return wall_of_prepared(connection, "log"); }, [&] { return wall_of_prepared(connection, "bare"); }, {});
    must_agree(connection, "the events that were logged", "SELECT count(*) FROM telemetry.event WHERE value <> 15",
               "SELECT 0::bigint");
}

} // namespace

void measure_writing(const Options &options, Report &report)
{
    add_compaction(options, report);
    add_logging(options, report);
    drop_database("logging");
}

} // namespace bench
