// Tables that store what telemetry.event stores and do nothing else.

#pragma once

#include "database.hpp"

namespace bench {

// public.NAME, with the columns of telemetry.event, and ids from a sequence that is cached as its one is.
void make_bare_table(Connection &connection, const std::string &name);
// The index that every partition of telemetry.event has.
void add_timestamp_index(Connection &connection, const std::string &name);

} // namespace bench
