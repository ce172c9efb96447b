// Returning a row.

#pragma once

#include <initializer_list>

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// The composite value that the calling function returns, of these columns, none NULL.
inline Datum row_of(FunctionCallInfo fcinfo, std::initializer_list<Datum> values)
{
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE ||
        descriptor->natts != static_cast<int>(values.size()))
        elog(ERROR, "return type must be a row of %zu columns", values.size());
    bool *const nulls = static_cast<bool *>(palloc0(values.size() * sizeof(bool)));
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), const_cast<Datum *>(values.begin()), nulls));
}

} // namespace gravitas::telemetry::pg
