#include "core/rollup_fold.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

using namespace gravitas::telemetry::core;
using namespace gravitas::telemetry::core::test;

namespace {

using Key = std::tuple<std::int64_t, std::string, std::optional<std::string>>;

std::optional<std::string_view> view_of(const std::optional<std::string> &text)
{
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

RollupFold::Group &group_of(RollupFold &fold, const Key &key)
{
    return fold.group(std::get<0>(key), std::get<1>(key), view_of(std::get<2>(key)));
}

Key key_of(const RollupFold::Group &group)
{
    return {group.bucket, std::string(group.event_type),
            group.component ? std::optional<std::string>(*group.component) : std::nullopt};
}

std::map<Key, Bytes> summaries_of(const RollupFold &fold)
{
    std::map<Key, Bytes> found;
    for (const RollupFold::Group *const group : fold)
        found[key_of(*group)] = encoded(group->summary);
    return found;
}

// Few enough of each part that the parts meet in every way.
Key random_key(Random &random)
{
    const std::size_t component = below(random, 9);
    return {static_cast<std::int64_t>(below(random, 5)) * 60'000'000 - 120'000'000, std::string(below(random, 3), 'e'),
            component == 8 ? std::nullopt : std::optional("c" + std::to_string(component))};
}

} // namespace

TEST(RollupFold, SumsUpAsAMapDoes)
{
    for (const std::size_t count : {1U, 7U, 8U, 9U, 200U, 5000U}) {
        Random random{count};
        Context memory;
        RollupFold fold{memory};
        std::map<Key, std::vector<Observation>> expected;
        for (std::size_t i = 0; i < count; ++i) {
            const auto [entry, is_new] = expected.try_emplace(random_key(random));
            const Observation event = random_observation(random);
            group_of(fold, entry->first).summary.add(event); // the map's strings live as long as the fold
            entry->second.push_back(event);
        }
        ASSERT_EQ(fold.size(), expected.size());
        const std::map<Key, Bytes> found = summaries_of(fold);
        ASSERT_EQ(found.size(), fold.size()) << "two groups of one key";
        for (const auto &[key, events] : expected)
            EXPECT_EQ(found.at(key), encoded(summary_of(events, memory)));
    }
}

TEST(RollupFold, KeepsItsGroupsWhereTheyAreWhileItGrows)
{
    Context memory;
    RollupFold fold{memory};
    const std::string type = "NOTE";
    std::vector<RollupFold::Group *> groups;
    for (std::int64_t bucket = 0; bucket < 3000; ++bucket) {
        groups.push_back(&fold.group(bucket, type, std::nullopt));
        ASSERT_EQ(fold.size(), groups.size());
    }
    for (std::int64_t bucket = 0; bucket < 3000; ++bucket)
        ASSERT_EQ(&fold.group(bucket, type, std::nullopt), groups[static_cast<std::size_t>(bucket)]);
    EXPECT_EQ(fold.size(), groups.size());
    EXPECT_TRUE(std::equal(fold.begin(), fold.end(), groups.begin())) << "in the order in which they came";
}

TEST(RollupFold, TellsNoComponentFromAnEmptyOne)
{
    Context memory;
    RollupFold fold{memory};
    RollupFold::Group &none = fold.group(0, "NOTE", std::nullopt);
    RollupFold::Group &empty = fold.group(0, "NOTE", "");
    EXPECT_NE(&none, &empty);
    EXPECT_EQ(&fold.group(0, "NOTE", std::nullopt), &none);
    EXPECT_EQ(&fold.group(0, "NOTE", ""), &empty);
    EXPECT_FALSE(none.component);
    EXPECT_EQ(empty.component, "");
    EXPECT_EQ(fold.size(), 2U);
}

TEST(RollupFold, TellsEachPartOfAKeyApart)
{
    Context memory;
    RollupFold fold{memory};
    const std::string nul("a\0b", 3);
    const std::vector<Key> keys = {{0, "a", "b"},        {0, "b", "a"},  {0, "ab", ""},   {0, "", "ab"},
                                   {0, "a", nul},        {60, "a", "b"}, {-60, "a", "b"}, {0, nul, "b"},
                                   {0, "a", "a"},        {0, "A", "b"},  {0, "a", "B"},   {0, "a", std::nullopt},
                                   {1LL << 62, "a", "b"}};
    std::set<const RollupFold::Group *> groups;
    for (const Key &key : keys)
        groups.insert(&group_of(fold, key));
    EXPECT_EQ(groups.size(), keys.size());
    for (const Key &key : keys)
        EXPECT_EQ(key_of(group_of(fold, key)), key);
    EXPECT_EQ(fold.size(), keys.size());
}

TEST(RollupFold, TakesStringsThatLiveLonger)
{
    Context memory;
    RollupFold fold{memory};
    std::vector<std::string> kept;
    kept.reserve(200);
    for (int i = 0; i < 100; ++i) {
        std::string type = "type " + std::to_string(i);
        std::string component = "component " + std::to_string(i);
        RollupFold::Group &group = fold.group(0, type, component);
        group.event_type = kept.emplace_back(type);
        group.component = kept.emplace_back(component);
        type.assign(type.size(), '?'); // what a reset of the caller's memory does
        component.assign(component.size(), '?');
    }
    for (int i = 0; i < 100; ++i)
        (void)fold.group(0, "type " + std::to_string(i), "component " + std::to_string(i));
    EXPECT_EQ(fold.size(), 100U);
}

TEST(RollupFold, EndsInBadAllocWhereverMemoryRunsOut)
{
    const auto fill = [](Context &memory) {
        RollupFold fold{memory};
        Random random{1};
        const std::string type = "THOUGHT_LATENCY";
        for (std::int64_t i = 0; i < 60; ++i)
            fold.group(i % 20, type, std::nullopt).summary.add(random_observation(random));
        return fold.size();
    };
    for (std::size_t allowed = 0;; ++allowed) {
        ASSERT_LT(allowed, 10'000U) << "it never succeeds";
        Context memory; // frees what was left, and aborts where something is freed twice
        memory.fail_after(allowed);
        try {
            EXPECT_EQ(fill(memory), 20U);
            EXPECT_GT(allowed, 20U);
            break;
        } catch (const std::bad_alloc &) {
        }
    }
}

TEST(RollupFold, StartsAgainEmpty)
{
    Context memory;
    RollupFold fold{memory};
    (void)fold.group(0, "NOTE", "c");
    fold = RollupFold(memory);
    EXPECT_EQ(fold.size(), 0U);
    EXPECT_EQ(fold.begin(), fold.end());
    EXPECT_EQ(fold.group(0, "NOTE", "c").summary.totals().counters.events, 0U);
    EXPECT_EQ(fold.size(), 1U);
}
