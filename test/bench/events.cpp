#include "events.hpp"

#include "report.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace bench {

namespace {

// A factor of median 1, by the method of Box and Muller.
std::string lognormal(double sigma)
{
    return "exp(" + std::to_string(sigma) + " * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))";
}

void make_partitions(Connection &connection, const std::string &start)
{
    connection.run("SELECT telemetry.ensure_partitions(" + start + ", " + start + " + interval '24 hours')");
}

void insert_events(Connection &connection, const std::string &start, long count)
{
    constexpr long chunk = 500'000; // a few seconds
    for (long first = 0; first < count; first += chunk) {
        const long last = std::min(first + chunk, count) - 1;
        connection.run("SELECT setseed(" + std::to_string(static_cast<double>(first % 1'000'003) / 1'000'003) + ")");
        connection.run("INSERT INTO telemetry.event " + event_columns + " " +
                       generated_events(start, count, first, last));
        if (count > chunk)
            progress_of_step("  loaded " + grouped(static_cast<double>(last + 1)) + " of " +
                             grouped(static_cast<double>(count)) + " events");
    }
}

} // namespace

std::string generated_events(const std::string &start, long count, long first, long last)
{
    return "SELECT at, CASE WHEN is_load THEN 'LOAD_LATENCY' ELSE 'THOUGHT_LATENCY' END AS event_type, "
           "       'model-' || n % 10 AS component, "
           "       CASE WHEN is_load THEN load_ms / 1000 ELSE (first_token_ms + pace * tokens) / tokens END AS value, "
           "       CASE WHEN is_load THEN load_ms ELSE first_token_ms + pace * tokens END AS duration_ms, "
           "       CASE WHEN NOT is_load THEN first_token_ms END AS first_token_ms, "
           "       CASE WHEN NOT is_load THEN prompt END AS prompt_tokens, "
           "       CASE WHEN NOT is_load THEN tokens END AS tokens_generated, "
           "       CASE WHEN failed THEN 'ERROR' ELSE 'OK' END AS status "
           "FROM (SELECT n, " +
           start + " + n * (interval '24 hours' / " + std::to_string(count) +
           ") AS at, "
           "             random() < 0.001 AS is_load, random() < 0.01 AS failed, 2000 * " +
           lognormal(0.5) +
           " AS load_ms, "
           "             150 * " +
           lognormal(0.6) +
           " AS first_token_ms, "
           "             (15 + n % 10) * " +
           lognormal(0.4) +
           " AS pace, "
           "             (1 + random() * 500)::integer AS tokens, (random() * 2000)::integer AS prompt "
           "      FROM generate_series(" +
           std::to_string(first) + "::bigint, " + std::to_string(last) +
           ") AS n"
           "     ) AS made";
}

void load_day(Connection &connection, const std::string &start, long count)
{
    make_partitions(connection, start);
    insert_events(connection, start, count);
    if (count > 500'000)
        progress("  making the rollups of " + grouped(static_cast<double>(count)) + " events");
    connection.run("SELECT telemetry.rebuild_rollups(" + start + ", " + start + " + interval '24 hours')");
}

std::string day_database(long count)
{
    static std::set<long> made;
    const std::string name = "day_" + std::to_string(count);
    if (!made.insert(count).second)
        return name;
    progress("loading 24 hours of " + grouped(static_cast<double>(count)) + " events");
    create_database(name);
    Connection connection(name);
    load_day(connection, day_before, count);
    connection.run("VACUUM ANALYZE");
    check_efficiency(connection);
    return name;
}

std::string months_database(long events_a_day)
{
    static std::set<long> made;
    constexpr int days = 60;
    const std::string name = "months_" + std::to_string(events_a_day);
    if (!made.insert(events_a_day).second)
        return name;
    progress("loading 60 days of " + grouped(static_cast<double>(events_a_day)) + " events");
    create_database(name);
    Connection connection(name);
    const auto start = [](int days_ago) {
        return "(" + as_of + " - interval '24 hours' * " + std::to_string(days_ago) + ")";
    };
    for (int day = days; day > 0; --day) {
        progress_of_step("  loading " + std::to_string(day) + " more days");
        make_partitions(connection, start(day));
        insert_events(connection, start(day), events_a_day);
    }
    for (int day = days; day >= 0; --day) {
        progress_of_step("  making the rollups of " + std::to_string(day + 1) + " more days");
        connection.run("SELECT telemetry.rebuild_rollups(" + start(day) + ", " + start(day) +
                       " + interval '1 second')");
    }
    connection.run("TRUNCATE telemetry.event");
    connection.run("VACUUM ANALYZE");
    must_agree(connection, "get_60day_statistics()",
               "SELECT (telemetry.get_60day_statistics(" + as_of + ") #>> '{overall, total_measurements}')::bigint",
               "SELECT 60::bigint * " + std::to_string(events_a_day));
    return name;
}

void record_days(Connection &connection)
{
    connection.run("INSERT INTO telemetry.partition_size "
                   "SELECT c.relname, d.bucket, d.events, pg_relation_size(c.oid), pg_indexes_size(c.oid), "
                   "pg_total_relation_size(c.reltoastrelid), d.oldest, d.newest, " +
                   as_of +
                   " FROM (SELECT bucket, sum(telemetry.event_count(summary))::bigint AS events, "
                   "min(telemetry.first_at(summary)) AS oldest, max(telemetry.last_at(summary)) AS newest "
                   "FROM telemetry.rollup_day GROUP BY 1) AS d JOIN pg_class AS c "
                   "ON c.oid = to_regclass('telemetry.event_' || to_char(d.bucket AT TIME ZONE 'UTC', 'YYYYMMDD')) "
                   "WHERE d.bucket < " +
                   utc_day(0));
}

void check_efficiency(Connection &connection)
{
    const std::string brute_force =
        "SELECT component, count(value) FILTER (WHERE status = 'OK'), count(*) FILTER (WHERE status <> 'OK'), "
        "min(value) FILTER (WHERE status = 'OK'), max(value) FILTER (WHERE status = 'OK'), "
        "sum(tokens_generated) FILTER (WHERE status = 'OK') FROM telemetry.event, telemetry.reading_window(24, " +
        as_of +
        ") AS w WHERE event_type = 'THOUGHT_LATENCY' AND \"timestamp\" >= w.window_start AND \"timestamp\" < "
        "w.window_end GROUP BY component";
    must_agree(connection, "get_aggregated_efficiency()",
               "SELECT component, measurement_count, error_count, best_efficiency, worst_efficiency, total_tokens FROM "
               "(" +
                   read_efficiency + ") AS answer",
               brute_force);
}

void append_deltas(Connection &connection, long count)
{
    const double before = connection.number("SELECT count(*) FROM telemetry.rollup_delta");
    constexpr long chunk = 50'000;
    make_partitions(connection, day_before);
    for (long first = 0; first < count; first += chunk)
        connection.run(
            "DO $$ BEGIN FOR i IN " + std::to_string(first) + " .. " +
            std::to_string(std::min(first + chunk, count) - 1) +
            " LOOP "
            "PERFORM telemetry.log_thought_latency('model-' || i % 10, exp(random()), 1 + i % 500, i % 2000, "
            "first_token_seconds => random(), event_time => " +
            as_of + " - i * interval '1 millisecond'); END LOOP; END $$");
    if (connection.number("SELECT count(*) FROM telemetry.rollup_delta") != before + static_cast<double>(count))
        throw std::runtime_error("logging did not append one delta for each event");
}

void must_agree(Connection &connection, const std::string &what, const std::string &answer, const std::string &expected)
{
    const std::string different = connection.value(
        "WITH answer AS (" + answer + "), expected AS (" + expected +
        ") SELECT count(*) FROM "
        "((TABLE answer EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE answer)) AS different");
    if (different != "0")
        throw std::runtime_error(what + " differs from brute force in " + different + " rows");
}

} // namespace bench
