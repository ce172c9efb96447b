// Other extensions for the same purpose, where the server has them.

#include "events.hpp"
#include "subjects.hpp"

#include <stdexcept>

namespace bench {

namespace {

bool is_available(Connection &connection, const std::string &extension)
{
    return connection.value("SELECT count(*) FROM pg_available_extensions WHERE name = '" + extension + "'") != "0";
}

void compare_tdigest(const Options &options, Report &report, const std::string &database)
{
    Connection connection(database);
    connection.run("CREATE EXTENSION tdigest SCHEMA public");
    connection.run("SET jit = off; SET max_parallel_workers_per_gather = 0");
    const std::string percentiles = "'{0.5, 0.95, 0.99}'::double precision[]";
    const std::string ours =
        "SELECT telemetry.percentiles(telemetry.sketch(value), " + percentiles + ") FROM telemetry.event";
    const std::string theirs = "SELECT public.tdigest_percentile(value, 100, " + percentiles + ") FROM telemetry.event";
    const std::vector<Samples> samples =
        alternate(9, options.seconds_a_row(),
                  {[&] { return connection.milliseconds(ours); }, [&] { return connection.milliseconds(theirs); }});
    report.add({"sketch(value), three percentiles, " + database,
                samples[0],
                "tdigest_percentile(value, 100)",
                samples[1],
                {}});
    connection.run("DROP EXTENSION tdigest");
}

// The way TimescaleDB keeps aggregates: a hypertable and a continuous aggregate by minute, which has no percentiles.
void compare_timescaledb(const Options &options, Report &report, const std::string &database)
{
    Connection("postgres").run("CREATE DATABASE timescale");
    Connection("timescale").run("CREATE EXTENSION timescaledb");
    Connection theirs("timescale");
    theirs.run("CREATE TABLE event (\"timestamp\" timestamptz NOT NULL, event_type text, component text, "
               "value float8, duration_ms float8, first_token_ms float8, prompt_tokens int, tokens_generated int, "
               "status text)");
    theirs.run("SELECT create_hypertable('event', 'timestamp', chunk_time_interval => interval '1 day')");
    theirs.run("SELECT setseed(0)");
    const long count = options.events.front();
    theirs.run("INSERT INTO event " + generated_events(day_before, count, 0, count - 1));
    theirs.run(
        "CREATE MATERIALIZED VIEW by_minute WITH (timescaledb.continuous) AS "
        "SELECT time_bucket('1 minute', \"timestamp\") AS bucket, component, count(value) AS n, sum(value) AS sum, "
        "min(value) AS min, max(value) AS max, sum(duration_ms) AS duration, sum(tokens_generated) AS tokens "
        "FROM event WHERE event_type = 'THOUGHT_LATENCY' AND status = 'OK' GROUP BY 1, 2 WITH NO DATA");
    theirs.run("CALL refresh_continuous_aggregate('by_minute', NULL, NULL)");
    theirs.run("VACUUM ANALYZE");
    Connection ours(database);
    const std::string read =
        "SELECT component, sum(n), sum(sum) / sum(n), sum(duration) / sum(tokens), min(min), max(max), "
        "sum(tokens) FROM by_minute WHERE bucket >= date_trunc('minute', " +
        day_before + ") AND bucket < " + as_of + " GROUP BY component";
    const std::vector<Samples> samples =
        alternate(options.read_runs(), options.seconds_a_row(),
                  {[&] { return ours.milliseconds(read_efficiency); }, [&] { return theirs.milliseconds(read); }});
    report.add({"get_aggregated_efficiency(), 24 h, " + database,
                samples[0],
                "TimescaleDB, continuous aggregate by minute, no percentiles",
                samples[1],
                {}});
}

} // namespace

void measure_others(const Options &options, Report &report)
{
    using Compare = void (*)(const Options &, Report &, const std::string &);
    const std::pair<const char *, Compare> others[] = {{"tdigest", compare_tdigest},
                                                       {"timescaledb", compare_timescaledb}};
    Connection connection("postgres");
    for (const auto &[extension, compare] : others) {
        if (!is_available(connection, extension)) {
            report.say(extension, "absent");
            continue;
        }
        try {
            compare(options, report, day_database(options.events.front()));
        } catch (const std::runtime_error &error) { // TimescaleDB wants to be preloaded, for one
            const std::string message = error.what();
            report.say(extension, "not measured: " + message.substr(0, message.find('\n')));
        }
    }
}

} // namespace bench
