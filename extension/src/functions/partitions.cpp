// ensure_partitions(): makes the days that events are stored in. event_partitions() lists them.

#include "functions/partitions.hpp"

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/brief_lock.hpp"
#include "pg/one_session.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"
#include "pg/scan.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

using namespace gravitas::telemetry;

namespace {

constexpr std::int64_t max_days = 1000;
constexpr TimestampTz first_day = -30 * 365 * core::day_us - 7 * core::day_us;    // 1970-01-01
constexpr TimestampTz last_day = 8000 * 365 * core::day_us + 1940 * core::day_us; // 9999-12-31, or just before

struct PartitionName {
    char text[32]; // event_20261124
};

PartitionName partition_name(core::Microseconds day_start)
{
    const std::string date = core::iso_date(day_start);
    PartitionName name;
    snprintf(name.text, sizeof name.text, "event_%.4s%.2s%.2s", date.c_str(), date.c_str() + 5, date.c_str() + 8);
    return name;
}

struct Day {
    PartitionName partition;
    core::Microseconds from;
    char start[32]; // 2026-11-24 00:00:00+00
    char end[32];
};

Day day_at(core::Microseconds start)
{
    const std::string date = core::iso_date(start);
    const std::string next = core::iso_date(start + core::day_us);
    Day day;
    day.partition = partition_name(start);
    day.from = start;
    snprintf(day.start, sizeof day.start, "%s 00:00:00+00", date.c_str());
    snprintf(day.end, sizeof day.end, "%s 00:00:00+00", next.c_str());
    return day;
}

// Whether the day has its partition; an error where something else bears its name.
bool exists(const Day &day)
{
    const Oid relation = pg::relation_of(day.partition.text);
    if (!OidIsValid(relation))
        return false;
    if (!get_rel_relispartition(relation) || get_partition_parent(relation, true) != pg::relation_of("event"))
        ereport(
            ERROR,
            (errcode(ERRCODE_DUPLICATE_TABLE),
             errmsg("relation \"telemetry.%s\" exists but is not a partition of telemetry.event", day.partition.text),
             errhint("Rename it, or attach it to telemetry.event FROM ('%s') TO ('%s').", day.start, day.end)));
    return true;
}

// ---- Making one ----

constexpr std::int64_t batch_rows = 10'000;

struct Batch {
    std::int64_t rows;
    TimestampTz last;
};

// Moves some rows of the day out of the default partition, the earliest since `position`.
Batch move_batch(const Day &day, TimestampTz position)
{
    pg::run_sql(psprintf("WITH moved AS (DELETE FROM telemetry.event_default WHERE ctid = ANY (ARRAY("
                         "SELECT ctid FROM telemetry.event_default WHERE \"timestamp\" >= '%s' AND \"timestamp\" < '%s'"
                         " ORDER BY \"timestamp\" LIMIT " INT64_FORMAT ")) RETURNING *),"
                         " stored AS (INSERT INTO telemetry.%s SELECT * FROM moved RETURNING \"timestamp\")"
                         " SELECT pg_catalog.count(*), coalesce(pg_catalog.max(\"timestamp\"), '%s') FROM stored",
                         pstrdup(timestamptz_to_str(position)), day.end, batch_rows, day.partition.text, day.end));
    bool is_null;
    const Batch batch = {DatumGetInt64(pg::only_value(1)),
                         DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null))};
    SPI_freetuptable(SPI_tuptable);
    return batch;
}

// All that are there now; how many.
std::int64_t move_rows(const Day &day)
{
    std::int64_t moved = 0;
    Batch batch = {0, day.from};
    do {
        CHECK_FOR_INTERRUPTS();
        batch = move_batch(day, batch.last);
        moved += batch.rows;
    } while (batch.rows == batch_rows);
    return moved;
}

// A table of its own first, with nearly all rows of the day that went to the default partition. Nobody waits, and
// nobody sees it: its rows are where they were until all is committed at once.
void prepare(const Day &day)
{
    constexpr int most_passes = 10; // writers add to the default partition meanwhile
    constexpr std::int64_t few = 100;
    pg::run_sql(psprintf("CREATE TABLE telemetry.%s (LIKE telemetry.event INCLUDING ALL,"
                         " CONSTRAINT one_day CHECK (\"timestamp\" >= '%s' AND \"timestamp\" < '%s'))",
                         day.partition.text, day.start, day.end));
    for (int pass = 0; pass < most_passes && move_rows(day) > few; ++pass)
        ;
    pg::run_sql(psprintf("CREATE INDEX ON telemetry.%s (\"timestamp\")", day.partition.text));
}

void mark_valid(Oid table, const char *constraint)
{
    const Oid id = get_relation_constraint_oid(table, constraint, false);
    Relation const constraints = table_open(ConstraintRelationId, RowExclusiveLock);
    HeapTuple const tuple = SearchSysCacheCopy1(CONSTROID, ObjectIdGetDatum(id));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for constraint %u", id);
    reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple))->convalidated = true;
    CatalogTupleUpdate(constraints, &tuple->t_self, tuple);
    table_close(constraints, RowExclusiveLock);
    CacheInvalidateRelcacheByRelid(table);
    CommandCounterIncrement();
}

// Moves what is left, with everything locked. Whether none of the day stays in the default partition; false also where
// row security may hide some. Without an order, since an index in which all those that have moved stand yet is a long
// way.
bool move_rest(const Day &day)
{
    Relation const table = table_open(pg::relation_of("event_default"), AccessShareLock);
    const bool sees_all = pg::may_read_plainly(table);
    table_close(table, NoLock);
    pg::run_sql(psprintf("WITH rest AS MATERIALIZED (SELECT ctid AS place FROM telemetry.event_default"
                         " WHERE \"timestamp\" >= '%s' AND \"timestamp\" < '%s'),"
                         " moved AS (DELETE FROM telemetry.event_default"
                         " WHERE ctid = ANY (ARRAY(SELECT place FROM rest)) RETURNING *),"
                         " stored AS (INSERT INTO telemetry.%s SELECT * FROM moved RETURNING 1)"
                         " SELECT (SELECT pg_catalog.count(*) FROM stored) OPERATOR(pg_catalog.=)"
                         " (SELECT pg_catalog.count(*) FROM rest)",
                         day.start, day.end, day.partition.text));
    return DatumGetBool(pg::only_value(1)) && sees_all;
}

void attach_plainly(const Day &day)
{
    pg::run_sql(psprintf("ALTER TABLE telemetry.event ATTACH PARTITION telemetry.%s FOR VALUES FROM ('%s') TO ('%s')",
                         day.partition.text, day.start, day.end));
}

// Attaching narrows what the default partition may hold, so Postgres would read all of it to see that none of the day
// is left, and keep everybody waiting. The index has told that already, and a constraint that lives as long as this
// says so.
void attach_without_scan(const Day &day)
{
    pg::run_sql(
        psprintf("ALTER TABLE telemetry.event_default ADD CONSTRAINT day_is_moved CHECK (NOT (\"timestamp\" IS NOT"
                 " NULL AND \"timestamp\" >= '%s' AND \"timestamp\" < '%s')) NOT VALID",
                 day.start, day.end));
    mark_valid(pg::relation_of("event_default"), "day_is_moved");
    attach_plainly(day);
    pg::run_sql("ALTER TABLE telemetry.event_default DROP CONSTRAINT day_is_moved");
}

// The last rows, and then the day is attached, with everything locked.
void attach(const Day &day)
{
    if (move_rest(day))
        attach_without_scan(day);
    else
        attach_plainly(day);
    pg::run_sql(psprintf("ALTER TABLE telemetry.%s DROP CONSTRAINT one_day", day.partition.text));
}

std::int32_t create_missing(core::Microseconds from, core::Microseconds to)
{
    std::int32_t created = 0;
    lock_days();
    Day *const missing = static_cast<Day *>(palloc(sizeof(Day) * ((to - from) / core::day_us)));
    for (core::Microseconds start = from; start < to; start += core::day_us) {
        CHECK_FOR_INTERRUPTS();
        const Day day = day_at(start);
        if (exists(day))
            continue;
        prepare(day);
        missing[created++] = day;
    }
    // Whoever had the list of days before and reads it after would miss the new one, hence the lock on all of them.
    if (created > 0)
        pg::lock_briefly({pg::relation_of("event"), pg::relation_of("event_default")}, AccessExclusiveLock);
    for (std::int32_t i = 0; i < created; ++i) {
        CHECK_FOR_INTERRUPTS();
        attach(missing[i]);
    }
    return created;
}

// ---- Listing them ----

// The bound at a place of an ordered list, as a column: NULL where there is none.
void add_bound(pg::Columns &columns, PartitionBoundInfo bounds, int place)
{
    const bool is_value =
        place >= 0 && place < bounds->ndatums && bounds->kind[place][0] == PARTITION_RANGE_DATUM_VALUE;
    columns.add(is_value ? bounds->datums[place][0] : Datum{0}, !is_value);
}

} // namespace

// ensure_partitions("from", "to") → how many were made
TELEMETRY_FUNCTION(ensure_partitions)
{
    pg::require(fcinfo, 0, "from");
    pg::require(fcinfo, 1, "to");
    const TimestampTz from = PG_GETARG_TIMESTAMPTZ(0);
    const TimestampTz to = PG_GETARG_TIMESTAMPTZ(1);
    if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to) || from < first_day || to > last_day)
        throw core::Error(core::sqlstate::invalid_parameter_value, "partitions can be made for the years 1970 to 9999",
                          "Events of any other date are stored in the default partition.");
    if (from >= to)
        throw core::Error(core::sqlstate::invalid_parameter_value, "\"from\" must be before \"to\"",
                          "Try ensure_partitions(now(), now() + interval '7 days').");
    const core::Microseconds first = core::floor_to(from, core::day_us);
    const core::Microseconds end = core::ceil_to(to, core::day_us);
    if (const std::int64_t days = (end - first) / core::day_us; days > max_days)
        throw core::Error(core::sqlstate::program_limit_exceeded,
                          "cannot make \"" + std::to_string(days) + "\" partitions at once, the limit is " +
                              std::to_string(max_days),
                          "Make them in several calls; a partition is one day.");
    pg::refuse_unless_writing("ensure_partitions()");
    std::int32_t created = 0;
    pg::with_spi([&] { created = create_missing(first, end); });
    PG_RETURN_INT32(created);
}

namespace gravitas::telemetry {

void lock_days() { LockRelationOid(pg::relation_of("event"), ShareUpdateExclusiveLock); }

void make_day(core::Microseconds start) { create_missing(start, start + core::day_us); }

} // namespace gravitas::telemetry

// event_partitions() → (partition, "from", "to")
TELEMETRY_FUNCTION(event_partitions)
{
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    Relation const events = table_open(pg::relation_of("event"), AccessShareLock);
    PartitionDesc const partitions = RelationGetPartitionDesc(events, true);
    PartitionBoundInfo const bounds = partitions->boundinfo;
    for (int i = 0; partitions->nparts > 0 && i <= bounds->ndatums; ++i) {
        const int partition = bounds->indexes[i];
        const char *const name = partition < 0 ? nullptr : get_rel_name(partitions->oids[partition]);
        if (name == nullptr || partition == bounds->default_index)
            continue;
        NameData text;
        namestrcpy(&text, name);
        pg::Columns columns;
        columns.add(NameGetDatum(&text));
        add_bound(columns, bounds, i - 1);
        add_bound(columns, bounds, i);
        columns.put(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    }
    table_close(events, NoLock);
    PG_RETURN_NULL();
}
