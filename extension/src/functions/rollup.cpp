#include "functions/rollup.hpp"

#include "core/rollup_key.hpp"
#include "core/time_bucket.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/row.hpp"
#include "pg/scan.hpp"

extern "C" {
#include "utils/xid8.h"
}

namespace gravitas::telemetry {

text *rollup_key(text *name)
{
    const std::string_view whole = pg::view_of(name);
    if (whole.size() <= core::max_key_bytes)
        return name;
    const int room = core::max_key_bytes - core::key_hash_bytes;
    const int kept = pg_mbcliplen(whole.data(), static_cast<int>(whole.size()), room);
    char key[core::max_key_bytes + 1];
    memcpy(key, whole.data(), kept);
    snprintf(key + kept, sizeof key - kept, "#%016llx", static_cast<unsigned long long>(core::fnv1a(whole)));
    return cstring_to_text(key);
}

FullTransactionId compaction_mark(Relation compaction)
{
    FullTransactionId mark = FullTransactionIdFromU64(0);
    pg::scan_table(compaction, GetActiveSnapshot(), [&](TupleTableSlot *row) {
        bool is_null;
        mark = DatumGetFullTransactionId(slot_getattr(row, 1, &is_null));
    });
    return mark;
}

core::Window window_arguments(FunctionCallInfo fcinfo)
{
    const core::Window window = {PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_TIMESTAMPTZ(1)};
    if (window.start < MIN_TIMESTAMP + core::day_us || window.end > END_TIMESTAMP - core::day_us ||
        window.start > window.end)
        throw core::Error(core::sqlstate::invalid_parameter_value, "window_start and window_end make no window",
                          "Give two points in time, the earlier one first.");
    return window;
}

} // namespace gravitas::telemetry

using namespace gravitas::telemetry;

// rollup_key(name) → text; strict
TELEMETRY_FUNCTION(rollup_key) { PG_RETURN_TEXT_P(rollup_key(PG_GETARG_TEXT_PP(0))); }

// bucket_start(minutes, timestamp) → the start of the bucket; strict
TELEMETRY_FUNCTION(bucket_start)
{
    const std::int32_t minutes = pg::int4_between(fcinfo, 0, "minutes", 1, 1440, "Try 1, 60 or 1440.");
    const TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
    if (TIMESTAMP_NOT_FINITE(at))
        PG_RETURN_TIMESTAMPTZ(at);
    PG_RETURN_TIMESTAMPTZ(core::floor_to(at, minutes * core::minute_us));
}

// window_levels(window_start, window_end) → (hours_start, days_start, days_end, hours_end); strict
TELEMETRY_FUNCTION(window_levels)
{
    const core::Levels levels = core::levels_of(window_arguments(fcinfo));
    return pg::row_of(fcinfo, {TimestampTzGetDatum(levels.hours_start), TimestampTzGetDatum(levels.days_start),
                               TimestampTzGetDatum(levels.days_end), TimestampTzGetDatum(levels.hours_end)});
}
