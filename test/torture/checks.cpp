// Readers that compare what the rollups say with the events themselves, in one snapshot, and with what the writers
// know.

#include "torture/stage.hpp"

namespace gravitas::telemetry::torture {

namespace {

// ---- What all of them use ----

// The events of a window as they must be summed up, in plain SQL; $1 and $2 are its ends.
constexpr char events[] = R"(
    WITH event AS (
        SELECT e.*, is_thought, is_error, counts, CASE WHEN counts AND NOT (is_thought AND tokens_generated = 0) THEN value END AS v,
               CASE WHEN counts THEN duration_ms END AS d, CASE WHEN counts THEN first_token_ms END AS f
        FROM telemetry.event AS e,
             LATERAL (SELECT event_type = 'THOUGHT_LATENCY' AS is_thought,
                             coalesce(upper(status), '') IN ('ERROR', 'FAILED', 'FAILURE', 'TIMEOUT', 'CANCELLED', 'ABORTED') AS is_error) AS k,
             LATERAL (SELECT NOT (is_error AND event_type IN ('THOUGHT_LATENCY', 'LOAD_LATENCY')) AS counts) AS n
        WHERE "timestamp" >= $1::timestamptz AND "timestamp" < $2::timestamptz
    ))";

// Since when nothing has expired, as the snapshot sees it.
constexpr char complete_since[] = R"(
    greatest(telemetry.expired_before('event'), telemetry.expired_before('rollup_minute'),
             telemetry.expired_before('rollup_hour'), telemetry.bucket_start(1440, now() - interval '90 days')))";

struct Window {
    std::string start;
    std::string end;
};

// All that is there, or a stretch of whole minutes in it.
Window random_window(Session &session, Random &random)
{
    if (random.one_in(3)) {
        const auto row = session.query(std::string("SELECT ") + complete_since +
                                       ", telemetry.bucket_start(1440, now() + interval '5 days')")[0];
        return {row[0].value(), row[1].value()};
    }
    const int reach = random.one_in(2) ? 300 : 90 * 24 * 60;
    const auto row = session.query(
        std::string("SELECT s, s + $2::integer * interval '1 minute' FROM (SELECT greatest(") + complete_since +
            ", telemetry.bucket_start(1, now() - $1::integer * interval '1 minute')) AS s) AS w",
        {std::to_string(random.between(0, reach)), std::to_string(random.between(1, reach))})[0];
    return {row[0].value(), row[1].value()};
}

// The query must find nothing.
void expect_none(Session &session, const std::string &what, const std::string &sql,
                 const std::vector<std::string> &parameters = {})
{
    const auto rows =
        session.query("SELECT left(string_agg(t::text, E'\\n'), 3000) FROM (" + sql + ") AS t", parameters);
    std::string where;
    for (const auto &parameter : parameters)
        where += " " + parameter;
    if (rows[0][0])
        throw Difference(what + where + ":\n" + *rows[0][0]);
}

// ---- The checks, inside of one transaction ----

// Version 0.5 compares hours that have expired, too.
void check_levels(Session &session, Random &)
{
    expect_none(session, "check_rollups",
                "SELECT * FROM telemetry.check_rollups(now() - interval '100 days', now() + interval '10 days')"
                " WHERE problem <> 'levels disagree'"
                " OR (SELECT extversion <> '0.5' FROM pg_extension WHERE extname = 'gravitas_telemetry')");
}

// Summaries of a random window, of all levels and deltas that make it up.
void check_summaries(Session &session, Random &random)
{
    const Window window = random_window(session, random);
    expect_none(session, "events (left) and rollups (right) of the window", std::string(events) + R"(, raw AS (
        SELECT event_type, component, count(*) AS n, count(*) FILTER (WHERE is_error) AS errors,
               count(v) AS nv, min(v) AS min, max(v) AS max, sum(v) AS sum, sum(abs(v)) AS size,
               count(d) AS nd, min(d) AS min_d, max(d) AS max_d, sum(d) AS sum_d, count(f) AS nf, sum(f) AS sum_f,
               coalesce(sum(tokens_generated) FILTER (WHERE counts AND is_thought), 0) AS tokens,
               coalesce(sum(prompt_tokens) FILTER (WHERE counts AND is_thought), 0) AS prompt,
               min("timestamp") AS first, max("timestamp") AS last, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS median
        FROM event GROUP BY 1, 2
    ), found AS (
        SELECT event_type, component, telemetry.merge(summary) AS s
        FROM telemetry.rollups($1::timestamptz, $2::timestamptz) GROUP BY 1, 2
    ), rolled AS (
        SELECT event_type, component, telemetry.event_count(s) AS n, telemetry.error_count(s) AS errors,
               telemetry.measurement_count(s) AS nv, telemetry.min_value(s) AS min, telemetry.max_value(s) AS max,
               telemetry.total(s) AS sum, telemetry.measurement_count(s, 'duration_ms') AS nd,
               telemetry.min_value(s, 'duration_ms') AS min_d, telemetry.max_value(s, 'duration_ms') AS max_d,
               telemetry.total(s, 'duration_ms') AS sum_d, telemetry.measurement_count(s, 'first_token_ms') AS nf,
               telemetry.total(s, 'first_token_ms') AS sum_f, telemetry.total_tokens(s) AS tokens,
               telemetry.prompt_tokens(s) AS prompt, telemetry.first_at(s) AS first, telemetry.last_at(s) AS last,
               telemetry.percentile(s, 0.5) AS median
        FROM found
    )
    SELECT raw, rolled FROM raw FULL JOIN rolled USING (event_type, component)
    WHERE (raw.n, raw.errors, raw.nv, raw.min, raw.max, raw.nd, raw.min_d, raw.max_d, raw.nf, raw.tokens, raw.prompt, raw.first, raw.last)
          IS DISTINCT FROM
          (rolled.n, rolled.errors, rolled.nv, rolled.min, rolled.max, rolled.nd, rolled.min_d, rolled.max_d, rolled.nf,
           rolled.tokens, rolled.prompt, rolled.first, rolled.last)
       OR abs(coalesce(raw.sum, 0) - coalesce(rolled.sum, 0)) > 1e-9 * raw.size
       OR abs(coalesce(raw.sum_d, 0) - coalesce(rolled.sum_d, 0)) > 1e-9 * raw.sum_d
       OR abs(coalesce(raw.sum_f, 0) - coalesce(rolled.sum_f, 0)) > 1e-9 * raw.sum_f
       OR abs(raw.median - rolled.median) > 0.0056 * abs(raw.median))",
                {window.start, window.end});
}

void check_efficiency(Session &session, Random &random)
{
    const auto row = session.query(
        std::string("SELECT w.*, w.as_of, window_start >= ") + complete_since +
            " FROM (SELECT w.*, t.as_of FROM (SELECT now() + $2::integer * interval '1 minute') AS t (as_of),"
            " telemetry.reading_window($1::integer, t.as_of) AS w) AS w",
        {random.one_of({"1", "3", "24", "240"}), std::to_string(random.between(-600, 4'000))})[0];
    if (row[4] != "t")
        return; // some of it has expired
    expect_none(session, "events (left) and get_aggregated_efficiency (right)", std::string(events) + R"(, raw AS (
        SELECT component, count(v) AS n, count(*) FILTER (WHERE is_error) AS errors,
               coalesce(sum(tokens_generated) FILTER (WHERE counts), 0) AS tokens, min(v) AS best, max(v) AS worst,
               sum(d) FILTER (WHERE tokens_generated > 0) / sum(tokens_generated) FILTER (WHERE counts AND tokens_generated > 0) AS weighted, avg(v) AS mean
        FROM event WHERE is_thought GROUP BY 1
    ), answer AS (
        SELECT * FROM telemetry.get_aggregated_efficiency(as_of => $3::timestamptz, hours => $4::integer)
    )
    SELECT raw, answer FROM raw FULL JOIN answer USING (component)
    WHERE (n, errors, tokens, best, worst) IS DISTINCT FROM
          (measurement_count, error_count, total_tokens, best_efficiency, worst_efficiency)
       OR abs(weighted - weighted_efficiency_score) > 1e-9 * weighted
       OR abs(mean - avg_efficiency_score) > 1e-9 * mean
       OR (weighted IS NULL) <> (weighted_efficiency_score IS NULL))",
                {row[0].value(), row[1].value(), row[2].value(),
                 session.value("SELECT round(extract(epoch FROM $1::timestamptz - $2::timestamptz) / 3600)::integer",
                               {row[1].value(), row[0].value()})});
}

void check_newest(Session &session, Random &random)
{
    const std::string limit = std::to_string(random.between(1, 50));
    const std::string component =
        random.one_in(2)
            ? "NULL"
            : "(SELECT component FROM telemetry.rollup_day WHERE component IS NOT NULL ORDER BY random() LIMIT 1)";
    const std::string columns = "event_type, component, value, status, \"timestamp\"";
    expect_none(session, "get_recent_events has not the newest",
                "WITH chosen AS MATERIALIZED (SELECT " + component + " AS c), newest AS (SELECT e." +
                    "event_type, e.component, e.value, e.status, e.\"timestamp\" FROM telemetry.event AS e, chosen"
                    " WHERE c IS NULL OR e.component = c ORDER BY \"timestamp\" DESC, id DESC LIMIT " +
                    limit + "), answer AS (SELECT r.* FROM chosen, telemetry.get_recent_events(" + limit +
                    ", c) AS r)"
                    " (SELECT 'raw', " +
                    columns + " FROM newest EXCEPT ALL SELECT 'raw', " + columns +
                    " FROM answer)"
                    " UNION ALL (SELECT 'answer', " +
                    columns + " FROM answer EXCEPT ALL SELECT 'answer', " + columns + " FROM newest)");
}

// That they answer; files grow meanwhile.
void check_footprint(Session &session, Random &)
{
    expect_none(session, "footprint", "SELECT * FROM telemetry.footprint WHERE total_bytes < 0 OR row_count < 0");
    expect_none(session, "get_telemetry_footprint",
                "SELECT f FROM telemetry.get_telemetry_footprint() AS f WHERE NOT f ? 'total_size_bytes'");
    expect_none(session, "get_60day_statistics",
                "SELECT s FROM telemetry.get_60day_statistics() AS s WHERE NOT s ? 'overall'");
    expect_none(session, "status", "SELECT s FROM telemetry.status AS s WHERE item IS NULL");
}

std::map<std::string, long> stored(Session &session)
{
    std::map<std::string, long> stored;
    for (const auto &row :
         session.query("SELECT component, sum(telemetry.event_count(summary)) FROM telemetry.rollups("
                       "telemetry.bucket_start(1440, now() - interval '100 days'), telemetry.bucket_start(1440, now() "
                       "+ interval '10 days'))"
                       " GROUP BY 1 UNION ALL SELECT 'usage ' || model, count(*) FROM telemetry.usage_stats GROUP BY 1"
                       " UNION ALL SELECT 'history ' || ghost_id, count(*) FROM telemetry.history GROUP BY 1"))
        stored[row[0].value_or("(nameless)")] = std::stol(row[1].value());
    return stored;
}

// Of what was known before the snapshot nothing lacks, and after it everything is known.
void check_ledger(Session &session, const Ledger &ledger, const std::map<std::string, Ledger::Bounds> &before)
{
    const auto found = stored(session);
    const auto after = ledger.bounds();
    for (const auto &[name, bounds] : before) {
        const auto place = found.find(name);
        const long count = place == found.end() ? 0 : place->second;
        if (count < bounds.least || count > after.at(name).most)
            throw Difference(name + ": " + std::to_string(count) + " events are stored, and not " +
                             std::to_string(bounds.least) + " to " + std::to_string(after.at(name).most));
    }
    for (const auto &[name, count] : found) {
        if (after.find(name) == after.end())
            throw Difference(name + ": " + std::to_string(count) + " events of nobody");
    }
}

struct Check {
    const char *name;
    void (*make)(Session &, Random &);
};
constexpr Check checks[] = {{"check_rollups", check_levels},
                            {"rollups of a window", check_summaries},
                            {"get_aggregated_efficiency", check_efficiency},
                            {"get_recent_events", check_newest},
                            {"footprint, statistics, status", check_footprint}};

// No day that is looked at is dropped before it is: its lock comes before the snapshot.
void begin_snapshot(Session &session)
{
    session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    session.query("LOCK TABLE telemetry.event IN ACCESS SHARE MODE");
}

void make(Stage &stage, const std::string &name, const Check &check, Session &session, Random &random)
{
    stage.story.tell(name, check.name);
    check.make(session, random);
    stage.story.count("check", check.name);
}

void check_some(Stage &stage, const std::string &name, Session &session, Random &random)
{
    const auto before = stage.ledger.bounds();
    begin_snapshot(session);
    stage.story.tell(name, "ledger");
    check_ledger(session, stage.ledger, before);
    stage.story.count("check", "what writers know");
    for (const Check &check : checks) {
        if (random.one_in(2))
            make(stage, name, check, session, random);
    }
    if (random.one_in(4)) {
        const auto first = stored(session);
        stage.pause(random, 3'000);
        if (stored(session) != first)
            throw Difference("an old snapshot has other answers than before");
        stage.story.count("check", "old snapshot");
    }
    session.query("COMMIT");
}

} // namespace

void check(Stage &stage, const std::string &name)
{
    Link link(stage);
    play(stage, name, [&](Random &random) {
        try {
            check_some(stage, name, link.session(), random);
        } catch (const SqlError &) {
            link.drop();
            throw;
        }
        if (const std::string complaint = stage.story.complaint_of_the_log(); !complaint.empty())
            throw Difference("in the server's log: " + complaint);
        stage.pause(random, 1'500);
    });
}

void check_all(Stage &stage)
{
    Random random(stage.seed, stage.chapter, "check all");
    Session session = stage.database.session();
    update(stage, session);
    for (int round = 0; round < 2; ++round) {
        begin_snapshot(session);
        check_ledger(session, stage.ledger, stage.ledger.bounds());
        for (const Check &check : checks)
            make(stage, "check all", check, session, random);
        session.query("COMMIT");
        session.query("CALL telemetry.maintain()"); // or a worker is at it
    }
    const bool is_compacted = at_last([&] {
        session.query("SELECT telemetry.compact()");
        return session.value("SELECT count(*) FROM telemetry.rollup_delta") == "0";
    });
    if (!is_compacted)
        throw Difference("deltas are not compacted");
    expect_none(session, "stored twice",
                "SELECT component, value, count(*) FROM telemetry.event WHERE value IS NOT NULL GROUP BY 1, 2 HAVING "
                "count(*) > 1");
    expect_none(session, "an id twice", "SELECT id FROM telemetry.event GROUP BY 1 HAVING count(*) > 1");
    expect_none(session, "days that retention could not drop",
                "SELECT * FROM telemetry.retention_delay WHERE reason = 'missing in rollups'");
    expect_none(session, "maintenance has failed",
                "SELECT * FROM telemetry.maintenance_log WHERE sqlstate NOT IN ('57P01', '53100', '55P03')");
    stage.story.count("check", "all, at the end of a chapter");
}

} // namespace gravitas::telemetry::torture
