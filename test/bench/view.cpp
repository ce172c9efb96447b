// COPY through telemetry.system_telemetry, summarised, against COPY into a table that stores the same rows.

#include "bare_table.hpp"
#include "events.hpp"
#include "inferences.hpp"
#include "subjects.hpp"

namespace bench {

namespace {

const std::string view = "telemetry.system_telemetry", table = "public.bare";

struct Format {
    std::string name;
    std::string data;
};

Format binary(const std::vector<Inference> &events)
{
    std::string data(copy_header);
    for (const Inference &event : events)
        append_binary(data, event);
    return {"binary", data.append(copy_trailer)};
}

Format text(const std::vector<Inference> &events)
{
    std::string data;
    for (const Inference &event : events)
        append_text(data, event);
    return {"text", data};
}

struct Copies {
    Samples milliseconds, cpu;

    void copy(Connection &connection, const std::string &target, const Format &format)
    {
        connection.run("TRUNCATE telemetry.event, telemetry.rollup_delta, public.bare");
        const double cpu_before = connection.cpu_milliseconds().value_or(0);
        milliseconds.add(connection.copy_milliseconds(
            "COPY " + target + " " + event_columns + " FROM STDIN WITH (FORMAT " + format.name + ")", format.data));
        cpu.add(connection.cpu_milliseconds().value_or(0) - cpu_before);
    }
};

void compare(const Options &options, Report &report, Connection &connection, const Format &format)
{
    {
        Copies warm_up;
        warm_up.copy(connection, table, format);
        warm_up.copy(connection, view, format);
    }
    Copies ours, theirs;
    for (int run = 0; run < options.ingest_runs; ++run) {
        theirs.copy(connection, table, format);
        ours.copy(connection, view, format);
    }
    report.add({"COPY through the view, " + format.name + ", " + grouped(options.ingest_events) + " rows",
                ours.milliseconds,
                "COPY, bare table, same B-tree",
                theirs.milliseconds,
                {.ratio = 1.2}});
    report.add({"  CPU of the server", ours.cpu, "COPY, bare table, same B-tree", theirs.cpu, {}});
    must_agree(connection, "check_rollups()",
               "SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now())", "SELECT 0::bigint");
}

// One and the same COPY stores the same rows, whichever way.
void check_same_rows(Connection &connection, const Format &format)
{
    const std::string columns = event_columns.substr(1, event_columns.size() - 2);
    connection.run("TRUNCATE telemetry.event, telemetry.rollup_delta, public.bare");
    for (const std::string &target : {view, table})
        connection.copy_milliseconds(
            "COPY " + target + " " + event_columns + " FROM STDIN WITH (FORMAT " + format.name + ")", format.data);
    must_agree(connection, "what COPY stored through the view", "SELECT " + columns + " FROM telemetry.event",
               "SELECT " + columns + " FROM " + table);
}

} // namespace

void measure_view(const Options &options, Report &report)
{
    create_database("view");
    {
        Connection connection("view");
        connection.run("SET synchronous_commit = on");
        connection.run("SELECT telemetry.ensure_partitions(now() - interval '1 day', now() + interval '1 day')");
        make_bare_table(connection, "bare");
        add_timestamp_index(connection, "bare");
        const std::vector<Inference> few = make_inferences(10'000), events = make_inferences(options.ingest_events);
        for (const auto format : {binary, text}) {
            check_same_rows(connection, format(few));
            compare(options, report, connection, format(events));
        }
    }
    drop_database("view");
}

} // namespace bench
