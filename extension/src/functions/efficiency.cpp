// The aggregate efficiency(duration_ms, tokens): sum of durations over sum of tokens.
//
// Its state is an array of three doubles: the sum of durations as a double-double (so that rows which leave a window
// frame take away what they brought), and the tokens, exact below 2^53.

#include <algorithm>

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/sum.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace gravitas::telemetry;

namespace {

constexpr int state_size = 3;

struct State {
    core::Sum duration_ms;
    double tokens;
};

double *elements(ArrayType *array)
{
    if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != state_size || ARR_HASNULL(array) ||
        ARR_ELEMTYPE(array) != FLOAT8OID)
        throw core::Error(core::sqlstate::invalid_parameter_value, "not a state of efficiency()");
    return reinterpret_cast<double *>(ARR_DATA_PTR(array));
}

State state_argument(FunctionCallInfo fcinfo, int number)
{
    pg::require(fcinfo, number, "state");
    const double *const numbers = elements(PG_GETARG_ARRAYTYPE_P(number));
    return {core::Sum(numbers[0], numbers[1]), numbers[2]};
}

// The state as a datum: in place of argument 0 where that belongs to the aggregate.
Datum state_result(FunctionCallInfo fcinfo, const State &state)
{
    if (AggCheckCallContext(fcinfo, nullptr)) {
        ArrayType *const array = PG_GETARG_ARRAYTYPE_P(0);
        double *const numbers = elements(array);
        numbers[0] = state.duration_ms.high();
        numbers[1] = state.duration_ms.low();
        numbers[2] = state.tokens;
        PG_RETURN_ARRAYTYPE_P(array);
    }
    Datum numbers[] = {Float8GetDatum(state.duration_ms.high()), Float8GetDatum(state.duration_ms.low()),
                       Float8GetDatum(state.tokens)};
    PG_RETURN_ARRAYTYPE_P(
        construct_array(numbers, state_size, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// Adds the row (sign 1) or takes it away (-1).
Datum step(FunctionCallInfo fcinfo, int sign)
{
    pg::require(fcinfo, 0, "state");
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_GETARG_INT64(2) == 0)
        return PG_GETARG_DATUM(0);
    const double duration_ms = PG_GETARG_FLOAT8(1);
    const std::int64_t tokens = PG_GETARG_INT64(2);
    core::check_duration_ms("duration_ms", duration_ms);
    if (tokens < 0)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "tokens must not be negative, but is \"" + std::to_string(tokens) + "\"");
    State state = state_argument(fcinfo, 0);
    state.duration_ms.add(sign * duration_ms);
    state.tokens += sign * static_cast<double>(tokens);
    return state_result(fcinfo, state);
}

} // namespace

TELEMETRY_FUNCTION(efficiency_step) { return step(fcinfo, 1); }
TELEMETRY_FUNCTION(efficiency_inverse) { return step(fcinfo, -1); }

TELEMETRY_FUNCTION(efficiency_combine)
{
    State state = state_argument(fcinfo, 0);
    const State other = state_argument(fcinfo, 1);
    state.duration_ms.add(other.duration_ms);
    state.tokens += other.tokens;
    return state_result(fcinfo, state);
}

TELEMETRY_FUNCTION(efficiency_final)
{
    const State state = state_argument(fcinfo, 0);
    if (state.tokens <= 0)
        PG_RETURN_NULL();
    PG_RETURN_FLOAT8(std::max(0.0, state.duration_ms.high() + state.duration_ms.low()) / state.tokens);
}
