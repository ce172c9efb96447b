#pragma once

#include <gravitas/telemetry.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gravitas::telemetry {

// Appends 2025-01-31T12:34:56.123456+00, which every DateStyle and TimeZone reads alike.
void append_timestamp(std::string &text, std::int64_t microseconds_since_1970);

// Both throw std::invalid_argument for what they cannot read, and stop at the ends of Clock's range.
[[nodiscard]] Clock::time_point parse_epoch(std::string_view seconds);      // 1738326896.123456
[[nodiscard]] Clock::time_point parse_iso_timestamp(std::string_view text); // 2025-01-31T12:34:56.123456+00:00

} // namespace gravitas::telemetry
