#include "sqlstate.hpp"

#include <algorithm>
#include <initializer_list>

namespace gravitas::telemetry {

namespace {

// Each of `known` is a whole SQLSTATE or a class, its first two characters.
bool is_one_of(std::string_view sqlstate, std::initializer_list<std::string_view> known)
{
    return std::any_of(known.begin(), known.end(), [&](std::string_view one) { return sqlstate.starts_with(one); });
}

} // namespace

bool is_data_error(std::string_view sqlstate) noexcept
{
    // data exception, integrity violation, check option, limit exceeded; datatype mismatch, cannot coerce
    return is_one_of(sqlstate, {"22", "23", "44", "54", "42804", "42846"});
}

bool is_transient(std::string_view sqlstate) noexcept
{
    // no answer; connection, read-only transaction, rollback, resources, lock, operator intervention, system
    return sqlstate.empty() || is_one_of(sqlstate, {"08", "25006", "40", "53", "55P03", "57", "58"});
}

bool is_missing_object(std::string_view sqlstate) noexcept { return is_one_of(sqlstate, {"3F000", "42P01", "42883"}); }

} // namespace gravitas::telemetry
