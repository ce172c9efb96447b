// SQL from C++. Every statement names its objects with their schema; everything here may ereport.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// Runs `body` between SPI_connect and SPI_finish. What it must keep it copies out of SPI's memory itself.
template <typename Body>
void with_spi(Body body)
{
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "could not connect to SPI");
    body();
    if (SPI_finish() != SPI_OK_FINISH)
        elog(ERROR, "could not leave SPI");
}

// One statement, planned once for the life of the backend. Make it a function-local static: it has no destructor and
// prepares itself at the first execution.
template <int parameters>
class PreparedStatement {
public:
    constexpr PreparedStatement(const char *sql, const Oid (&types)[parameters]) : sql_(sql)
    {
        for (int i = 0; i < parameters; ++i)
            types_[i] = types[i];
    }

    // Changes data. Inside with_spi(). Rows, if any, are in SPI_tuptable; `expected` is the SPI result code of success.
    void execute(const Datum (&values)[parameters], const bool (&is_null)[parameters], int expected)
    {
        char nulls[parameters];
        for (int i = 0; i < parameters; ++i)
            nulls[i] = is_null[i] ? 'n' : ' ';
        check(SPI_execute_plan(plan(), const_cast<Datum *>(values), nulls, false, 0), expected);
    }

    // Selects with the caller's snapshot, as a STABLE function must. No parameter is NULL.
    void read(const Datum (&values)[parameters])
    {
        check(SPI_execute_plan(plan(), const_cast<Datum *>(values), nullptr, true, 0), SPI_OK_SELECT);
    }

private:
    SPIPlanPtr plan()
    {
        if (plan_ == nullptr) {
            SPIPlanPtr plan = SPI_prepare(sql_, parameters, types_);
            if (plan == nullptr || SPI_keepplan(plan) != 0)
                elog(ERROR, "could not prepare \"%s\"", sql_);
            plan_ = plan;
        }
        return plan_;
    }

    void check(int result, int expected) const
    {
        if (result != expected)
            elog(ERROR, "\"%s\" returned %s", sql_, SPI_result_code_string(result));
    }

    const char *sql_;
    Oid types_[parameters] = {};
    SPIPlanPtr plan_ = nullptr;
};

// Column `number` (from 1) of the only row that the last statement returned.
inline Datum only_value(int number)
{
    bool is_null;
    if (SPI_processed != 1)
        elog(ERROR, "expected one row, got " UINT64_FORMAT, static_cast<uint64>(SPI_processed));
    return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, &is_null);
}

// Runs one utility or data-changing statement without parameters; the number of rows it touched.
inline std::uint64_t run_sql(const char *sql)
{
    const int result = SPI_execute(sql, false, 0);
    if (result < 0)
        elog(ERROR, "\"%s\" returned %s", sql, SPI_result_code_string(result));
    return SPI_processed;
}

} // namespace gravitas::telemetry::pg
