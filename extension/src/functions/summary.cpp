// The type telemetry.summary: its forms, and the aggregates that make and merge it.

#include "core/event.hpp"
#include "core/summary.hpp"
#include "functions/mergeable_type.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;
using core::Summary;

TELEMETRY_FUNCTION(summary_in) { return type_in<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_out) { return type_out<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_recv) { return type_recv<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_send) { return type_send<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_to_jsonb) { return type_to_jsonb<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_from_bytea) { return type_from_bytea<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_eq) { PG_RETURN_BOOL(equal<Summary>(fcinfo)); }
TELEMETRY_FUNCTION(summary_ne) { PG_RETURN_BOOL(!equal<Summary>(fcinfo)); }
TELEMETRY_FUNCTION(summary_hash) { return type_hash<Summary>(fcinfo); }
TELEMETRY_FUNCTION(summary_add) { return type_merge<Summary>(fcinfo); }

// merge_step(state, summary), also the combine function of summarize() and merge()
TELEMETRY_FUNCTION(summary_merge_step) { return merge_step<Summary>(fcinfo); }

TELEMETRY_FUNCTION(summary_final) { return final_value<Summary>(fcinfo); }

// summarize_step(state, event_type, timestamp, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated,
//                status)
TELEMETRY_FUNCTION(summarize_step)
{
    core::Observation event;
    if (!PG_ARGISNULL(1))
        event.kind = core::kind_of(pg::view_of(PG_GETARG_TEXT_PP(1)));
    if (!PG_ARGISNULL(2))
        event.at = PG_GETARG_TIMESTAMPTZ(2);
    event.value = pg::optional_float8(fcinfo, 3);
    event.duration_ms = pg::optional_float8(fcinfo, 4);
    event.first_token_ms = pg::optional_float8(fcinfo, 5);
    event.prompt_tokens = pg::optional_int4(fcinfo, 6);
    event.tokens_generated = pg::optional_int4(fcinfo, 7);
    event.is_error = !PG_ARGISNULL(8) && core::is_error_status(pg::view_of(PG_GETARG_TEXT_PP(8)));
    return pg::accumulate<Summary>(fcinfo, [&](Summary &state) { state.add(event); });
}
