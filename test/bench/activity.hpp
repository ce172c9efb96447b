// What maintenance shows of itself in pg_stat_activity, and for how long.

#pragma once

#include "database.hpp"
#include "measure.hpp"

#include <string>
#include <vector>

namespace bench {

struct Activity {
    std::string text; // what it is at: "dropping event_20250426"
    double milliseconds;
    double locked_milliseconds; // of these, with a lock on all events that nobody gets past
};

// Runs a statement that maintains, and looks at it once a millisecond.
std::vector<Activity> watch(const std::string &database, const std::string &statement);

// Of those whose text begins so.
Samples milliseconds_of(const std::vector<Activity> &activities, const std::string &beginning,
                        double Activity::*which = &Activity::milliseconds);
double total_milliseconds(const std::vector<Activity> &activities);

} // namespace bench
