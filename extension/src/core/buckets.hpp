// The bucket counts of one sign of a sketch.

#pragma once

#include "core/array.hpp"
#include "core/bytes.hpp"
#include "core/grid.hpp"

#include <bit>
#include <cstdint>
#include <memory_resource>
#include <span>

namespace gravitas::telemetry::core {

// Every count of the core stays within it, so that it fits a bigint and additions can be checked first.
inline constexpr std::uint64_t largest_count = std::numeric_limits<std::int64_t>::max();

// What is counted, and between which buckets; these mean nothing where total is 0.
struct BucketRange {
    std::uint64_t total = 0;
    std::int32_t lowest = 0;
    std::int32_t highest = 0;

    // Buckets from the lowest to the highest.
    [[nodiscard]] std::size_t length() const noexcept
    {
        return total == 0 ? 0 : static_cast<std::size_t>(highest - lowest) + 1;
    }
};

// The encoded form of Buckets, checked but left where it is, so that it can be merged without a copy.
struct EncodedBuckets {
    BucketRange range;
    std::span<const std::uint8_t> payload;
    std::uint32_t size = 0;  // counts in the payload
    std::uint32_t width = 0; // bytes of each in the dense form; 0 is the sparse form
};

// Counts by bucket index. Begins as a small sorted array and turns into pages of one octave (64 buckets) each once
// that costs little more memory. At most 1.1 MB, with every bucket of the double range occupied.
// Counts are not checked for overflow here: the sketch bounds their total first.
class Buckets {
public:
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] bool empty() const noexcept { return total_ == 0; }
    [[nodiscard]] BucketRange range() const noexcept;

    // Adds `count` (> 0) to one bucket. On std::bad_alloc nothing has changed.
    void add(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory)
    {
        const std::size_t octave = static_cast<std::size_t>((index >> grid::scale) - first_octave_);
        if (octave < pages_.size() && pages_[octave] != nullptr) [[likely]]
            pages_[octave][index & page_mask] += count;
        else
            add_slowly(index, count, memory);
        total_ += count;
    }

    void merge(const Buckets &other, std::pmr::memory_resource &memory);
    void merge(const EncodedBuckets &other, std::pmr::memory_resource &memory);

    // The bucket that holds the rank-th smallest index, 1 ≤ rank ≤ total.
    [[nodiscard]] std::int32_t at_rank(std::uint64_t rank) const noexcept;
    // How many lie in buckets up to `index`, itself included.
    [[nodiscard]] std::uint64_t count_through(std::int32_t index) const noexcept;

    // Calls visit(index, count) for each occupied bucket, ascending, until it returns false.
    template <typename Visit>
    void visit_while(Visit visit) const;
    // The same, for all of them.
    template <typename Visit>
    void for_each(Visit visit) const
    {
        visit_while([&](std::int32_t index, std::uint64_t count) {
            visit(index, count);
            return true;
        });
    }

    // Appends the encoded form; not for empty buckets.
    void write(Writer &writer) const;
    // Reads and checks what `write` wrote: indexes, order, counts, their total. Keeps a view of the input.
    [[nodiscard]] static EncodedBuckets read(Reader &reader);
    // Goes past what `write` wrote, without a look at the counts.
    static void skip(Reader &reader);

    // Returns the memory; empty afterwards.
    void release(std::pmr::memory_resource &memory) noexcept;

private:
    struct Bucket {
        std::int32_t index;
        std::uint64_t count;
    };

    static constexpr std::int32_t page_mask = grid::buckets_per_octave - 1;
    static constexpr std::size_t page_bytes = grid::buckets_per_octave * sizeof(std::uint64_t);
    static constexpr std::size_t smallest_paged = 64; // occupied buckets, below which the array is never paged

    void add_slowly(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory);
    [[nodiscard]] Bucket *find_place(std::int32_t index) noexcept;
    void insert_sorted(std::int32_t index, std::uint64_t count, std::pmr::memory_resource &memory);
    void merge_dense(const EncodedBuckets &other, std::pmr::memory_resource &memory);
    [[nodiscard]] std::size_t paged_bytes() const noexcept;
    [[nodiscard]] bool pages_pay_off() const noexcept;
    void turn_into_pages(std::pmr::memory_resource &memory);
    // A bit for each bucket of the page that is. To find them one by one takes a branch each, which nobody can predict.
    [[nodiscard]] static std::uint64_t occupied(const std::uint64_t *page) noexcept
    {
        static_assert(grid::buckets_per_octave == 64);
        std::uint64_t bits = 0;
#pragma GCC unroll 64
        for (int i = 0; i < grid::buckets_per_octave; ++i)
            bits |= static_cast<std::uint64_t>(page[i] != 0) << i;
        return bits;
    }
    // The 64 counts of an octave, made when it has none yet.
    std::uint64_t *page_of(std::int32_t octave, std::pmr::memory_resource &memory);

    Array<Bucket> sorted_;         // ascending; empty once there are pages
    Array<std::uint64_t *> pages_; // of the octaves from first_octave_ on; null where nothing was counted
    std::int32_t first_octave_ = 0;
    std::uint64_t total_ = 0;
};

template <typename Visit>
void Buckets::visit_while(Visit visit) const
{
    for (std::size_t i = 0; i < sorted_.size(); ++i)
        if (!visit(sorted_[i].index, sorted_[i].count))
            return;
    for (std::size_t octave = 0; octave < pages_.size(); ++octave) {
        const std::uint64_t *page = pages_[octave];
        if (page == nullptr)
            continue;
        const std::int32_t first = (first_octave_ + static_cast<std::int32_t>(octave)) * grid::buckets_per_octave;
        for (std::uint64_t left = occupied(page); left != 0; left &= left - 1) {
            const int i = std::countr_zero(left);
            if (!visit(first + i, page[i]))
                return;
        }
    }
}

} // namespace gravitas::telemetry::core
