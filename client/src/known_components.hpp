#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace gravitas::telemetry {

// The names of components that have handles; they stay where they are as long as the client.
class KnownComponents {
public:
    const std::string *find_or_add(std::string_view name)
    {
        const std::lock_guard lock(mutex_);
        return &*names_.emplace(name).first;
    }

private:
    std::mutex mutex_;
    std::unordered_set<std::string> names_; // of nodes: growing moves none
};

} // namespace gravitas::telemetry
