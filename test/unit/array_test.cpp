#include "core/array.hpp"
#include "core/ascending.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gravitas::telemetry::core {
namespace {

static_assert(std::is_trivially_destructible_v<Array<int>> && !std::is_copy_constructible_v<Array<int>>);

TEST(Array, InsertsWhereAsked)
{
    test::Context memory;
    test::Random random{1};
    Array<int> array;
    std::vector<int> expected;
    for (int i = 0; i < 500; ++i) {
        const std::size_t at = test::below(random, expected.size() + 1);
        array.insert(at, i, memory);
        expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), i);
    }
    EXPECT_TRUE(std::equal(array.begin(), array.end(), expected.begin(), expected.end()));
    EXPECT_EQ(memory.blocks(), 1u);
    array.release(memory);
    EXPECT_EQ(memory.used(), 0u);
}

TEST(Array, AppendsRuns)
{
    test::Context memory;
    Array<char> array;
    array.append("abc", 3, memory);
    array.append("", 0, memory);
    array.append("defghijk", 8, memory);
    EXPECT_EQ(std::string_view(array.data(), array.size()), "abcdefghijk");
}

TEST(Array, FailedGrowthChangesNothing)
{
    test::Context memory;
    Array<int> array;
    array.push_back(7, memory);
    memory.fail_after(0);
    EXPECT_THROW(array.push_back(8, memory), std::bad_alloc);
    EXPECT_THROW(array.reserve(static_cast<std::size_t>(-1), memory), std::bad_alloc);
    ASSERT_EQ(array.size(), 1u);
    EXPECT_EQ(array[0], 7);
}

TEST(Ascending, Sorts)
{
    Ascending<int, 6> list;
    for (const int x : {3, 1, 2, 3, 0, 9})
        list.insert(x);
    EXPECT_EQ(std::vector<int>(list.begin(), list.end()), (std::vector<int>{0, 1, 2, 3, 3, 9}));
}

} // namespace
} // namespace gravitas::telemetry::core
