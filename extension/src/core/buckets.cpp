#include "core/buckets.hpp"

#include <algorithm>
#include <cstring>

namespace gravitas::telemetry::core {

BucketRange Buckets::range() const noexcept
{
    BucketRange range{total_, 0, 0};
    if (empty())
        return range;
    range.lowest = at_rank(1);
    if (pages_.empty()) {
        range.highest = sorted_[sorted_.size() - 1].index;
        return range;
    }
    // The first and the last page hold at least one count.
    const std::uint64_t *page = pages_[pages_.size() - 1];
    std::int32_t within = grid::buckets_per_octave - 1;
    while (within > 0 && page[within] == 0)
        --within;
    range.highest = (first_octave_ + static_cast<std::int32_t>(pages_.size()) - 1) * grid::buckets_per_octave + within;
    return range;
}

std::int32_t Buckets::at_rank(std::uint64_t rank) const noexcept
{
    std::int32_t found = 0;
    std::uint64_t cumulative = 0;
    visit_while([&](std::int32_t index, std::uint64_t count) {
        found = index;
        cumulative += count;
        return cumulative < rank;
    });
    return found;
}

std::uint64_t Buckets::count_through(std::int32_t index) const noexcept
{
    std::uint64_t cumulative = 0;
    visit_while([&](std::int32_t bucket, std::uint64_t count) {
        if (bucket > index)
            return false;
        cumulative += count;
        return true;
    });
    return cumulative;
}

void Buckets::add_slowly(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory)
{
    if (!pages_.empty())
        page_of(index >> grid::scale, memory)[index & page_mask] += count;
    else
        insert_sorted(index, count, memory);
}

// As std::lower_bound, but without a branch that nobody can predict.
Buckets::Bucket *Buckets::find_place(std::int32_t index) noexcept
{
    Bucket *place = sorted_.begin();
    for (std::size_t left = sorted_.size(); left > 0;) {
        const std::size_t half = (left + 1) / 2;
        place += static_cast<std::size_t>(place[half - 1].index < index) * half;
        left -= half;
    }
    return place;
}

void Buckets::insert_sorted(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory)
{
    Bucket *place = find_place(index);
    if (place != sorted_.end() && place->index == index) {
        place->count += count;
        return;
    }
    if (sorted_.size() < sorted_.capacity()) {
        sorted_.insert(static_cast<std::size_t>(place - sorted_.begin()), {index, count}, memory);
    } else if (pages_pay_off()) {
        turn_into_pages(memory);
        page_of(index >> grid::scale, memory)[index & page_mask] += count;
    } else {
        const std::size_t at = static_cast<std::size_t>(place - sorted_.begin());
        sorted_.reserve(std::max<std::size_t>(4, 2 * sorted_.size()), memory);
        sorted_.insert(at, {index, count}, memory);
    }
}

// What pages for the sorted array would take, directory included.
std::size_t Buckets::paged_bytes() const noexcept
{
    const std::int32_t first = sorted_[0].index >> grid::scale;
    std::int32_t octave = first;
    std::size_t octaves = 1;
    for (const Bucket &bucket : sorted_)
        if (bucket.index >> grid::scale != octave) {
            octave = bucket.index >> grid::scale;
            ++octaves;
        }
    return octaves * page_bytes + static_cast<std::size_t>(octave - first + 1) * sizeof(std::uint64_t *);
}

bool Buckets::pages_pay_off() const noexcept
{
    return sorted_.size() >= smallest_paged && paged_bytes() <= 4 * sorted_.size() * sizeof(Bucket);
}

void Buckets::turn_into_pages(std::pmr::memory_resource &memory)
{
    Buckets paged;
    try {
        for (const Bucket &bucket : sorted_)
            paged.page_of(bucket.index >> grid::scale, memory)[bucket.index & page_mask] = bucket.count;
    } catch (...) {
        paged.release(memory);
        throw;
    }
    sorted_.release(memory);
    pages_ = std::move(paged.pages_);
    first_octave_ = paged.first_octave_;
}

std::uint64_t *Buckets::page_of(std::int32_t octave, std::pmr::memory_resource &memory)
{
    std::int32_t first = first_octave_;
    std::int32_t end = first + static_cast<std::int32_t>(pages_.size());
    const bool known = octave >= first && octave < end && !pages_.empty();
    if (known && pages_[static_cast<std::size_t>(octave - first)] != nullptr)
        return pages_[static_cast<std::size_t>(octave - first)];

    auto *page = static_cast<std::uint64_t *>(memory.allocate(page_bytes, alignof(std::uint64_t)));
    std::memset(page, 0, page_bytes);
    if (!known) {
        if (pages_.empty())
            first = end = octave;
        const std::int32_t new_first = std::min(first, octave);
        const std::size_t length = static_cast<std::size_t>(std::max(end, octave + 1) - new_first);
        Array<std::uint64_t *> widened;
        try {
            widened.reserve(length, memory);
        } catch (...) {
            memory.deallocate(page, page_bytes, alignof(std::uint64_t));
            throw;
        }
        for (std::size_t i = 0; i < length; ++i)
            widened.push_back(nullptr, memory);
        std::copy(pages_.begin(), pages_.end(), widened.begin() + (first - new_first));
        pages_.release(memory);
        pages_ = std::move(widened);
        first_octave_ = new_first;
    }
    return pages_[static_cast<std::size_t>(octave - first_octave_)] = page;
}

void Buckets::merge(const Buckets &other, std::pmr::memory_resource &memory)
{
    if (pages_.empty() || other.pages_.empty()) {
        other.for_each([&](std::int32_t index, std::uint64_t count) { add(index, count, memory); });
        return;
    }
    for (std::size_t octave = 0; octave < other.pages_.size(); ++octave) {
        if (other.pages_[octave] == nullptr)
            continue;
        std::uint64_t *page = page_of(other.first_octave_ + static_cast<std::int32_t>(octave), memory);
        for (std::int32_t i = 0; i < grid::buckets_per_octave; ++i)
            page[i] += other.pages_[octave][i];
    }
    total_ += other.total_;
}

void Buckets::release(std::pmr::memory_resource &memory) noexcept
{
    for (std::uint64_t *page : pages_)
        if (page != nullptr)
            memory.deallocate(page, page_bytes, alignof(std::uint64_t));
    pages_.release(memory);
    sorted_.release(memory);
    *this = Buckets{};
}

} // namespace gravitas::telemetry::core
