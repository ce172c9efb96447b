// When will it be full? Tables grow by so much a day until retention removes as much as comes.

#pragma once

#include <limits>
#include <optional>
#include <span>

namespace gravitas::telemetry::core {

struct GrowingTable {
    double size;           // bytes
    double growth_per_day; // bytes; none where negative
    double keep_days = std::numeric_limits<double>::infinity();
};

// After how many days the tables together reach `limit` bytes: 0 where they have, nothing where they never do. A table
// grows until it holds what comes in `keep_days`.
[[nodiscard]] std::optional<double> days_until(double limit, std::span<const GrowingTable> tables);

} // namespace gravitas::telemetry::core
