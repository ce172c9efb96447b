// Events of a client, from its memory to committed and summarised, against what stores the same rows and summarises
// nothing. Every batch is a transaction of its own with synchronous_commit = on; who makes a batch or data for COPY
// spends its time and its CPU within the figures.

#include "bare_table.hpp"
#include "events.hpp"
#include "subjects.hpp"
#include "ways_to_store.hpp"

#include <functional>
#include <map>
#include <stdexcept>

namespace bench {

namespace {

const std::string database = "ingest";
const std::string indexed = "public.indexed", unindexed = "public.unindexed";
constexpr int pipelined = 8;

struct Way {
    std::string name;
    std::function<Cost()> store;
    bool is_ours = false;
};

// Samples of what a way costs.
struct Costs {
    Samples rows_a_second, server_us, client_us;

    void add(const Cost &cost)
    {
        rows_a_second.add(cost.rows_a_second);
        server_us.add(cost.server_us);
        client_us.add(cost.client_us);
    }
};

class Comparison {
public:
    Comparison(const Options &options, Report &report)
        : options_(options), report_(report), events_(make_inferences(options.ingest_events)), connection_(database)
    {
        connection_.run("SET synchronous_commit = on");
        connection_.run("SELECT telemetry.ensure_partitions(now() - interval '1 day', now() + interval '1 day')");
        for (const char *const name : {"indexed", "unindexed"})
            make_bare_table(connection_, name);
        add_timestamp_index(connection_, "indexed");
    }

    void compare(std::size_t batch)
    {
        const std::string rows = grouped(static_cast<double>(batch));
        progress("storing " + grouped(static_cast<double>(events_.size())) + " events in batches of " + rows);
        const std::map<std::string, Costs> costs = alternate(ways(batch));
        const std::string copy = "COPY BINARY, same batches and commits, ", indexed_copy = copy + "same B-tree";
        const auto add = [&](const std::string &work, const std::string &way, const std::string &name,
                             const std::string &reference, const Target &target) {
            report_.add({work, costs.at(way).rows_a_second, name, costs.at(reference).rows_a_second, target, "rows/s"});
        };
        const auto add_cpu = [&](const std::string &way) {
            const Costs &ours = costs.at(way), &theirs = costs.at("copy");
            if (connection_.cpu_milliseconds())
                report_.add({"  CPU of the server, a row", ours.server_us, indexed_copy, theirs.server_us, {}, "µs"});
            report_.add({"  CPU of the client, a row", ours.client_us, indexed_copy, theirs.client_us, {}, "µs"});
        };
        add("ingest(), batches of " + rows + ", pipelined", "pipelined", indexed_copy, "copy", {.least_ratio = 1.3});
        add("  pipelined", "pipelined", "one single COPY BINARY, same B-tree", "single copy", {.least_ratio = 1});
        add("  pipelined", "pipelined", copy + "no index", "unindexed", {});
        if (costs.contains("insert")) {
            add("  pipelined", "pipelined", "INSERT of 1,000 rows, prepared", "insert", {});
            add("  pipelined", "pipelined", "INSERT of one row, prepared, each committed", "one-row insert", {});
        }
        if (costs.contains("hypertable"))
            add("  pipelined", "pipelined", "COPY BINARY, same batches, hypertable", "hypertable",
                {.least_ratio = 1.8});
        add("  without pipelining", "one by one", indexed_copy, "copy", {});
        add_cpu("pipelined");
        add("Client, log to flush, batches of " + rows, "client", indexed_copy, "copy", {.least_ratio = 1.3});
        add_cpu("client");
    }

    // From now on, COPY into a hypertable is among the ways.
    void add_hypertable(const std::string &database)
    {
        hypertable_.emplace(database);
        hypertable_->run("SET synchronous_commit = on");
        hypertable_->run("CREATE TABLE public.hypertable (\"timestamp\" timestamptz NOT NULL, event_type text, "
                         "component text, value float8, duration_ms float8, first_token_ms float8, prompt_tokens int, "
                         "tokens_generated int, status text)");
        hypertable_->run("SELECT create_hypertable('public.hypertable', 'timestamp', chunk_time_interval => interval "
                         "'1 day')"); // with a B-tree on the time
    }

private:
    std::vector<Way> ways(std::size_t batch)
    {
        const Inferences all(events_);
        std::vector<Way> ways = {
            {"pipelined", [=, this] { return ingested(all, batch, pipelined); }, true},
            {"one by one", [=, this] { return ingested(all, batch, 1); }, true},
            {"client", [=] { return store_by_client(database, all, batch); }, true},
            {"copy", [=, this] { return store_by_copy(connection_, indexed, all, batch); }},
            {"single copy", [=, this] { return store_by_copy(connection_, indexed, all, all.size()); }},
            {"unindexed", [=, this] { return store_by_copy(connection_, unindexed, all, batch); }},
        };
        if (hypertable_)
            ways.push_back({"hypertable", [=, this] {
                                hypertable_->run("TRUNCATE public.hypertable");
                                return store_by_copy(*hypertable_, "public.hypertable", all, batch);
                            }});
        if (batch == 1'000) {
            const Inferences some = all.first(all.size() / 5 / batch * batch), few = all.first(all.size() / 50);
            ways.push_back({"insert", [=, this] { return store_by_insert(connection_, indexed, some, batch); }});
            ways.push_back({"one-row insert", [=, this] { return store_by_insert(connection_, indexed, few, 1); }});
        }
        return ways;
    }

    // Each way in turn, the first time without counting it.
    std::map<std::string, Costs> alternate(const std::vector<Way> &ways)
    {
        std::map<std::string, Costs> costs;
        for (int run = 0; run <= options_.ingest_runs; ++run)
            for (const Way &way : ways) {
                connection_.run("TRUNCATE telemetry.event, telemetry.rollup_delta, telemetry.rollup_minute, "
                                "telemetry.rollup_hour, telemetry.rollup_day, public.indexed, public.unindexed");
                const Cost cost = way.store();
                if (way.is_ours)
                    check_all_are_there();
                if (run > 0)
                    costs[way.name].add(cost);
                else if (way.is_ours)
                    must_agree(connection_, "check_rollups()",
                               "SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now())",
                               "SELECT 0::bigint");
                progress_of_step("  " + way.name + ": " + grouped(cost.rows_a_second) + " rows/s");
            }
        return costs;
    }

    Cost ingested(Inferences events, std::size_t batch, int under_way)
    {
        connection_.run("DEALLOCATE ALL");
        connection_.prepare("ingest", "SELECT stored, refused, duplicate, next_sequence FROM telemetry.ingest($1)");
        return store_by_ingest(connection_, events, batch, under_way);
    }

    void check_all_are_there()
    {
        const std::string n = std::to_string(events_.size()), condition = " WHERE event_type = 'THOUGHT_LATENCY'";
        must_agree(connection_, "the events that were stored",
                   "SELECT count(*), sum(tokens_generated) FROM telemetry.event" + condition,
                   "SELECT " + n + "::bigint, " + std::to_string(tokens()) + "::bigint");
        must_agree(connection_, "what was summarised",
                   "SELECT sum(telemetry.event_count(summary))::bigint FROM telemetry.rollup_delta" + condition,
                   "SELECT " + n + "::bigint");
    }

    [[nodiscard]] std::int64_t tokens() const
    {
        std::int64_t sum = 0;
        for (const Inference &event : events_)
            sum += event.tokens_generated;
        return sum;
    }

    const Options &options_;
    Report &report_;
    const std::vector<Inference> events_;
    Connection connection_;
    std::optional<Connection> hypertable_;
};

// Both tables hold what one and the same run stored, row for row.
void check_same_rows(Inferences events)
{
    Connection connection(database);
    connection.run("TRUNCATE telemetry.event, public.indexed");
    connection.prepare("ingest", "SELECT stored FROM telemetry.ingest($1)");
    store_by_ingest(connection, events, 1'000, pipelined);
    store_by_copy(connection, indexed, events, 1'000);
    const std::string columns = event_columns.substr(1, event_columns.size() - 2);
    must_agree(connection, "what ingest() stored", "SELECT " + columns + " FROM telemetry.event",
               "SELECT " + columns + " FROM " + indexed);
}

void add_timescaledb(Report &report, Comparison &comparison)
{
    const std::string name = "TimescaleDB, COPY into a hypertable";
    if (Connection("postgres").value("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") ==
        "0") {
        report.say(name, "absent");
        return;
    }
    try {
        Connection("postgres").run("CREATE DATABASE hypertable");
        Connection("hypertable").run("CREATE EXTENSION timescaledb");
        comparison.add_hypertable("hypertable");
    } catch (const std::runtime_error &error) { // it wants to be preloaded, for one
        const std::string message = error.what();
        report.say(name, "not measured: " + message.substr(0, message.find('\n')));
    }
}

} // namespace

void measure_ingest(const Options &options, Report &report)
{
    create_database(database);
    {
        Comparison comparison(options, report);
        add_timescaledb(report, comparison);
        check_same_rows(make_inferences(10'000));
        for (const std::size_t batch : {100, 1'000, 10'000})
            comparison.compare(batch);
    }
    drop_database(database);
}

} // namespace bench
