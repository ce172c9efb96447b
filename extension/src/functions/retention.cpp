#include "functions/retention.hpp"

#include <algorithm>

#include "functions/partitions.hpp"
#include "functions/retention_horizon.hpp"
#include "functions/retention_proof.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/brief_lock.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"

namespace gravitas::telemetry {

namespace {

constexpr std::int64_t batch_rows = 10'000;

Datum time_at(int column)
{
    bool is_null;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
    return is_null ? TimestampTzGetDatum(DT_NOBEGIN) : value;
}

// The first time of which the table keeps everything; DT_NOBEGIN where it keeps all.
TimestampTz cutoff_of(const char *table, TimestampTz as_of)
{
    static pg::PreparedStatement<2> statement{"SELECT telemetry.retention_cutoff($1, $2)", {TEXTOID, TIMESTAMPTZOID}};
    statement.execute({CStringGetTextDatum(table), TimestampTzGetDatum(as_of)}, {false, false}, SPI_OK_SELECT);
    return DatumGetTimestampTz(time_at(1));
}

// ---- Days of events ----

// Of those that end after `end`; DT_NOEND where there are none. Inside with_spi().
TimestampTz oldest_day(TimestampTz end)
{
    static pg::PreparedStatement<1> statement{
        "SELECT coalesce(pg_catalog.min(\"from\"), 'infinity') FROM telemetry.event_partitions()"
        " WHERE \"to\" OPERATOR(pg_catalog.>) $1",
        {TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(end)}, {false}, SPI_OK_SELECT);
    return DatumGetTimestampTz(time_at(1));
}

struct ExpiredDay {
    NameData partition;
    TimestampTz from; // DT_NOBEGIN: no bound
    TimestampTz to;
};

struct ExpiredDays {
    ExpiredDay *days;
    std::uint64_t count;
};

// Inside with_spi(); oldest first, allocated in `context`.
ExpiredDays expired_days(TimestampTz as_of, MemoryContext context)
{
    static pg::PreparedStatement<1> statement{
        "SELECT partition, coalesce(\"from\", '-infinity'), \"to\" FROM telemetry.event_partitions()"
        " WHERE \"to\" OPERATOR(pg_catalog.<=) telemetry.retention_cutoff('event', $1) ORDER BY \"to\"",
        {TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_SELECT);
    ExpiredDays found = {
        static_cast<ExpiredDay *>(MemoryContextAlloc(context, sizeof(ExpiredDay) * (SPI_processed + 1))),
        SPI_processed};
    for (std::uint64_t i = 0; i < found.count; ++i) {
        bool is_null;
        const auto value = [&](int column) {
            return SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, column, &is_null);
        };
        found.days[i] = {*DatumGetName(value(1)), DatumGetTimestampTz(value(2)), DatumGetTimestampTz(value(3))};
    }
    return found;
}

std::int64_t total_bytes(const char *partition)
{
    return DatumGetInt64(DirectFunctionCall1(pg_total_relation_size, ObjectIdGetDatum(pg::relation_of(partition))));
}

// Inside of with_spi(). The proof comes before the locks that others wait for, which are held for the drop alone:
// events that come in between bring their own summaries.
void drop_day(RetentionPass &pass, const ExpiredDay &day, Shortfall &shortfall)
{
    const char *const name = NameStr(day.partition);
    Removed &removed = pass.removed;
    lock_days();
    const std::int64_t rows = require_rollups(pass, name, day.from, day.to, shortfall);
    const std::int64_t bytes = total_bytes(name);
    pass.step.show(psprintf("dropping %s", name));
    pg::lock_briefly({pg::relation_of("event"), pg::relation_of("event_default"), pg::relation_of(name)},
                     AccessExclusiveLock);
    pg::run_sql(psprintf("DROP TABLE telemetry.%s", quote_identifier(name)));
    static pg::PreparedStatement<1> forget_size{
        "DELETE FROM telemetry.partition_size WHERE partition OPERATOR(pg_catalog.=) $1", {NAMEOID}};
    forget_size.execute({NameGetDatum(&day.partition)}, {false}, SPI_OK_DELETE);
    expire_before("event", day.to);
    ereport(NOTICE, (errmsg("dropped \"%s\": " INT64_FORMAT " rows, " INT64_FORMAT " bytes", name, rows, bytes)));
    removed.days += 1;
    removed.rows += rows;
    removed.bytes += bytes;
}

// False where others use it: they would be in the way of the next days, too.
bool try_to_drop(RetentionPass &pass, const ExpiredDay &day)
{
    Shortfall shortfall;
    char activity[NAMEDATALEN + 16];
    snprintf(activity, sizeof activity, "proving %s", NameStr(day.partition));
    const ErrorData *const error = pass.step.run(activity, [&] { drop_day(pass, day, shortfall); });
    if (error == nullptr)
        return true;
    keep(pass, NameStr(day.partition), shortfall, *error);
    return error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
}

// ---- Old events without a day ----

// The UTC day of the first event of the default partition in [from, to); `to` where there is none. Inside with_spi().
TimestampTz first_default_day(TimestampTz from, TimestampTz to)
{
    static pg::PreparedStatement<2> statement{
        "SELECT telemetry.bucket_start(1440, (SELECT \"timestamp\" FROM telemetry.event_default"
        " WHERE \"timestamp\" OPERATOR(pg_catalog.>=) $1 AND \"timestamp\" OPERATOR(pg_catalog.<) $2"
        " ORDER BY \"timestamp\" LIMIT 1))",
        {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_SELECT);
    const TimestampTz day = DatumGetTimestampTz(time_at(1));
    return day == DT_NOBEGIN ? to : day;
}

// Inside with_spi(); how many.
std::int64_t delete_batch(const char *table, const char *column, TimestampTz from, TimestampTz to)
{
    const char *const lower = pstrdup(timestamptz_to_str(from));
    const char *const upper = pstrdup(timestamptz_to_str(to));
    const char *const time = quote_identifier(column);
    return static_cast<std::int64_t>(
        pg::run_sql(psprintf("DELETE FROM telemetry.%s WHERE ctid = ANY (ARRAY(SELECT ctid FROM telemetry.%s"
                             " WHERE %s >= '%s' AND %s < '%s' ORDER BY %s LIMIT " INT64_FORMAT "))",
                             table, table, time, lower, time, upper, time, batch_rows)));
}

// In several transactions; how many.
std::int64_t delete_between(MaintenanceStep &step, const char *table, const char *column, TimestampTz from,
                            TimestampTz to)
{
    std::int64_t deleted = 0;
    std::int64_t batch = 0;
    do {
        char activity[NAMEDATALEN + 64];
        snprintf(activity, sizeof activity, "deleting old rows of %s (" INT64_FORMAT " so far)", table, deleted);
        if (!step.must(activity, [&] { batch = delete_batch(table, column, from, to); }))
            break;
        deleted += batch;
    } while (batch == batch_rows);
    return deleted;
}

// A day whose events are in the default partition.
void remove_default_day(RetentionPass &pass, TimestampTz day)
{
    char name[NAMEDATALEN];
    char activity[NAMEDATALEN + 16];
    Shortfall shortfall;
    snprintf(name, sizeof name, "event_default %.10s", timestamptz_to_str(day));
    snprintf(activity, sizeof activity, "proving %s", name);
    const ErrorData *const error = pass.step.run(activity, [&] {
        (void)require_rollups(pass, name, day, day + core::day_us, shortfall);
        expire_before("event", day + core::day_us);
    });
    if (error == nullptr)
        pass.removed.rows += delete_between(pass.step, "event_default", "timestamp", day, day + core::day_us);
    else
        keep(pass, name, shortfall, *error);
}

void remove_default_events(RetentionPass &pass)
{
    TimestampTz position = MIN_TIMESTAMP;
    TimestampTz cutoff = DT_NOBEGIN;
    for (;;) {
        TimestampTz day = 0;
        const bool is_found = pass.step.must("looking for old events", [&] {
            cutoff = cutoff_of("event", pass.as_of);
            day = first_default_day(position, cutoff);
        });
        if (!is_found || day >= cutoff)
            return;
        remove_default_day(pass, day);
        position = day + core::day_us;
    }
}

// ---- Other tables ----

struct OtherTable {
    const char *name;
    const char *column;
    bool is_rollup; // reads have to know what is gone
};

constexpr OtherTable other_tables[] = {
    {"rollup_minute", "bucket", true},   {"rollup_hour", "bucket", true}, {"rollup_day", "bucket", true},
    {"usage_stats", "timestamp", false}, {"history", "timestamp", false}, {"maintenance_log", "started_at", false},
    {"alert_log", "changed_at", false},
};

bool exists(const OtherTable &table)
{
    const Oid id = pg::relation_of(table.name);
    return OidIsValid(id) && get_attnum(id, table.column) != InvalidAttrNumber;
}

// Inside with_spi(); DT_NOBEGIN where nothing is to be deleted. Minutes stay as long as the oldest day of events, also
// where that could not be dropped: without them nobody can tell what the rollups lack.
TimestampTz deletable_before(const OtherTable &table, TimestampTz as_of, TimestampTz oldest)
{
    const TimestampTz cutoff = exists(table) ? cutoff_of(table.name, as_of) : DT_NOBEGIN;
    return strcmp(table.name, "rollup_minute") == 0 ? std::min(cutoff, oldest) : cutoff;
}

bool has_rows_before(const OtherTable &table, TimestampTz cutoff)
{
    pg::run_sql(psprintf("SELECT FROM telemetry.%s WHERE %s < '%s' LIMIT 1", table.name, quote_identifier(table.column),
                         timestamptz_to_str(cutoff)));
    return SPI_processed > 0;
}

std::int64_t remove_rows(MaintenanceStep &step, const OtherTable &table, TimestampTz as_of)
{
    TimestampTz cutoff = DT_NOBEGIN;
    const bool is_known = step.must("looking for old rows", [&] {
        cutoff = deletable_before(table, as_of, oldest_day(DT_NOBEGIN));
        if (cutoff != DT_NOBEGIN && !has_rows_before(table, cutoff))
            cutoff = DT_NOBEGIN;
        if (cutoff != DT_NOBEGIN && table.is_rollup)
            expire_before(table.name, cutoff); // before the first one goes
    });
    if (!is_known || cutoff == DT_NOBEGIN)
        return 0;
    return delete_between(step, table.name, table.column, MIN_TIMESTAMP, cutoff);
}

// ---- The plan ----

void put_action(ReturnSetInfo *plan, const char *table, const char *partition, std::int64_t rows, std::int64_t bytes,
                const char *action, const char *reason)
{
    pg::Columns columns;
    columns.add(CStringGetTextDatum(table));
    columns.add(partition == nullptr ? Datum{0} : CStringGetTextDatum(partition), partition == nullptr);
    columns.add(Int64GetDatum(rows));
    columns.add(Int64GetDatum(bytes));
    columns.add(CStringGetTextDatum(action));
    columns.add(reason == nullptr ? Datum{0} : CStringGetTextDatum(reason), reason == nullptr);
    columns.put(plan);
}

// False where the day is kept.
bool plan_day(ReturnSetInfo *plan, const char *partition, TimestampTz from, TimestampTz to, bool is_dropped)
{
    const Proof proof = prove(from, to);
    const char *const reason =
        proof.missing == 0 ? nullptr : psprintf("rollups lack " INT64_FORMAT " events", proof.missing);
    const std::int64_t bytes = is_dropped ? total_bytes(partition) : 0; // deleted rows leave their space to others
    put_action(plan, "event", partition, proof.rows, bytes,
               proof.missing > 0 ? "keep"
               : is_dropped      ? "drop"
                                 : "delete",
               reason);
    return proof.missing == 0;
}

// Since when there would be days of events.
TimestampTz plan_events(ReturnSetInfo *plan, TimestampTz as_of)
{
    const TimestampTz cutoff = cutoff_of("event", as_of);
    TimestampTz oldest = oldest_day(cutoff);
    const ExpiredDays expired = expired_days(as_of, CurrentMemoryContext);
    for (std::uint64_t i = 0; i < expired.count; ++i) {
        CHECK_FOR_INTERRUPTS();
        const ExpiredDay &day = expired.days[i];
        if (!plan_day(plan, NameStr(day.partition), day.from, day.to, true))
            oldest = std::min(oldest, day.from);
    }
    for (TimestampTz day = MIN_TIMESTAMP; (day = first_default_day(day, cutoff)) < cutoff; day += core::day_us) {
        CHECK_FOR_INTERRUPTS();
        (void)plan_day(plan, psprintf("event_default %.10s", timestamptz_to_str(day)), day, day + core::day_us, false);
    }
    return oldest;
}

void plan_other(ReturnSetInfo *plan, const OtherTable &table, TimestampTz as_of, TimestampTz oldest)
{
    const TimestampTz cutoff = deletable_before(table, as_of, oldest);
    if (cutoff == DT_NOBEGIN)
        return;
    pg::run_sql(psprintf("SELECT pg_catalog.count(*) FROM telemetry.%s WHERE %s < '%s'", table.name,
                         quote_identifier(table.column), timestamptz_to_str(cutoff)));
    if (const std::int64_t rows = DatumGetInt64(pg::only_value(1)); rows > 0)
        put_action(plan, table.name, nullptr, rows, 0, "delete", nullptr);
}

} // namespace

Removed remove_expired_events(MaintenanceStep &step, TimestampTz as_of, bool is_asked_for)
{
    RetentionPass pass = {step, as_of, is_asked_for};
    ExpiredDays expired = {};
    const bool is_known = step.must("looking for old days", [&] { expired = expired_days(as_of, step.memory()); });
    bool goes_on = true;
    for (std::uint64_t i = 0; i < expired.count && goes_on; ++i)
        goes_on = try_to_drop(pass, expired.days[i]);
    remove_default_events(pass);
    if (is_known && goes_on)
        forget_old_delays(pass);
    return pass.removed;
}

std::int64_t remove_expired_rows(MaintenanceStep &step, TimestampTz as_of)
{
    std::int64_t removed = 0;
    for (const OtherTable &table : other_tables)
        removed += remove_rows(step, table, as_of);
    return removed;
}

std::int64_t forget_producers(MaintenanceStep &step, TimestampTz as_of)
{
    std::int64_t forgotten = 0;
    (void)step.must("forgetting producers", [&] {
        const TimestampTz cutoff = cutoff_of("producer", as_of);
        if (cutoff == DT_NOBEGIN)
            return;
        // A clock that was ahead makes the last batches seem younger than they are.
        static pg::PreparedStatement<1> statement{
            "DELETE FROM telemetry.producer WHERE last_seen_at OPERATOR(pg_catalog.<) ($1 OPERATOR(pg_catalog.-) least("
            "pg_catalog.make_interval(secs => greatest(clock_ahead_ms, 0) OPERATOR(pg_catalog./) 1000), '400 days'))",
            {TIMESTAMPTZOID}};
        statement.execute({TimestampTzGetDatum(cutoff)}, {false}, SPI_OK_DELETE);
        forgotten = static_cast<std::int64_t>(SPI_processed);
        if (forgotten > 0)
            expire_before("producer", cutoff);
    });
    return forgotten;
}

} // namespace gravitas::telemetry

using namespace gravitas::telemetry;

// retention_plan(as_of) → what would be removed
TELEMETRY_FUNCTION(retention_plan)
{
    const TimestampTz as_of = pg::finite_time(fcinfo, 0, "as_of");
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *const plan = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    pg::with_spi([&] {
        const TimestampTz oldest = plan_events(plan, as_of);
        for (const OtherTable &table : other_tables)
            plan_other(plan, table, as_of, oldest);
    });
    PG_RETURN_NULL();
}
