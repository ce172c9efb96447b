#include "core/rollup_fold.hpp"

namespace gravitas::telemetry::core {

namespace {

bool is_of(const RollupFold::Group &group, std::int64_t bucket, std::string_view event_type,
           const std::optional<std::string_view> &component) noexcept
{
    return group.bucket == bucket && group.event_type == event_type && group.component == component;
}

std::uint64_t hash_of(std::int64_t bucket, std::string_view event_type,
                      const std::optional<std::string_view> &component) noexcept
{
    const std::uint64_t strings = fnv1a(event_type) * 31 + (component ? fnv1a(*component) : 0);
    std::uint64_t hash = (strings ^ static_cast<std::uint64_t>(bucket)) * 0x9e3779b97f4a7c15; // 2^64 / golden ratio
    return hash ^ hash >> 32;
}

} // namespace

RollupFold::Group &RollupFold::group(std::int64_t bucket, std::string_view event_type,
                                     std::optional<std::string_view> component)
{
    if (last_ != nullptr && is_of(*last_, bucket, event_type, component))
        return *last_;
    if (2 * (groups_.size() + 1) > table_.size())
        grow();
    const std::uint64_t hash = hash_of(bucket, event_type, component);
    const std::size_t mask = table_.size() - 1;
    std::size_t place = hash & mask;
    for (; table_[place] != nullptr; place = (place + 1) & mask)
        if (table_[place]->hash == hash && is_of(*table_[place], bucket, event_type, component))
            return *(last_ = table_[place]);
    Group *const made = new (memory_->allocate(sizeof(Group), alignof(Group)))
        Group{bucket, event_type, component, hash, Summary(*memory_)};
    groups_.push_back(made, *memory_);
    return *(last_ = table_[place] = made);
}

void RollupFold::grow()
{
    const std::size_t size = table_.size() == 0 ? 16 : 2 * table_.size();
    table_.release(*memory_);
    table_.reserve(size, *memory_);
    for (std::size_t i = 0; i < size; ++i)
        table_.push_back(nullptr, *memory_);
    for (Group *const group : groups_) {
        std::size_t place = group->hash & (size - 1);
        while (table_[place] != nullptr)
            place = (place + 1) & (size - 1);
        table_[place] = group;
    }
}

} // namespace gravitas::telemetry::core
