// set_retention(): how long the rows of a table stay.

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

namespace {

constexpr const char *tables[] = {"event",   "rollup_minute",   "rollup_hour", "rollup_day", "usage_stats",
                                  "history", "maintenance_log", "alert_log",   "producer"};
constexpr std::int64_t most_days = 365'000; // what a timestamp can be set back by, and then some

void check_table(std::string_view name)
{
    for (const char *const table : tables)
        if (name == table)
            return;
    throw core::Error(core::sqlstate::invalid_parameter_value, "no retention is kept for \"" + std::string(name) + "\"",
                      "Give event, rollup_minute, rollup_hour, rollup_day, usage_stats, history, maintenance_log, "
                      "alert_log or producer.");
}

void check_keep(const Interval *keep)
{
    const char *const text = DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(keep)));
    const std::int64_t days = keep->month * std::int64_t{30} + keep->day + keep->time / core::day_us;
    if (keep->month < 0 || keep->day < 0 || keep->time < 0 || days == 0)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string("rows must be kept for at least one day, not for \"") + text + "\"",
                          "Events are removed by whole days. Try '30 days', or NULL to keep them for ever.");
    if (days > most_days)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string("\"") + text + "\" is longer than 1000 years",
                          "Give NULL to keep rows for ever.");
}

} // namespace

// set_retention(table_name, keep) → what held before
TELEMETRY_FUNCTION(set_retention)
{
    static pg::PreparedStatement<1> before{"SELECT telemetry.retention_keep($1)", {TEXTOID}};
    static pg::PreparedStatement<2> change{"INSERT INTO telemetry.retention_policy AS p VALUES ($1, $2)"
                                           " ON CONFLICT (table_name) DO UPDATE SET keep = excluded.keep",
                                           {TEXTOID, INTERVALOID}};
    text *const table = pg::required_name(fcinfo, 0, "table_name");
    check_table(pg::view_of(table));
    if (!PG_ARGISNULL(1))
        check_keep(PG_GETARG_INTERVAL_P(1));

    MemoryContext const caller = CurrentMemoryContext;
    Interval *held = nullptr;
    pg::with_spi([&] {
        before.execute({PointerGetDatum(table)}, {false}, SPI_OK_SELECT);
        bool is_null;
        const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
        if (!is_null) {
            held = static_cast<Interval *>(MemoryContextAlloc(caller, sizeof(Interval)));
            *held = *DatumGetIntervalP(value);
        }
        change.execute({PointerGetDatum(table), PG_GETARG_DATUM(1)}, {false, PG_ARGISNULL(1)}, SPI_OK_INSERT);
    });
    if (held == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_INTERVAL_P(held);
}
