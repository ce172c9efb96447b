// maintain() and apply_retention(): what keeps it running.

#include "functions/maintenance.hpp"

#include "functions/maintenance_step.hpp"
#include "functions/partitions.hpp"
#include "functions/retention.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"
#include "pg/scan.hpp"

extern "C" {
#include "access/table.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
}

namespace gravitas::telemetry {

namespace {

// What a step is logged with: the text, or nothing where there was nothing to do.
const char *result_of(std::int64_t count, const char *what)
{
    return count == 0 ? nullptr : psprintf(INT64_FORMAT " %s", count, what);
}

// ---- Days ----

struct Days {
    TimestampTz *starts;
    std::uint64_t count;
};

// Inside with_spi(); allocated in `context`.
Days missing_days(TimestampTz as_of, MemoryContext context)
{
    static pg::PreparedStatement<1> statement{"SELECT telemetry.missing_days($1)", {TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_SELECT);
    Days days = {static_cast<TimestampTz *>(MemoryContextAlloc(context, sizeof(TimestampTz) * (SPI_processed + 1))),
                 SPI_processed};
    for (std::uint64_t i = 0; i < days.count; ++i) {
        bool is_null;
        days.starts[i] = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null));
    }
    return days;
}

bool make_days(TimestampTz as_of)
{
    MaintenanceStep step("partitions");
    Days days = {};
    (void)step.must("looking for missing days", [&] { days = missing_days(as_of, step.memory()); });
    std::int64_t made = 0;
    for (std::uint64_t i = 0; i < days.count; ++i) {
        char activity[64];
        snprintf(activity, sizeof activity, "making day %d of %d: %.10s", static_cast<int>(i) + 1,
                 static_cast<int>(days.count), timestamptz_to_str(days.starts[i]));
        made += step.must(activity, [&] { make_day(days.starts[i]); }) ? 1 : 0;
    }
    step.finish(result_of(made, "days made"));
    return !step.has_failed();
}

// ---- Deltas ----

bool compact()
{
    MaintenanceStep step("compaction");
    std::int64_t moved = 0;
    (void)step.must("compacting", [&] {
        pg::run_sql("SELECT coalesce(telemetry.compact(), 0)");
        moved = DatumGetInt64(pg::only_value(1));
    });
    step.finish(result_of(moved, "deltas"));
    return !step.has_failed();
}

// ---- Retention ----

bool remove_old(TimestampTz as_of, bool is_asked_for, Removed &removed)
{
    MaintenanceStep step("retention");
    removed = remove_expired_events(step, as_of, is_asked_for);
    removed.rows += remove_expired_rows(step, as_of);
    const bool is_idle = removed.rows == 0 && removed.days == 0 && removed.kept_days == 0;
    step.finish(is_idle ? nullptr
                        : psprintf(INT64_FORMAT " days dropped, " INT64_FORMAT " rows removed, " INT64_FORMAT
                                                " bytes freed, " INT64_FORMAT " days kept",
                                   removed.days, removed.rows, removed.bytes, removed.kept_days));
    return !step.has_failed();
}

bool forget_old_producers(TimestampTz as_of)
{
    MaintenanceStep step("producers");
    step.finish(result_of(forget_producers(step, as_of), "producers forgotten"));
    return !step.has_failed();
}

// ---- Sizes of days that are over ----

// Of the first day that is over and not recorded. compact() takes a record away when it adds to the day; until it does,
// its deltas count beside the record. So a day with deltas is not recorded, as their events are among those that it
// holds.
constexpr char record_size[] = R"(
    WITH changing AS MATERIALIZED (
        SELECT DISTINCT telemetry.bucket_start(1440, bucket) AS day_start FROM telemetry.deltas('-infinity', $1)
    ), day AS (
        SELECT p.partition, p."from", c.oid, coalesce(c.reltoastrelid, 0) AS toast
        FROM telemetry.event_partitions() AS p
        JOIN pg_class AS c ON c.relname = p.partition AND c.relnamespace = 'telemetry'::regnamespace
        WHERE p."to" <= $1 AND p."from" IS NOT NULL
          AND NOT EXISTS (SELECT FROM telemetry.partition_size AS s WHERE s.partition = p.partition)
          AND NOT EXISTS (SELECT FROM changing AS c WHERE c.day_start = p."from")
        ORDER BY p."from" LIMIT 1
    )
    INSERT INTO telemetry.partition_size AS s (partition, day_start, row_count, heap_bytes, index_bytes, toast_bytes,
                                               oldest, newest, recorded_at)
    SELECT day.partition, day."from", e.n, pg_table_size(day.oid) - t.bytes, pg_indexes_size(day.oid), t.bytes,
           e.oldest, e.newest, clock_timestamp()
    FROM day,
         LATERAL (SELECT CASE WHEN toast = 0 THEN 0 ELSE pg_total_relation_size(toast) END AS bytes) AS t,
         LATERAL (SELECT count(*) AS n, min("timestamp") AS oldest, max("timestamp") AS newest
                  FROM telemetry.event WHERE tableoid = day.oid AND "timestamp" >= day."from"
                                         AND "timestamp" < day."from" + interval '24 hours') AS e)";

// How many days: one, or none where all are recorded or somebody compacts, who could not take away what is not there
// yet.
std::uint64_t record_next_size(TimestampTz as_of)
{
    static pg::PreparedStatement<1> statement{record_size, {TIMESTAMPTZOID}};
    if (!ConditionalLockRelationOid(pg::relation_of("compaction_lock"), ShareUpdateExclusiveLock))
        return 0;
    statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_INSERT);
    return SPI_processed;
}

bool record_sizes(TimestampTz as_of)
{
    MaintenanceStep step("sizes");
    std::int64_t recorded = 0;
    std::uint64_t last = 0;
    do {
        last = 0;
        (void)step.must("recording sizes", [&] { last = record_next_size(as_of); });
        recorded += static_cast<std::int64_t>(last);
    } while (last > 0);
    step.finish(result_of(recorded, "days recorded"));
    return !step.has_failed();
}

// ---- Alerts ----

bool check_alerts(TimestampTz as_of)
{
    MaintenanceStep step("alerts");
    (void)step.must("checking alerts", [&] {
        static pg::PreparedStatement<1> statement{"SELECT FROM telemetry.check_alerts($1)", {TIMESTAMPTZOID}};
        statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_SELECT);
    });
    step.finish(nullptr);
    return !step.has_failed();
}

// ---- The round ----

void remember_round(MaintenanceStep &step, bool is_whole, bool has_failed)
{
    (void)step.must("remembering", [&] {
        static pg::PreparedStatement<5> statement{
            R"(
            WITH changed AS (
                UPDATE telemetry.maintenance_state
                SET started_at = CASE WHEN $4 THEN $1 ELSE started_at END, finished_at = $2, has_failed = $3,
                    worker_at = CASE WHEN $5 THEN $2 ELSE worker_at END
                RETURNING 1
            )
            INSERT INTO telemetry.maintenance_state SELECT $1, $2, $3, CASE WHEN $5 THEN $2 END
            WHERE $4 AND NOT EXISTS (SELECT FROM changed))",
            {TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID, BOOLOID, BOOLOID}};
        statement.execute({TimestampTzGetDatum(step.started_at()), TimestampTzGetDatum(GetCurrentTimestamp()),
                           BoolGetDatum(has_failed), BoolGetDatum(is_whole),
                           BoolGetDatum(MyBackendType == B_BG_WORKER)},
                          {false, false, false, false, false}, SPI_OK_INSERT);
    });
}

} // namespace

void maintain(TimestampTz as_of)
{
    MaintenanceStep round("maintain");
    Removed removed;
    int failed = 0;
    failed += make_days(as_of) ? 0 : 1;
    const bool is_compacted = compact();
    failed += is_compacted ? 0 : 1;
    failed += remove_old(as_of, false, removed) ? 0 : 1;
    failed += record_sizes(as_of) ? 0 : 1;
    failed += forget_old_producers(as_of) ? 0 : 1;
    failed += check_alerts(as_of) ? 0 : 1;
    remember_round(round, true, !is_compacted);
    round.finish(failed == 0 ? "done" : psprintf("%d steps failed", failed));
}

void maintain_deltas()
{
    MaintenanceStep round("compaction");
    const bool succeeded = compact();
    remember_round(round, false, !succeeded);
}

std::optional<LastMaintenance> last_maintenance()
{
    const Oid id = pg::relation_of("maintenance_state");
    if (!OidIsValid(id) || !ConditionalLockRelationOid(id, AccessShareLock))
        return std::nullopt;
    Relation const table = try_table_open(id, NoLock); // the extension may be dropped at any moment
    if (table == nullptr)
        return std::nullopt;
    LastMaintenance last;
    Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
    pg::scan_table(table, snapshot, [&](TupleTableSlot *row) {
        bool is_null;
        last.started_at = DatumGetTimestampTz(slot_getattr(row, 1, &is_null));
        last.finished_at = DatumGetTimestampTz(slot_getattr(row, 2, &is_null));
        last.has_failed = DatumGetBool(slot_getattr(row, 3, &is_null));
    });
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    return last;
}

} // namespace gravitas::telemetry

using namespace gravitas::telemetry;

namespace {

Datum row_of(FunctionCallInfo fcinfo, const Removed &removed)
{
    return pg::row_of(fcinfo, {Int64GetDatum(removed.days), Int64GetDatum(removed.rows), Int64GetDatum(removed.bytes),
                               Int64GetDatum(removed.kept_days)});
}

// What the plan says, told as notices and summed up.
Removed tell_plan(TimestampTz as_of)
{
    static pg::PreparedStatement<1> statement{"SELECT * FROM telemetry.retention_plan($1)", {TIMESTAMPTZOID}};
    Removed sum;
    statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_SELECT);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        HeapTuple const row = SPI_tuptable->vals[i];
        TupleDesc const columns = SPI_tuptable->tupdesc;
        const char *const table = SPI_getvalue(row, columns, 1);
        const char *const partition = SPI_getvalue(row, columns, 2);
        const char *const action = SPI_getvalue(row, columns, 5);
        const char *const reason = SPI_getvalue(row, columns, 6);
        bool is_null;
        const std::int64_t rows = DatumGetInt64(SPI_getbinval(row, columns, 3, &is_null));
        const std::int64_t bytes = DatumGetInt64(SPI_getbinval(row, columns, 4, &is_null));
        const bool is_kept = strcmp(action, "keep") == 0;
        ereport(NOTICE,
                (errmsg("would %s \"%s\": " INT64_FORMAT " rows%s%s", action, partition != nullptr ? partition : table,
                        rows, reason != nullptr ? ", " : "", reason != nullptr ? reason : "")));
        sum.days += strcmp(action, "drop") == 0 ? 1 : 0;
        sum.kept_days += is_kept ? 1 : 0;
        sum.rows += is_kept ? 0 : rows;
        sum.bytes += is_kept ? 0 : bytes;
    }
    return sum;
}

void refuse_second()
{
    ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("another session maintains telemetry"),
                    errhint("Try again in a moment.")));
}

} // namespace

// maintain(as_of); a procedure
TELEMETRY_FUNCTION(maintain)
{
    const TimestampTz as_of = pg::finite_time(fcinfo, 0, "as_of");
    refuse_in_transaction(fcinfo, "maintain()");
    with_committing_spi([&] {
        if (!lock_maintenance()) {
            ereport(NOTICE, (errmsg("another session maintains telemetry; nothing was done")));
            return;
        }
        maintain(as_of);
        unlock_maintenance();
    });
    PG_RETURN_VOID();
}

// apply_retention(as_of, dry_run) → (dropped_days, removed_rows, freed_bytes, kept_days); a procedure
TELEMETRY_FUNCTION(apply_retention)
{
    const TimestampTz as_of = pg::finite_time(fcinfo, 0, "as_of");
    pg::require(fcinfo, 1, "dry_run");
    const bool dry_run = PG_GETARG_BOOL(1);
    Removed removed;
    if (dry_run) {
        as_schema_owner([&] { removed = tell_plan(as_of); });
        return row_of(fcinfo, removed);
    }
    refuse_in_transaction(fcinfo, "apply_retention()");
    with_committing_spi([&] {
        if (!lock_maintenance())
            refuse_second();
        (void)remove_old(as_of, true, removed);
        unlock_maintenance();
    });
    return row_of(fcinfo, removed);
}
