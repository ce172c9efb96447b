#include "functions/retention_horizon.hpp"

#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/relation.hpp"
#include "pg/row.hpp"
#include "pg/scan.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/table.h"
}

namespace gravitas::telemetry {

namespace {

// Calls visit(table, expired_before) for each row. Whoever may read a table may know since when it is complete.
template <typename Visit>
void for_each_horizon(Visit visit)
{
    const Oid id = pg::relation_of("retention_horizon");
    if (!OidIsValid(id))
        return; // the library is newer than the extension's objects
    Relation const table = table_open(id, AccessShareLock);
    pg::scan_table(table, GetActiveSnapshot(), [&](TupleTableSlot *row) {
        bool is_null;
        visit(pg::view_of(DatumGetTextPP(slot_getattr(row, 1, &is_null))),
              DatumGetTimestampTz(slot_getattr(row, 2, &is_null)));
    });
    table_close(table, NoLock);
}

} // namespace

TimestampTz expired_before(const char *table)
{
    TimestampTz found = DT_NOBEGIN;
    for_each_horizon([&](std::string_view name, TimestampTz time) {
        if (name == table)
            found = time;
    });
    return found;
}

core::Horizons rollup_horizons()
{
    core::Horizons horizons;
    for_each_horizon([&](std::string_view name, TimestampTz time) {
        if (name == "rollup_minute")
            horizons.minutes = time;
        else if (name == "rollup_hour")
            horizons.hours = time;
    });
    return horizons;
}

void expire_before(const char *table, TimestampTz time)
{
    static pg::PreparedStatement<2> statement{
        "INSERT INTO telemetry.retention_horizon AS h VALUES ($1, $2)"
        " ON CONFLICT (table_name) DO UPDATE SET expired_before = excluded.expired_before"
        " WHERE h.expired_before OPERATOR(pg_catalog.<) excluded.expired_before",
        {TEXTOID, TIMESTAMPTZOID}};
    statement.execute({CStringGetTextDatum(table), TimestampTzGetDatum(time)}, {false, false}, SPI_OK_INSERT);
}

} // namespace gravitas::telemetry

using namespace gravitas::telemetry;

// expired_before(table_name) → timestamptz; strict
TELEMETRY_FUNCTION(expired_before) { PG_RETURN_TIMESTAMPTZ(expired_before(text_to_cstring(PG_GETARG_TEXT_PP(0)))); }

// readable_window(window_start, window_end) → the same, as far as rollups allow; strict
TELEMETRY_FUNCTION(readable_window)
{
    const core::Window window = core::readable(window_arguments(fcinfo), rollup_horizons());
    return pg::row_of(fcinfo, {TimestampTzGetDatum(window.start), TimestampTzGetDatum(window.end)});
}
