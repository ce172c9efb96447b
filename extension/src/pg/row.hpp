// Returning rows.

#pragma once

#include <initializer_list>

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// The columns of a row, one after the other.
class Columns {
public:
    void add(Datum value, bool is_null = false) noexcept
    {
        values_[size_] = value;
        nulls_[size_++] = is_null;
    }
    void add_count(std::uint64_t count) noexcept { add(Int64GetDatum(static_cast<std::int64_t>(count))); }
    void add(const std::optional<double> &figure) { add(Float8GetDatum(figure.value_or(0)), !figure); }

    // As the composite value that the calling function returns.
    Datum row(FunctionCallInfo fcinfo)
    {
        TupleDesc descriptor;
        if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE || descriptor->natts != size_)
            elog(ERROR, "return type must be a row of %d columns", size_);
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values_, nulls_));
    }

    // As a row of the set that the calling function returns (InitMaterializedSRF).
    void put(ReturnSetInfo *result) { tuplestore_putvalues(result->setResult, result->setDesc, values_, nulls_); }

private:
    static constexpr int most = 24;

    int size_ = 0;
    Datum values_[most];
    bool nulls_[most];
};

// The composite value that the calling function returns, of these columns, none NULL.
inline Datum row_of(FunctionCallInfo fcinfo, std::initializer_list<Datum> values)
{
    Columns columns;
    for (const Datum value : values)
        columns.add(value);
    return columns.row(fcinfo);
}

} // namespace gravitas::telemetry::pg
