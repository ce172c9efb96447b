// What the writers know to be stored, by component: between two bounds, since an answer may be under way or lost.

#pragma once

#include <atomic>
#include <limits>
#include <map>
#include <mutex>
#include <string>

namespace gravitas::telemetry::torture {

struct Entry {
    std::atomic<long> least{0};
    std::atomic<long> most{0};
};

class Ledger {
public:
    struct Bounds {
        long least;
        long most;
    };

    // Of a component of events, or "usage NAME" and "history NAME" of the other tables; stays where it is.
    Entry &entry(const std::string &name)
    {
        const std::lock_guard lock(mutex_);
        return entries_[name];
    }
    [[nodiscard]] std::map<std::string, Bounds> bounds() const
    {
        const std::lock_guard lock(mutex_);
        std::map<std::string, Bounds> bounds;
        for (const auto &[name, entry] : entries_)
            bounds[name] = {entry.least, entry.most};
        return bounds;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

inline constexpr long no_bound = std::numeric_limits<long>::max();

} // namespace gravitas::telemetry::torture
