// The one exception of the core: a condition that the user caused and can mend.

#pragma once

#include <cstddef>
#include <cstdint>
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
inline constexpr char invalid_text_representation[] = "22P02";
inline constexpr char invalid_binary_representation[] = "22P03";
// Our own, for what a client has to tell apart (docs/batch-format.md).
inline constexpr char batch_out_of_sequence[] = "GT001";
inline constexpr char batch_too_old[] = "GT002";
} // namespace sqlstate

// What is wrong with a value or an input.
enum class ErrorKind : std::uint8_t {
    argument,        // said by the message
    truncated,       // the input ends inside a field
    unknown_version, // a format version this code does not know
    corrupt,         // the input is not what any encoder writes
    syntax,          // the text form is malformed
    overflow,        // a count would pass 2^63 - 1
    out_of_range,    // an argument outside its domain: NaN, infinity, a negative duration, a percentile of 2
};

class Error : public std::exception {
public:
    // Of a kind; `position` is the byte in the input, for the kinds that have one.
    Error(ErrorKind kind, const char *message, std::size_t position = 0)
        : sqlstate_(sqlstate_of(kind)), message_(message), kind_(kind), position_(position)
    {
        if (kind == ErrorKind::truncated || kind == ErrorKind::corrupt || kind == ErrorKind::syntax)
            message_ += " (byte " + std::to_string(position) + ")";
    }

    // `message`: lower case, no full stop, names the offending value. `hint`: a sentence that says what to do next.
    Error(const char (&sqlstate)[6], std::string message, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), hint_(std::move(hint))
    {
    }

    const char *what() const noexcept override { return message_.c_str(); }
    const char *sqlstate() const noexcept { return sqlstate_; }
    const char *hint() const noexcept { return hint_.c_str(); } // empty where there is none

    ErrorKind kind() const noexcept { return kind_; }
    std::size_t position() const noexcept { return position_; }

private:
    static const char *sqlstate_of(ErrorKind kind) noexcept
    {
        switch (kind) {
        case ErrorKind::truncated:
        case ErrorKind::unknown_version:
        case ErrorKind::corrupt:
            return sqlstate::invalid_binary_representation;
        case ErrorKind::syntax:
            return sqlstate::invalid_text_representation;
        case ErrorKind::overflow:
            return sqlstate::numeric_value_out_of_range;
        default:
            return sqlstate::invalid_parameter_value;
        }
    }

    const char *sqlstate_; // a literal
    std::string message_;
    std::string hint_;
    ErrorKind kind_ = ErrorKind::argument;
    std::size_t position_ = 0;
};

} // namespace gravitas::telemetry::core
