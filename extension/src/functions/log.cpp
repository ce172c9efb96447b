// log(), log_load_latency(), log_thought_latency(): one event a call.

#include "functions/sink.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;

namespace {

// A time in seconds as the milliseconds that are stored; Error (22023) names `name` where it cannot have been measured.
double milliseconds_of(double seconds, const char *name)
{
    const double milliseconds = seconds * 1000;
    if (!core::is_possible_duration_ms(milliseconds)) {
        char number[32];
        snprintf(number, sizeof number, "%.17g", seconds);
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string(name) + " must be between 0 and 1e9 seconds, not \"" + number + "\"",
                          "Measure elapsed time with a monotonic clock, such as telemetry.start_timer().");
    }
    return milliseconds;
}

Datum id_of(FunctionCallInfo fcinfo, Event &event)
{
    const std::optional<std::int64_t> id = store(event);
    if (!id)
        PG_RETURN_NULL();
    PG_RETURN_INT64(*id);
}

text *status_of(FunctionCallInfo fcinfo, int success)
{
    pg::require(fcinfo, success, "success");
    return cstring_to_text(PG_GETARG_BOOL(success) ? "OK" : "ERROR");
}

} // namespace

// log(event_type, component, value, metadata, status, event_time) → id
TELEMETRY_FUNCTION(log)
{
    Event event = {};
    event.event_type = pg::required_name(fcinfo, 0, "event_type");
    event.component = pg::optional_text(fcinfo, 1);
    event.figures.value = pg::optional_float8(fcinfo, 2);
    event.metadata = PG_ARGISNULL(3) ? nullptr : PG_GETARG_JSONB_P(3);
    event.status = pg::optional_text(fcinfo, 4);
    event.timestamp = pg::event_time(fcinfo, 5);
    return id_of(fcinfo, event);
}

// log_load_latency(model_name, load_time_seconds, success, event_time) → id
TELEMETRY_FUNCTION(log_load_latency)
{
    pg::require(fcinfo, 1, "load_time_seconds");
    const double seconds = PG_GETARG_FLOAT8(1);

    Event event = {};
    event.event_type = cstring_to_text("LOAD_LATENCY");
    event.component = pg::required_name(fcinfo, 0, "model_name");
    event.figures.value = seconds;
    event.figures.duration_ms = milliseconds_of(seconds, "load_time_seconds");
    event.status = status_of(fcinfo, 2);
    event.timestamp = pg::event_time(fcinfo, 3);
    return id_of(fcinfo, event);
}

// log_thought_latency(model_name, inference_time_seconds, tokens_generated, prompt_tokens, success,
//                     first_token_seconds, metadata, event_time) → id
TELEMETRY_FUNCTION(log_thought_latency)
{
    pg::require(fcinfo, 1, "inference_time_seconds");
    pg::require(fcinfo, 2, "tokens_generated");

    Event event = {};
    event.event_type = cstring_to_text("THOUGHT_LATENCY");
    event.component = pg::required_name(fcinfo, 0, "model_name");
    event.figures.duration_ms = milliseconds_of(PG_GETARG_FLOAT8(1), "inference_time_seconds");
    event.figures.tokens_generated = PG_GETARG_INT32(2);
    event.figures.prompt_tokens = pg::optional_int4(fcinfo, 3);
    event.status = status_of(fcinfo, 4);
    if (!PG_ARGISNULL(5))
        event.figures.first_token_ms = milliseconds_of(PG_GETARG_FLOAT8(5), "first_token_seconds");
    event.metadata = PG_ARGISNULL(6) ? nullptr : PG_GETARG_JSONB_P(6);
    event.timestamp = pg::event_time(fcinfo, 7);
    return id_of(fcinfo, event);
}
