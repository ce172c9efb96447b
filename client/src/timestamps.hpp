#pragma once

#include <gravitas/telemetry.hpp>

#include <string_view>

namespace gravitas::telemetry {

// Both throw std::invalid_argument for what they cannot read, and stop at the ends of Clock's range.
[[nodiscard]] Clock::time_point parse_epoch(std::string_view seconds);      // 1738326896.123456
[[nodiscard]] Clock::time_point parse_iso_timestamp(std::string_view text); // 2025-01-31T12:34:56.123456+00:00

} // namespace gravitas::telemetry
