// Reading the arguments of a SQL-callable function: NULL becomes an empty optional or a clear error.

#pragma once

#include <string>

#include "core/error.hpp"
#include "core/time_bucket.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

static_assert(std::is_same_v<TimestampTz, core::Microseconds> || sizeof(TimestampTz) == sizeof(core::Microseconds));

inline std::string_view view_of(const text *value) noexcept { return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}; }

inline text *optional_text(FunctionCallInfo fcinfo, int number)
{
    return PG_ARGISNULL(number) ? nullptr : PG_GETARG_TEXT_PP(number);
}

inline std::optional<double> optional_float8(FunctionCallInfo fcinfo, int number)
{
    return PG_ARGISNULL(number) ? std::nullopt : std::optional(PG_GETARG_FLOAT8(number));
}

inline std::optional<std::int32_t> optional_int4(FunctionCallInfo fcinfo, int number)
{
    return PG_ARGISNULL(number) ? std::nullopt : std::optional<std::int32_t>(PG_GETARG_INT32(number));
}

// Throws Error (22004) where argument `number`, called `name` in SQL, is NULL.
inline void require(FunctionCallInfo fcinfo, int number, const char *name)
{
    if (PG_ARGISNULL(number))
        throw core::Error(core::sqlstate::null_value_not_allowed, std::string(name) + " must not be null");
}

// Throws Error (22023) where `value` is an empty string.
inline void refuse_empty(const text *value, const char *name)
{
    if (VARSIZE_ANY_EXHDR(value) == 0)
        throw core::Error(core::sqlstate::invalid_parameter_value, std::string(name) + " must not be empty");
}

inline text *required_name(FunctionCallInfo fcinfo, int number, const char *name)
{
    require(fcinfo, number, name);
    text *const value = PG_GETARG_TEXT_PP(number);
    refuse_empty(value, name);
    return value;
}

// The point in time an event ended: now, by the wall clock, where the argument is NULL.
inline TimestampTz event_time(FunctionCallInfo fcinfo, int number)
{
    return PG_ARGISNULL(number) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(number);
}

// A point in time that a thousand years can be added to or taken from; Error (22023) where it is another.
inline TimestampTz finite_time(FunctionCallInfo fcinfo, int number, const char *name)
{
    require(fcinfo, number, name);
    const TimestampTz time = PG_GETARG_TIMESTAMPTZ(number);
    constexpr core::Microseconds thousand_years = 366'000 * core::day_us;
    if (TIMESTAMP_NOT_FINITE(time) || time < MIN_TIMESTAMP + thousand_years || time > END_TIMESTAMP - thousand_years)
        throw core::Error(core::sqlstate::invalid_parameter_value, std::string(name) + " is out of range",
                          "Give a point in time; the default is now().");
    return time;
}

// An integer argument between `low` and `high`; Error (22023) with `hint` otherwise.
inline std::int32_t int4_between(FunctionCallInfo fcinfo, int number, const char *name, std::int32_t low,
                                 std::int32_t high, const char *hint)
{
    require(fcinfo, number, name);
    const std::int32_t value = PG_GETARG_INT32(number);
    if (value < low || value > high)
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string(name) + " must be between " + std::to_string(low) + " and " +
                              std::to_string(high) + ", not \"" + std::to_string(value) + "\"",
                          hint);
    return value;
}

} // namespace gravitas::telemetry::pg
