// The arguments that the get_* functions share: how far back, and how many.

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;

namespace {

constexpr std::int32_t max_hours = 24 * 366 * 100;
constexpr std::int32_t max_limit = 1'000'000;

} // namespace

// reading_window(hours, as_of) → (window_start, window_end): the last `hours`, widened to whole minutes
TELEMETRY_FUNCTION(reading_window)
{
    const std::int32_t hours = pg::int4_between(fcinfo, 0, "hours", 1, max_hours, "Try hours => 24.");
    pg::require(fcinfo, 1, "as_of");
    const TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(1);
    // Far from the ends of what a timestamp holds, so that no bucket start overflows.
    if (TIMESTAMP_NOT_FINITE(as_of) || as_of < MIN_TIMESTAMP + (max_hours + 1) * core::hour_us ||
        as_of > END_TIMESTAMP - core::hour_us)
        throw core::Error(core::sqlstate::invalid_parameter_value, "as_of is out of range",
                          "Give a point in time, or leave as_of out for now().");

    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    const core::Window window = core::window_before(as_of, hours);
    Datum values[] = {TimestampTzGetDatum(window.start), TimestampTzGetDatum(window.end)};
    bool nulls[] = {false, false};
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

// row_limit("limit") → the same number, where it is a sensible number of rows to ask for
TELEMETRY_FUNCTION(row_limit)
{
    PG_RETURN_INT64(pg::int4_between(fcinfo, 0, "limit", 1, max_limit, "Try \"limit\" => 10."));
}
