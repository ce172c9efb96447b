// What administrators and maintenance do meanwhile.

#include "torture/stage.hpp"

#include <algorithm>

namespace gravitas::telemetry::torture {

namespace {

std::string days(int count) { return std::to_string(count) + " days"; }

void compact(Session &session, Random &) { session.query("SELECT telemetry.compact()"); }

// At any time from now to tomorrow.
std::string as_of(Random &random) { return "now() + interval '" + std::to_string(random.between(0, 24)) + " hours'"; }

void maintain(Session &session, Random &random) { session.query("CALL telemetry.maintain(" + as_of(random) + ")"); }

void apply_retention(Session &session, Random &random)
{
    session.query("CALL telemetry.apply_retention(" + as_of(random) + ", dry_run => " +
                  random.one_of({"false", "false", "true"}) + ")");
}

void plan_retention(Session &session, Random &random)
{
    session.query("SELECT telemetry.retention_plan(" + as_of(random) + ")");
}

// Days stay for ever in rollup_day, or statistics would go.
void set_retention(Session &session, Random &random)
{
    const std::string table = random.one_of({"event", "event", "rollup_minute", "rollup_hour"});
    if (random.one_in(4))
        session.query("SELECT telemetry.set_retention($1, NULL)", {table});
    else if (random.one_in(4))
        session.query("DELETE FROM telemetry.retention_policy");
    else
        session.query("SELECT telemetry.set_retention($1, $2)", {table, days(random.between(3, 80))});
}

void ensure_partitions(Session &session, Random &random)
{
    const int first = random.between(0, 80);
    session.query("SELECT telemetry.ensure_partitions(now() - $1::interval, now() - $1::interval + $2::interval)",
                  {days(first), days(random.between(1, 6))});
}

void rebuild(Session &session, Random &random)
{
    const int first = random.between(0, 10);
    session.query("SELECT telemetry.rebuild_rollups(now() - $1::interval, now() - $1::interval + $2::interval)",
                  {days(first), random.one_of({"1 minute", "1 day", "2 days"})});
}

void vacuum(Session &session, Random &random)
{
    session.query(std::string(random.one_of({"VACUUM", "ANALYZE", "VACUUM (FREEZE, ANALYZE)"})) + " telemetry." +
                  random.one_of({"event", "event_default", "rollup_delta", "rollup_minute", "rollup_day", "producer"}));
}

// One at a time: two that go on concurrently wait for each other. Not the default partition concurrently: that waits
// for who makes a day, who needs all of it in the end.
void reindex(Session &session, Random &random)
{
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    session.query(std::string("REINDEX TABLE ") +
                  random.one_of({"telemetry.event_default", "telemetry.rollup_minute", "telemetry.producer",
                                 "CONCURRENTLY telemetry.rollup_delta", "CONCURRENTLY telemetry.rollup_minute",
                                 "CONCURRENTLY telemetry.rollup_hour", "CONCURRENTLY telemetry.rollup_day"}));
}

void lock_events(Session &session, Random &random)
{
    session.query("BEGIN");
    session.query("LOCK TABLE telemetry.event");
    session.query("SELECT pg_sleep($1)", {std::to_string(random.between(0, 500) / 1'000.0)});
    session.query("COMMIT");
}

void check_alerts(Session &session, Random &random)
{
    session.query("SELECT telemetry.set_alert('rows', $1)", {std::to_string(random.between(1'000'000, 2'000'000))});
    session.query("SELECT telemetry.check_alerts()");
}

struct Chore {
    const char *name;
    void (*run)(Session &, Random &);
    std::vector<std::string> answers; // errors that may be the answer
};

const std::vector<Chore> &chores()
{
    static const std::vector<Chore> chores = {
        {"compact", compact, {}},
        {"maintain", maintain, {}},
        {"apply_retention", apply_retention, {"55P03"}}, // another session maintains
        {"retention_plan", plan_retention, {}},
        {"set_retention", set_retention, {}},
        {"ensure_partitions", ensure_partitions, {}},
        {"rebuild_rollups", rebuild, {"55P03", "55000"}}, // another session compacts; events of a day are gone
        {"vacuum", vacuum, {}},
        {"reindex", reindex, {}},
        {"lock events", lock_events, {}},
        {"check_alerts", check_alerts, {}},
    };
    return chores;
}

void grant(Stage &stage, Session &session, Random &random)
{
    const std::lock_guard lock(stage.definitions);
    session.query(std::string("SELECT telemetry.grant_") +
                  random.one_of({"writer('torture_writer')", "reader('torture_reader')",
                                 "history_reader('torture_reader')", "maintainer('torture_reader')"}));
}

template <typename Run>
void run(Stage &stage, const std::string &name, const char *chore, Run run)
{
    stage.story.tell(name, chore);
    run();
    stage.story.count("chore", chore);
}

void do_one(Stage &stage, const std::string &name, Session &session, Random &random)
{
    if (stage.needs_update && random.one_in(5)) {
        run(stage, name, "ALTER EXTENSION UPDATE", [&] { update(stage, session); });
    } else if (random.one_in(10)) {
        run(stage, name, "grant", [&] { grant(stage, session, random); });
    } else {
        const Chore &chore = random.one_of(chores());
        try {
            run(stage, name, chore.name, [&] { chore.run(session, random); });
        } catch (const SqlError &error) {
            if (std::count(chore.answers.begin(), chore.answers.end(), error.sqlstate()) == 0)
                throw;
            stage.story.tell(name, error.what());
            stage.story.count("chore", std::string(chore.name) + " refused");
        }
    }
}

} // namespace

void update(Stage &stage, Session &session)
{
    const std::lock_guard lock(stage.definitions);
    if (!stage.needs_update)
        return;
    session.query("ALTER EXTENSION gravitas_telemetry UPDATE");
    stage.needs_update = false;
}

void do_chores(Stage &stage, const std::string &name)
{
    Link link(stage);
    play(stage, name, [&](Random &random) {
        try {
            do_one(stage, name, link.session(), random);
        } catch (const SqlError &error) {
            stage.story.tell(name, error.what());
            link.drop();
            throw;
        }
        stage.pause(random, 300);
    });
}

} // namespace gravitas::telemetry::torture
