// Returning a figure that may be absent: nothing measured is NULL, never 0.

#pragma once

#include "core/error.hpp"
#include "pg/arguments.hpp"
#include "pg/expanded.hpp"

extern "C" {
#include "utils/array.h"
}

namespace gravitas::telemetry {

inline Datum return_null(FunctionCallInfo fcinfo) { PG_RETURN_NULL(); }

inline Datum return_figure(FunctionCallInfo fcinfo, const std::optional<double> &figure)
{
    return figure ? Float8GetDatum(*figure) : return_null(fcinfo);
}

// A share from 0 to 1; Error (22023) otherwise.
inline double checked_share(double p)
{
    if (!(p >= 0 && p <= 1)) {
        char number[32];
        snprintf(number, sizeof number, "%.17g", p);
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string("percentile must be between 0 and 1, not \"") + number + "\"",
                          "The 95th percentile is 0.95.");
    }
    return p;
}

// read(const Value &) → std::optional<double>, of argument 0.
template <typename Value, typename Read>
Datum figure(FunctionCallInfo fcinfo, Read read)
{
    return return_figure(fcinfo, pg::with_value<Value>(PG_GETARG_DATUM(0), read));
}

// read(const Value &, double) → std::optional<double>, of argument 0, for each element of the array in argument 1; NULL
// elements give NULL.
template <typename Value, typename Read>
Datum figures(FunctionCallInfo fcinfo, Read read)
{
    ArrayType *const asked = PG_GETARG_ARRAYTYPE_P(1);
    if (ARR_NDIM(asked) > 1)
        throw core::Error(core::sqlstate::invalid_parameter_value, "array must have one dimension");
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(asked, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
    return pg::with_value<Value>(PG_GETARG_DATUM(0), [&](const Value &value) {
        for (int i = 0; i < count; ++i) {
            const std::optional<double> answer =
                nulls[i] ? std::nullopt : read(value, checked_share(DatumGetFloat8(elements[i])));
            nulls[i] = !answer;
            elements[i] = Float8GetDatum(answer.value_or(0));
        }
        int dimensions[] = {count};
        int lower_bounds[] = {1};
        return PointerGetDatum(count == 0 ? construct_empty_array(FLOAT8OID)
                                          : construct_md_array(elements, nulls, 1, dimensions, lower_bounds, FLOAT8OID,
                                                               sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    });
}

} // namespace gravitas::telemetry
