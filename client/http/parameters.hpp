// The parameters of a question, checked before the database sees any.

#pragma once

#include <httplib.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gravitas::telemetry::http {

[[nodiscard]] bool is_utf8(std::string_view text);

class Parameters {
public:
    // Throws a Refusal where one is unknown, given twice, or no text that a database takes.
    Parameters(const httplib::Params &given, std::initializer_list<std::string_view> known);

    // Absent where it is not given, or empty.
    [[nodiscard]] std::optional<std::string> text(const std::string &name) const;
    [[nodiscard]] std::optional<int> integer(const std::string &name, int least, int greatest) const;

private:
    const httplib::Params &given_;
};

// Windows and rows that the endpoints share.
inline constexpr int most_hours = 24 * 366 * 100;
inline constexpr int most_minutes = 24 * 60;

} // namespace gravitas::telemetry::http
