// The one exception of the core: a condition that the user caused and can mend.

#pragma once

#include <exception>
#include <string>
#include <utility>

namespace gravitas::telemetry::core {

// SQLSTATE codes (PostgreSQL, appendix A) that the core can raise.
namespace sqlstate {
inline constexpr char invalid_parameter_value[] = "22023";
inline constexpr char null_value_not_allowed[] = "22004";
inline constexpr char numeric_value_out_of_range[] = "22003";
inline constexpr char program_limit_exceeded[] = "54000";
} // namespace sqlstate

class Error : public std::exception {
public:
    // `message`: lower case, no full stop, names the offending value. `hint`: a sentence that says what to do next.
    Error(const char (&sqlstate)[6], std::string message, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), hint_(std::move(hint))
    {
    }

    const char *what() const noexcept override { return message_.c_str(); }
    const char *sqlstate() const noexcept { return sqlstate_; }
    const char *hint() const noexcept { return hint_.c_str(); } // empty where there is none

private:
    const char *sqlstate_; // a literal
    std::string message_;
    std::string hint_;
};

} // namespace gravitas::telemetry::core
