// What has to be in the database before the first event comes.

#pragma once

#include <chrono>

namespace demo {

// Creates the extension where it is missing, and the day partitions from `oldest_event` (at least two days ago, at
// most the 60 that are kept) to the day after tomorrow. Connects as the PG* environment says; throws
// std::runtime_error.
void prepare_database(std::chrono::system_clock::time_point oldest_event);

} // namespace demo
