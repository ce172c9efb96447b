#include "core/buckets.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace gravitas::telemetry::core {
namespace {

using test::below;
using test::Bytes;
using test::Random;
using Counts = std::map<std::int32_t, std::uint64_t>;

Counts counts_of(const Buckets &buckets)
{
    Counts counts;
    std::int32_t previous = grid::lowest_index - 1;
    buckets.for_each([&](std::int32_t index, std::uint64_t count) {
        EXPECT_LT(previous, index);
        EXPECT_GT(count, 0u);
        previous = index;
        counts[index] = count;
    });
    return counts;
}

Buckets buckets_of(const Counts &counts, test::Context &memory)
{
    Buckets buckets;
    for (const auto &[index, count] : counts)
        buckets.add(index, count, memory);
    return buckets;
}

Bytes encoded(const Buckets &buckets)
{
    Writer measuring{{}};
    buckets.write(measuring);
    Bytes bytes(measuring.size());
    Writer writer{bytes};
    buckets.write(writer);
    EXPECT_EQ(writer.size(), bytes.size());
    return bytes;
}

// Some buckets around a centre, `spread` wide, one in fifty of them far away if asked for.
Counts random_counts(Random &random, std::size_t draws, std::size_t spread, std::uint64_t largest, bool outliers)
{
    Counts counts;
    for (std::size_t i = 0; i < draws; ++i) {
        std::int32_t index = static_cast<std::int32_t>(below(random, spread)) - 100;
        if (outliers && below(random, 50) == 0)
            index = grid::lowest_index + static_cast<std::int32_t>(below(random, 134'000));
        counts[index] += 1 + random() % largest;
    }
    return counts;
}

TEST(Buckets, CountLikeAMapInEveryForm)
{
    Random random{1};
    for (const std::size_t draws : {1, 3, 60, 70, 500, 5000})
        for (const std::size_t spread : {1, 40, 700, 100'000}) {
            test::Context memory;
            Buckets buckets;
            Counts expected;
            std::uint64_t total = 0;
            for (std::size_t i = 0; i < draws; ++i) {
                const auto index = static_cast<std::int32_t>(below(random, spread)) - 1000;
                const std::uint64_t count = 1 + below(random, 3);
                buckets.add(index, count, memory);
                expected[index] += count;
                total += count;
            }
            EXPECT_EQ(counts_of(buckets), expected);
            EXPECT_EQ(buckets.total(), total);
            EXPECT_EQ(buckets.range().lowest, expected.begin()->first);
            EXPECT_EQ(buckets.range().highest, expected.rbegin()->first);
            std::uint64_t reached = 0;
            for (const auto &[index, count] : expected) {
                EXPECT_EQ(buckets.at_rank(reached + 1), index);
                reached += count;
                EXPECT_EQ(buckets.at_rank(reached), index);
                EXPECT_EQ(buckets.count_through(index), reached);
                EXPECT_EQ(buckets.count_through(index - 1), reached - count);
            }
            buckets.release(memory);
            EXPECT_EQ(memory.used(), 0u);
            EXPECT_TRUE(buckets.empty());
        }
}

TEST(Buckets, BeginSmallAndStayBounded)
{
    test::Context memory;
    Buckets few;
    for (std::int32_t i = 0; i < 4; ++i)
        few.add(1000 * i, 1, memory);
    EXPECT_LE(memory.used(), 64u);

    test::Context sparse;
    Buckets spread; // each in an octave of its own, where pages would take 512 bytes for one count
    for (std::int32_t i = 0; i < 512; ++i)
        spread.add(grid::buckets_per_octave * i, 1, sparse);
    EXPECT_EQ(sparse.used(), 512 * 16u);

    test::Context full;
    Buckets all;
    for (std::int32_t index = grid::lowest_index; index <= grid::highest_index; ++index)
        all.add(index, 1, full);
    EXPECT_LE(full.used(), 1'100'000u);
    EXPECT_EQ(all.range().length(), static_cast<std::size_t>(grid::highest_index - grid::lowest_index) + 1);
}

TEST(Buckets, OutliersDoNotWidenPages)
{
    test::Context memory;
    Buckets buckets;
    for (std::int32_t i = 0; i < 400; ++i)
        buckets.add(i, 1, memory);
    const std::size_t before = memory.used();
    buckets.add(grid::lowest_index, 1, memory);
    buckets.add(grid::highest_index, 1, memory);
    EXPECT_LE(memory.used(), before + 20'000);
    EXPECT_EQ(buckets.at_rank(1), grid::lowest_index);
    EXPECT_EQ(buckets.at_rank(402), grid::highest_index);
}

TEST(Buckets, RoundTripAndMergeFromBytes)
{
    Random random{2};
    std::set<std::uint32_t> widths;
    for (int round = 0; round < 600; ++round) {
        test::Context memory;
        const std::uint64_t largest = std::uint64_t{1} << below(random, 53);
        const auto draw = [&] {
            const std::size_t spread = 1 + below(random, 2000) / (1 + below(random, 20));
            return random_counts(random, 1 + below(random, 800), spread, largest, below(random, 3) == 0);
        };
        Counts left = draw();
        const Counts right = draw();
        Buckets merged = buckets_of(left, memory);
        Buckets loaded;
        const Bytes bytes = encoded(buckets_of(right, memory));
        Reader reader{bytes};
        const EncodedBuckets view = Buckets::read(reader);
        reader.expect_end();
        widths.insert(view.width);
        loaded.merge(view, memory);
        EXPECT_EQ(counts_of(loaded), right);
        EXPECT_EQ(encoded(loaded), bytes);
        EXPECT_EQ(view.range.total, loaded.total());
        EXPECT_EQ(view.range.lowest, loaded.range().lowest);
        EXPECT_EQ(view.range.highest, loaded.range().highest);

        Buckets by_object = buckets_of(left, memory);
        by_object.merge(loaded, memory);
        merged.merge(view, memory);
        for (const auto &[index, count] : right)
            left[index] += count;
        EXPECT_EQ(counts_of(merged), left);
        EXPECT_EQ(encoded(merged), encoded(by_object));
        Buckets doubled = buckets_of(left, memory);
        doubled.merge(doubled, memory);
        EXPECT_EQ(counts_of(doubled).size(), left.size());
        for (const auto &[index, count] : counts_of(doubled))
            EXPECT_EQ(count, 2 * left[index]);
    }
    EXPECT_EQ(widths, (std::set<std::uint32_t>{0, 1, 2, 4, 8})); // every form was seen
}

TEST(Buckets, TheShorterOrQuickerFormIsWritten)
{
    test::Context memory;
    const Counts far{{0, 1}, {5000, 70'000}};
    EXPECT_EQ(encoded(buckets_of(far, memory)).size(), 1u + 1 + 1 + 2 + 3);
    for (const auto &[count, width] : Counts{{1, 1}, {255, 1}, {256, 2}, {65'536, 4}, {1 << 30, 4}}) {
        Buckets buckets;
        for (std::int32_t i = 0; i < 100; ++i)
            buckets.add(i, static_cast<std::uint64_t>(count), memory);
        EXPECT_EQ(encoded(buckets).size(), static_cast<std::size_t>(100 * width + 4)) << count;
    }
    Buckets spread; // dense would take three times as much
    for (std::int32_t i = 0; i < 100; ++i)
        spread.add(3 * i, 1, memory);
    EXPECT_EQ(encoded(spread).size(), 100u + 3);
}

TEST(Buckets, DamagedBytesAreRefusedBeforeAnythingIsMade)
{
    const auto reading = [](const Bytes &bytes) {
        return test::error_of([&] {
            Reader reader{bytes};
            (void)Buckets::read(reader);
        });
    };
    const auto with_varints = [](std::initializer_list<std::uint64_t> numbers) {
        Bytes bytes(200);
        Writer writer{bytes};
        for (const std::uint64_t number : numbers)
            writer.varint(number);
        bytes.resize(writer.size());
        return bytes;
    };
    EXPECT_EQ(reading(with_varints({2 * 70'000, 2, 0})), ErrorKind::corrupt);           // above the grid
    EXPECT_EQ(reading(with_varints({2 * 69'000 - 1, 2, 0})), ErrorKind::corrupt);       // below it
    EXPECT_EQ(reading(with_varints({0, 0})), ErrorKind::corrupt);                       // no bucket
    EXPECT_EQ(reading(with_varints({0, ~std::uint64_t{0}})), ErrorKind::corrupt);       // more than the grid has
    EXPECT_EQ(reading(with_varints({0, 4, 0, 2 * 70'000})), ErrorKind::corrupt);        // a gap beyond it
    EXPECT_EQ(reading(with_varints({0, 2, 1, largest_count - 1})), ErrorKind::corrupt); // a count of 2^63
    EXPECT_EQ(reading(with_varints({0, 4, 1, largest_count - 2, 0})), ErrorKind::corrupt);
    EXPECT_EQ(reading({0, 3, 3, 1, 1, 1}), ErrorKind::corrupt); // width 3
    EXPECT_EQ(reading({0, 3, 1, 0}), ErrorKind::corrupt);       // dense, of nothing
    EXPECT_EQ(reading({0, 5, 8, 255, 255, 255, 255, 255, 255, 255, 127, 1, 0, 0, 0, 0, 0, 0, 0}), ErrorKind::corrupt);
    EXPECT_EQ(reading(with_varints({0, 2 * 60'000 + 1, 8})), ErrorKind::truncated);
    EXPECT_EQ(reading(with_varints({0, 2 * 60'000})), ErrorKind::truncated);
}

TEST(Buckets, RunningOutOfMemoryIsReported)
{
    Random random{3};
    const Counts counts = random_counts(random, 300, 500, 5, true);
    for (std::size_t allowed = 0;; ++allowed) {
        test::Context memory;
        memory.fail_after(allowed);
        Buckets buckets;
        try {
            for (const auto &[index, count] : counts)
                buckets.add(index, count, memory);
        } catch (const std::bad_alloc &) {
            for (const auto &[index, count] : counts_of(buckets)) // what was counted stays right
                EXPECT_EQ(count, counts.at(index));
            buckets.release(memory);
            EXPECT_EQ(memory.used(), 0u);
            continue;
        }
        EXPECT_GT(allowed, 5u);
        break;
    }
}

} // namespace
} // namespace gravitas::telemetry::core
