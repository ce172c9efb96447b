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
        range.highest = listed_[listed_.size() - 1].index;
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
        list(index, count, memory);
}

void Buckets::list(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory)
{
    if (listed_.size() == listed_.capacity()) [[unlikely]] {
        make_room(memory);
        if (!pages_.empty()) {
            page_of(index >> grid::scale, memory)[index & page_mask] += count;
            return;
        }
    }
    ordered_ = ordered_ && (listed_.empty() || listed_[listed_.size() - 1].index < index);
    listed_.push_back({index, count}, memory);
}

void Buckets::order() const noexcept
{
    if (ordered_)
        return;
    std::sort(listed_.begin(), listed_.end(), [](const Bucket &a, const Bucket &b) { return a.index < b.index; });
    Bucket *last = listed_.begin();
    for (const Bucket *next = last + 1; next != listed_.end(); ++next)
        if (next->index == last->index)
            last->count += next->count;
        else
            *++last = *next;
    listed_.shorten(static_cast<std::size_t>(last - listed_.begin()) + 1);
    ordered_ = true;
}

// A quarter of the list's places at least, so that putting it in order costs little for each addition.
void Buckets::make_room(std::pmr::memory_resource &memory)
{
    if (listed_.capacity() >= smallest_paged) {
        order();
        if (4 * listed_.size() < 3 * listed_.capacity())
            return;
        if (pages_pay_off())
            return turn_into_pages(memory);
    }
    listed_.reserve(std::max<std::size_t>(4, 2 * listed_.capacity()), memory);
}

// What pages for the ordered list would take, directory included.
std::size_t Buckets::paged_bytes() const noexcept
{
    const std::int32_t first = listed_[0].index >> grid::scale;
    std::int32_t octave = first;
    std::size_t octaves = 1;
    for (const Bucket &bucket : listed_)
        if (bucket.index >> grid::scale != octave) {
            octave = bucket.index >> grid::scale;
            ++octaves;
        }
    return octaves * page_bytes + static_cast<std::size_t>(octave - first + 1) * sizeof(std::uint64_t *);
}

bool Buckets::pages_pay_off() const noexcept
{
    return listed_.size() >= smallest_paged && paged_bytes() <= 4 * listed_.size() * sizeof(Bucket);
}

void Buckets::turn_into_pages(std::pmr::memory_resource &memory)
{
    Buckets paged;
    try {
        for (const Bucket &bucket : listed_)
            paged.page_of(bucket.index >> grid::scale, memory)[bucket.index & page_mask] += bucket.count;
    } catch (...) {
        paged.release(memory);
        throw;
    }
    listed_.release(memory);
    ordered_ = true;
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
    if (&other == this && pages_.empty()) {
        for (Bucket &bucket : listed_)
            bucket.count *= 2;
        total_ *= 2;
        return;
    }
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
    listed_.release(memory);
    *this = Buckets{};
}

} // namespace gravitas::telemetry::core
