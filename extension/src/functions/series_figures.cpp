// series_figures() and series_rows(): what every question about a stretch of time is answered from. The rollups that
// cover it are merged by series, and by step where there are steps, without a plan and without the metrics that nobody
// asks for.

#include "core/rollup_fold.hpp"
#include "core/time_bucket.hpp"
#include "functions/figure_columns.hpp"
#include "functions/retention_horizon.hpp"
#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/expanded.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"
#include "pg/scan.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/table.h"
#include "utils/fmgroids.h"
#include "utils/xid8.h"
}

using namespace gravitas::telemetry;

namespace {

// The columns of the levels; those of the deltas are the same, behind added_by.
constexpr AttrNumber bucket_column = 1;

// The series that are asked for, merged as far as they were read.
class Series {
public:
    Series(FunctionCallInfo fcinfo, core::Microseconds step, const core::Wanted &wanted)
        : memory_(CurrentMemoryContext), groups_(memory_), step_(step), event_type_(pg::optional_text(fcinfo, 3)),
          component_(pg::optional_text(fcinfo, 4)), wanted_(wanted)
    {
    }

    // A rollup of this bucket; event_type, component and summary are these columns of the slot.
    void add(TupleTableSlot *slot, core::Microseconds bucket, AttrNumber event_type)
    {
        bool is_null;
        bool no_component;
        const std::string_view type = view_of(slot_getattr(slot, event_type, &is_null));
        const Datum component = slot_getattr(slot, event_type + 1, &no_component);
        add(bucket, type, no_component ? std::nullopt : std::optional(view_of(component)),
            slot_getattr(slot, event_type + 2, &is_null));
    }

    void add(core::Microseconds bucket, std::string_view event_type, std::optional<std::string_view> component,
             Datum summary)
    {
        if ((event_type_ != nullptr && event_type != pg::view_of(event_type_)) ||
            (component_ != nullptr && component != pg::view_of(component_)))
            return;
        const std::size_t size = groups_.size();
        core::RollupFold::Group &group =
            groups_.group(step_ == 0 ? 0 : core::floor_to(bucket, step_), event_type, component);
        if (groups_.size() > size) { // the row that the strings are of will be gone
            group.event_type = copy_of(event_type);
            if (component)
                group.component = copy_of(*component);
        }
        pg::with_bytes(summary,
                       [&](std::span<const std::uint8_t> bytes) { group.summary.merge_encoded(bytes, wanted_); });
    }

    // Calls with each series and step, and its columns event_type, component and step_start.
    template <typename Call>
    void for_each(Call call) const
    {
        for (const core::RollupFold::Group *const group : groups_)
            call(group->summary, text_of(group->event_type), group->component ? text_of(*group->component) : Datum{0},
                 TimestampTzGetDatum(group->bucket));
    }

private:
    static std::string_view view_of(Datum name) { return pg::view_of(DatumGetTextPP(name)); }

    static Datum text_of(std::string_view text)
    {
        return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
    }

    static std::string_view copy_of(std::string_view text) { return {pnstrdup(text.data(), text.size()), text.size()}; }

    pg::ContextResource memory_;
    core::RollupFold groups_;
    core::Microseconds step_; // 0: none
    const text *event_type_;  // nullptr: all
    const text *component_;
    core::Wanted wanted_;
};

Relation open_table(const char *name) { return table_open(pg::relation_of(name), AccessShareLock); }

// ---- The quick way: by the indexes ----

struct Table {
    explicit Table(const char *name, AttrNumber by)
        : relation(open_table(name)), index(pg::may_read_plainly(relation) ? pg::find_btree(relation, by) : InvalidOid)
    {
    }
    void close() const { table_close(relation, NoLock); }

    Relation relation;
    Oid index; // invalid where the executor has to read it
};

void read_level(const Table &level, core::Microseconds from, core::Microseconds to, Series &series)
{
    if (from >= to)
        return;
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE, TimestampTzGetDatum(from));
    ScanKeyInit(&keys[1], 1, BTLessStrategyNumber, F_TIMESTAMPTZ_LT, TimestampTzGetDatum(to));
    pg::scan_index(level.relation, level.index, keys, 2, [&](TupleTableSlot *row) {
        bool is_null;
        series.add(row, DatumGetTimestampTz(slot_getattr(row, bucket_column, &is_null)), bucket_column + 1);
    });
}

void read_deltas(const Table &deltas, FullTransactionId mark, const core::Window &window, Series &series)
{
    constexpr AttrNumber bucket = bucket_column + 1;
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_XID8GE, FullTransactionIdGetDatum(mark));
    pg::scan_index(deltas.relation, deltas.index, &key, 1, [&](TupleTableSlot *row) {
        bool is_null;
        const TimestampTz at = DatumGetTimestampTz(slot_getattr(row, bucket, &is_null));
        if (at >= window.start && at < window.end)
            series.add(row, at, bucket + 1);
    });
}

// False where a table has rules that only the executor knows, or no index to go by.
bool read_by_indexes(const core::Window &window, const core::Levels &levels, Series &series)
{
    const Table minutes("rollup_minute", bucket_column);
    const Table hours("rollup_hour", bucket_column);
    const Table days("rollup_day", bucket_column);
    const Table deltas("rollup_delta", 1);
    Relation const compaction = open_table("compaction");
    const bool readable = pg::may_read_plainly(compaction) && OidIsValid(minutes.index) && OidIsValid(hours.index) &&
                          OidIsValid(days.index) && OidIsValid(deltas.index);
    if (readable) {
        read_level(minutes, window.start, levels.hours_start, series);
        read_level(hours, levels.hours_start, levels.days_start, series);
        read_level(days, levels.days_start, levels.days_end, series);
        read_level(hours, levels.days_end, levels.hours_end, series);
        read_level(minutes, levels.hours_end, window.end, series);
        read_deltas(deltas, compaction_mark(compaction), window, series);
    }
    table_close(compaction, NoLock);
    for (const Table *const table : {&minutes, &hours, &days, &deltas})
        table->close();
    return readable;
}

// ---- The executor's way ----

void read_by_sql(const core::Window &window, const core::Levels &levels, Series &series)
{
    static pg::PreparedStatement<6> statement{
        R"(
        SELECT * FROM telemetry.rollup_minute
        WHERE bucket OPERATOR(pg_catalog.>=) $1 AND bucket OPERATOR(pg_catalog.<) $2
           OR bucket OPERATOR(pg_catalog.>=) $5 AND bucket OPERATOR(pg_catalog.<) $6
        UNION ALL
        SELECT * FROM telemetry.rollup_hour
        WHERE bucket OPERATOR(pg_catalog.>=) $2 AND bucket OPERATOR(pg_catalog.<) $3
           OR bucket OPERATOR(pg_catalog.>=) $4 AND bucket OPERATOR(pg_catalog.<) $5
        UNION ALL
        SELECT * FROM telemetry.rollup_day
        WHERE bucket OPERATOR(pg_catalog.>=) $3 AND bucket OPERATOR(pg_catalog.<) $4
        UNION ALL
        SELECT * FROM telemetry.deltas($1, $6))",
        {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}};
    MemoryContext const caller = CurrentMemoryContext;
    pg::with_spi([&] {
        statement.read({TimestampTzGetDatum(window.start), TimestampTzGetDatum(levels.hours_start),
                        TimestampTzGetDatum(levels.days_start), TimestampTzGetDatum(levels.days_end),
                        TimestampTzGetDatum(levels.hours_end), TimestampTzGetDatum(window.end)});
        MemoryContext const spi = MemoryContextSwitchTo(caller);
        TupleTableSlot *const slot = MakeSingleTupleTableSlot(SPI_tuptable->tupdesc, &TTSOpsHeapTuple);
        for (std::uint64_t i = 0; i < SPI_processed; ++i) {
            bool is_null;
            ExecStoreHeapTuple(SPI_tuptable->vals[i], slot, false);
            series.add(slot, DatumGetTimestampTz(slot_getattr(slot, bucket_column, &is_null)), bucket_column + 1);
        }
        ExecDropSingleTupleTableSlot(slot);
        MemoryContextSwitchTo(spi);
    });
}

// ---- The functions ----

core::Microseconds step_argument(FunctionCallInfo fcinfo)
{
    return PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2) * core::minute_us;
}

// Reads what the arguments 0 to 2 say.
void read(FunctionCallInfo fcinfo, Series &series)
{
    const core::Microseconds step = step_argument(fcinfo);
    const core::Horizons horizons = rollup_horizons();
    const core::Window asked = window_arguments(fcinfo);
    const core::Window window = step == 0 ? core::readable(asked, horizons) : core::readable(asked, horizons, step);
    const core::Levels levels = step == 0 ? core::levels_of(window) : core::levels_of(window, step);
    if (!read_by_indexes(window, levels, series))
        read_by_sql(window, levels, series);
}

void require_window(FunctionCallInfo fcinfo)
{
    pg::require(fcinfo, 0, "window_start");
    pg::require(fcinfo, 1, "window_end");
}

// Before 0.3 there was no such argument.
bool wants_percentiles(FunctionCallInfo fcinfo)
{
    if (PG_NARGS() < 6)
        return true;
    pg::require(fcinfo, 5, "percentiles");
    return PG_GETARG_BOOL(5);
}

void add_percentiles(pg::Columns &columns, const core::Summary &summary, core::Metric metric,
                     std::initializer_list<double> shares)
{
    for (const double p : shares)
        columns.add(core::percentile(summary, metric, p));
}

} // namespace

// series_figures(window_start, window_end, step_minutes, event_type, component, percentiles) → rows
TELEMETRY_FUNCTION(series_figures)
{
    require_window(fcinfo);
    const bool percentiles = wants_percentiles(fcinfo);
    const bool has_steps = step_argument(fcinfo) != 0;
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    Series series(fcinfo, step_argument(fcinfo),
                  {.metrics = {core::Metric::value}, .buckets = percentiles, .regression = false});
    read(fcinfo, series);
    series.for_each([&](const core::Summary &summary, Datum event_type, Datum component, Datum step_start) {
        pg::Columns columns;
        columns.add(step_start, !has_steps);
        columns.add(event_type);
        columns.add(component, component == 0);
        add_figures(columns, summary, percentiles);
        columns.put(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    });
    PG_RETURN_NULL();
}

// series_rows(window_start, window_end, step_minutes, event_type, component) → rows
TELEMETRY_FUNCTION(series_rows)
{
    require_window(fcinfo);
    const bool has_steps = step_argument(fcinfo) != 0;
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    Series series(
        fcinfo, step_argument(fcinfo),
        {.metrics = {core::Metric::value, core::Metric::first_token_ms}, .buckets = true, .regression = false});
    read(fcinfo, series);
    series.for_each([&](const core::Summary &summary, Datum event_type, Datum component, Datum step_start) {
        const core::Counters &counters = summary.totals().counters;
        pg::Columns columns;
        columns.add(event_type);
        columns.add(component, component == 0);
        columns.add(step_start, !has_steps);
        columns.add_count(counters.events);
        columns.add_count(counters.errors);
        columns.add_count(core::measured(summary));
        columns.add(core::mean_score(summary));
        columns.add(core::best(summary));
        columns.add(core::worst(summary));
        add_percentiles(columns, summary, core::Metric::value, {0.5, 0.95, 0.99});
        columns.add_count(counters.tokens_generated);
        columns.add_count(counters.prompt_tokens);
        add_percentiles(columns, summary, core::Metric::first_token_ms, {0.5, 0.95});
        columns.add(TimestampTzGetDatum(counters.last_at), counters.events == 0);
        columns.put(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
    });
    PG_RETURN_NULL();
}
