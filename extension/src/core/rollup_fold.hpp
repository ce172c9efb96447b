// Summing up the events of a statement or batch: one summary for each (minute, event type, component) that they touch.

#pragma once

#include "core/rollup_key.hpp"
#include "core/summary.hpp"

#include <optional>

namespace gravitas::telemetry::core {

// Not copyable and without a destructor: memory goes with its resource, as the strings that it is given must.
// After std::bad_alloc it is to be dropped.
class RollupFold {
public:
    struct Group {
        std::int64_t bucket; // start of the minute
        std::string_view event_type;
        std::optional<std::string_view> component;
        std::uint64_t hash;
        Summary summary;
    };

    explicit RollupFold(std::pmr::memory_resource &memory) noexcept : memory_(&memory) {}
    RollupFold(RollupFold &&) = default;
    RollupFold &operator=(RollupFold &&) = default;

    // The group of such events; made where there is none. Its strings are those of the caller, who may replace them by
    // equal ones that live longer while `size()` has just grown.
    Group &group(std::int64_t bucket, std::string_view event_type, std::optional<std::string_view> component);

    [[nodiscard]] std::size_t size() const noexcept { return groups_.size(); }
    [[nodiscard]] Group *const *begin() const noexcept { return groups_.begin(); }
    [[nodiscard]] Group *const *end() const noexcept { return groups_.end(); }

private:
    void grow();

    std::pmr::memory_resource *memory_;
    Array<Group *> groups_; // in the order in which they came
    Array<Group *> table_;  // open addressing, a power of two, at most half full
    Group *last_ = nullptr;
};

} // namespace gravitas::telemetry::core
