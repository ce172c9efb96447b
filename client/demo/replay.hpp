// Replays recorded traces into the database, as if the last event of each were now.

#pragma once

#include <filesystem>
#include <vector>

namespace demo {

// Reads everything, then logs everything. Throws TraceError for a trace that is damaged, before anything is logged,
// and std::runtime_error where the database does not take the events.
void replay(const std::vector<std::filesystem::path> &paths);

} // namespace demo
