// The encoded form of bucket counts.
//
//     signed varint  index of the lowest occupied bucket
//     varint         2 * size + form
//     form 0, sparse: size = occupied buckets, ascending; each a varint 2 * gap + more, gap = index - previous
//                     index - 1 (0 for the first); more = 0: count 1; more = 1: a varint, count - 2, follows
//     form 1, dense:  size = highest - lowest + 1; a byte, the width 1, 2, 4 or 8; size counts of that width
//
// The shorter form is written, the dense one where both are equally long. Of many buckets the dense form may take up to
// twice the bytes: it merges several times faster, and reads merge hundreds. Its width is the least that holds the
// largest count.

#include "core/buckets.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gravitas::telemetry::core {

namespace {

// What decides between the two forms.
struct Shape {
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    std::uint64_t occupied = 0;
    std::uint64_t entry_bytes = 0; // of the sparse form
    unsigned width = 1;            // of the dense form

    [[nodiscard]] std::uint64_t span() const { return static_cast<std::uint64_t>(highest - lowest) + 1; }
    // Bytes from the size on.
    [[nodiscard]] std::uint64_t sparse_bytes() const { return varint_size(2 * occupied) + entry_bytes; }
    [[nodiscard]] std::uint64_t dense_bytes() const { return varint_size(2 * span() + 1) + 1 + span() * width; }
    [[nodiscard]] bool is_dense() const { return dense_bytes() <= (occupied > 64 ? 2 : 1) * sparse_bytes(); }
};

std::uint64_t gap_token(std::uint64_t gap, std::uint64_t count) { return 2 * gap + (count > 1 ? 1 : 0); }

Shape shape_of(const Buckets &buckets)
{
    Shape shape;
    std::uint64_t any_bits = 0;
    std::int32_t next = 0;
    buckets.for_each([&](std::int32_t index, std::uint64_t count) {
        if (shape.occupied++ == 0)
            shape.lowest = next = index;
        const std::uint64_t token = gap_token(static_cast<std::uint64_t>(index - next), count);
        shape.entry_bytes += varint_size(token) + (count > 1 ? varint_size(count - 2) : 0);
        any_bits |= count;
        next = index + 1;
    });
    shape.highest = next - 1;
    shape.width = std::bit_ceil((static_cast<unsigned>(std::bit_width(any_bits)) + 7) / 8);
    return shape;
}

template <typename Count>
Count load(const std::uint8_t *bytes) noexcept
{
    Count value = 0;
    if constexpr (std::endian::native == std::endian::little)
        std::memcpy(&value, bytes, sizeof value);
    else
        for (std::size_t i = 0; i < sizeof value; ++i)
            value = static_cast<Count>(value | static_cast<Count>(bytes[i]) << (8 * i));
    return value;
}

// Calls action(Count{}) with the unsigned type of `width` bytes.
template <typename Action>
auto with_width(std::uint32_t width, Action action)
{
    switch (width) {
    case 1:
        return action(std::uint8_t{});
    case 2:
        return action(std::uint16_t{});
    case 4:
        return action(std::uint32_t{});
    default:
        return action(std::uint64_t{});
    }
}

template <typename Count>
std::uint64_t dense_total(const Reader &reader, std::span<const std::uint8_t> payload)
{
    std::uint64_t total = 0;
    for (std::size_t at = 0; at < payload.size(); at += sizeof(Count)) {
        const std::uint64_t count = load<Count>(payload.data() + at);
        if constexpr (sizeof(Count) == 8) // narrower ones cannot add up to so much
            reader.check(count <= largest_count - total, "counts add up to more than 2^63 - 1");
        total += count;
    }
    reader.check(load<Count>(payload.data()) != 0 && load<Count>(payload.data() + payload.size() - sizeof(Count)) != 0,
                 "dense counts begin or end with 0");
    return total;
}

struct SparseEntry {
    std::uint64_t gap;
    std::uint64_t count;
};

SparseEntry read_entry(Reader &reader)
{
    const std::uint64_t token = reader.varint();
    if ((token & 1) == 0)
        return {token >> 1, 1};
    const std::uint64_t beyond_two = reader.varint();
    reader.check(beyond_two <= largest_count - 2, "count above 2^63 - 1");
    return {token >> 1, beyond_two + 2};
}

} // namespace

void Buckets::write(Writer &writer) const
{
    const Shape shape = shape_of(*this);
    writer.signed_varint(shape.lowest);
    if (shape.is_dense()) {
        writer.varint(2 * shape.span() + 1);
        writer.byte(static_cast<std::uint8_t>(shape.width));
        std::int32_t next = shape.lowest;
        for_each([&](std::int32_t index, std::uint64_t count) {
            for (; next < index; ++next)
                writer.fixed(0, shape.width);
            writer.fixed(count, shape.width);
            ++next;
        });
        return;
    }
    writer.varint(2 * shape.occupied);
    std::int32_t next = shape.lowest;
    for_each([&](std::int32_t index, std::uint64_t count) {
        writer.varint(gap_token(static_cast<std::uint64_t>(index - next), count));
        if (count > 1)
            writer.varint(count - 2);
        next = index + 1;
    });
}

EncodedBuckets Buckets::read(Reader &reader)
{
    EncodedBuckets buckets;
    const std::int64_t lowest = reader.signed_varint();
    reader.check(lowest >= grid::lowest_index && lowest <= grid::highest_index, "bucket outside the grid");
    const std::uint64_t places = static_cast<std::uint64_t>(grid::highest_index - lowest) + 1;
    const std::uint64_t header = reader.varint();
    const std::uint64_t size = header >> 1;
    reader.check(size > 0 && size <= places, "number of buckets outside the grid");
    buckets.range.lowest = static_cast<std::int32_t>(lowest);
    buckets.size = static_cast<std::uint32_t>(size);

    if ((header & 1) != 0) {
        buckets.width = reader.byte();
        reader.check(buckets.width <= 8 && std::has_single_bit(buckets.width), "width of counts is not 1, 2, 4 or 8");
        buckets.payload = reader.bytes(size * buckets.width);
        buckets.range.total = with_width(
            buckets.width, [&](auto count) { return dense_total<decltype(count)>(reader, buckets.payload); });
        buckets.range.highest = buckets.range.lowest + static_cast<std::int32_t>(size) - 1;
        return buckets;
    }

    Reader entries = reader;
    const std::size_t start = reader.position();
    std::uint64_t next = 0; // place of the next possible bucket, from the lowest
    for (std::uint64_t i = 0; i < size; ++i) {
        const SparseEntry entry = read_entry(reader);
        reader.check(i > 0 || entry.gap == 0, "first bucket with a gap");
        reader.check(next < places && entry.gap < places - next, "bucket outside the grid");
        reader.check(entry.count <= largest_count - buckets.range.total, "counts add up to more than 2^63 - 1");
        next += entry.gap + 1;
        buckets.range.total += entry.count;
    }
    buckets.range.highest = buckets.range.lowest + static_cast<std::int32_t>(next) - 1;
    buckets.payload = entries.bytes(reader.position() - start);
    return buckets;
}

void Buckets::skip(Reader &reader)
{
    (void)reader.signed_varint();
    const std::uint64_t header = reader.varint();
    const std::uint64_t size = header >> 1;
    reader.check(size <= reader.remaining(), "more buckets than bytes");
    if ((header & 1) != 0) {
        const std::uint8_t width = reader.byte();
        (void)reader.bytes(static_cast<std::size_t>(size) * width);
        return;
    }
    for (std::uint64_t i = 0; i < size; ++i)
        (void)read_entry(reader);
}

// A dense run lies page by page: add it in stretches that stay within one.
void Buckets::merge_dense(const EncodedBuckets &other, std::pmr::memory_resource &memory)
{
    with_width(other.width, [&](auto type) {
        using Count = decltype(type);
        const std::uint8_t *next = other.payload.data();
        for (std::int32_t index = other.range.lowest; index <= other.range.highest;) {
            const std::int32_t within = index & page_mask;
            const std::int32_t stretch = std::min(grid::buckets_per_octave - within, other.range.highest - index + 1);
            std::uint64_t *counts = page_of(index >> grid::scale, memory) + within;
            for (std::int32_t i = 0; i < stretch; ++i)
                counts[i] += load<Count>(next + static_cast<std::size_t>(i) * sizeof(Count));
            next += static_cast<std::size_t>(stretch) * sizeof(Count);
            index += stretch;
        }
    });
    total_ += other.range.total;
}

void Buckets::merge(const EncodedBuckets &other, std::pmr::memory_resource &memory)
{
    if (other.range.total == 0)
        return;
    if (other.width != 0) {
        const bool long_run = other.size >= smallest_paged;
        if (pages_.empty() && long_run && !sorted_.empty())
            turn_into_pages(memory);
        if (!pages_.empty() || long_run)
            return merge_dense(other, memory);
        with_width(other.width, [&](auto type) {
            using Count = decltype(type);
            for (std::uint32_t i = 0; i < other.size; ++i)
                if (const std::uint64_t count = load<Count>(other.payload.data() + i * sizeof(Count)); count != 0)
                    add(other.range.lowest + static_cast<std::int32_t>(i), count, memory);
        });
        return;
    }
    // Into empty buckets the entries are appended as they come: memory stays a multiple of the input's length.
    Reader reader{other.payload};
    std::int32_t next = other.range.lowest;
    if (empty())
        sorted_.reserve(std::max<std::size_t>(4, other.size), memory);
    while (reader.remaining() > 0) {
        const SparseEntry entry = read_entry(reader);
        next += static_cast<std::int32_t>(entry.gap);
        add(next++, entry.count, memory);
    }
}

} // namespace gravitas::telemetry::core
