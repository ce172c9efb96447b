#include "core/growth.hpp"

#include <algorithm>

namespace gravitas::telemetry::core {

namespace {

// After how many days a table stops growing.
double days_of_growth(const GrowingTable &table)
{
    return std::max(0.0, table.keep_days - table.size / table.growth_per_day);
}

} // namespace

std::optional<double> days_until(double limit, std::span<const GrowingTable> tables)
{
    double size = 0;
    for (const GrowingTable &table : tables)
        size += table.size;
    // From one end of growth to the next, all that grow grow evenly.
    for (double day = 0;;) {
        double growth = 0;
        double next_end = std::numeric_limits<double>::infinity();
        for (const GrowingTable &table : tables) {
            if (!(table.growth_per_day > 0) || days_of_growth(table) <= day)
                continue;
            growth += table.growth_per_day;
            next_end = std::min(next_end, days_of_growth(table));
        }
        if (size >= limit)
            return day;
        if (growth == 0)
            return std::nullopt;
        const double reached = day + (limit - size) / growth;
        if (reached <= next_end)
            return reached;
        size += growth * (next_end - day);
        day = next_end;
    }
}

} // namespace gravitas::telemetry::core
