#pragma once

#include "connection.hpp"

#include <initializer_list>
#include <mutex>

namespace gravitas::telemetry {

// Asks the database, on a connection of its own that is made when it is first needed.
class Readers {
public:
    explicit Readers(const std::string &conninfo) : connection_(ConnectionParameters(conninfo)) {}

    std::vector<RecentEvent> recent_events(int limit, std::optional<std::string_view> component);
    std::vector<Efficiency> aggregated_efficiency(std::optional<std::string_view> component, int hours);
    SixtyDayStatistics sixty_day_statistics();
    std::vector<TableFootprint> telemetry_footprint();

private:
    using Parameter = std::optional<std::string>;
    Result ask(const char *query, std::initializer_list<Parameter> parameters = {});

    std::mutex mutex_;
    Connection connection_;
};

} // namespace gravitas::telemetry
