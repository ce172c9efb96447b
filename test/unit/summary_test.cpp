#include "core/summary.hpp"

#include "oracle.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gravitas::telemetry::core {
namespace {

using test::below;
using test::Bytes;
using test::encoded;
using test::error_of;
using test::Oracle;
using test::Random;
using test::random_observations;
using test::summary_of;
using test::thought;

static_assert(std::is_trivially_destructible_v<Summary> && std::is_trivially_copyable_v<Summary>);
static_assert(std::is_trivially_destructible_v<Totals> && alignof(Totals) <= 8);

constexpr Metric all_metrics[] = {Metric::value, Metric::duration_ms, Metric::first_token_ms};

// Everything of a summary that must be equal to the byte in any order: all but sums of doubles.
Bytes exact_parts(const Summary &summary)
{
    Bytes bytes(20'000);
    Writer writer{bytes};
    const Counters &counters = summary.totals().counters;
    for (const std::uint64_t count : {counters.events, counters.errors, counters.unscored, counters.tokens_generated,
                                      counters.prompt_tokens, counters.weighted.tokens, counters.decode.tokens,
                                      counters.regression.calls, counters.regression.p, counters.regression.g})
        writer.varint(count);
    for (const WideCount &count : {counters.regression.pp, counters.regression.pg, counters.regression.gg}) {
        writer.varint(count.low);
        writer.varint(count.high);
    }
    writer.signed_varint(counters.first_at);
    writer.signed_varint(counters.last_at);
    for (const Metric metric : all_metrics)
        summary.totals()[metric].sketch.write(writer);
    bytes.resize(writer.size());
    return bytes;
}

void expect_near(double actual, double expected, double scale)
{
    EXPECT_LE(std::abs(actual - expected), 1e-13 * scale) << actual << " against " << expected;
}

// The sums, which may differ in their last bits.
void expect_sums_near(const Summary &a, const Summary &b)
{
    const Counters &left = a.totals().counters;
    const Counters &right = b.totals().counters;
    const auto same = [](const Sum &x, const Sum &y) { expect_near(*x.value(), *y.value(), std::abs(*y.value())); };
    same(left.weighted.duration_ms, right.weighted.duration_ms);
    same(left.decode.duration_ms, right.decode.duration_ms);
    same(left.regression.d, right.regression.d);
    same(left.regression.pd, right.regression.pd);
    same(left.regression.gd, right.regression.gd);
    same(left.regression.dd, right.regression.dd);
    for (const Metric metric : all_metrics) {
        const Moments &x = a.totals()[metric].moments;
        const Moments &y = b.totals()[metric].moments;
        expect_near(*x.sum.value(), *y.sum.value(), std::abs(*y.sum.value()));
        expect_near(x.squares, y.squares, 100 * y.squares);
    }
}

// Cuts the events into parts in random order and merges these in a random tree, by object and by bytes.
Summary merged_at_random(std::vector<Observation> events, Random &random, test::Context &memory)
{
    std::shuffle(events.begin(), events.end(), random);
    std::vector<Summary> parts;
    const std::size_t longest = 1 + below(random, 2) * events.size() + below(random, 12);
    for (auto next = events.begin(); next != events.end();) {
        const std::size_t left = static_cast<std::size_t>(events.end() - next);
        const auto size = static_cast<std::ptrdiff_t>(1 + below(random, std::min(left, longest)));
        parts.push_back(summary_of({next, next + size}, memory));
        next += size;
    }
    while (parts.size() > 1) {
        const std::size_t into = below(random, parts.size() - 1);
        if (below(random, 2) == 0)
            parts[into].merge(parts.back());
        else
            parts[into].merge_encoded(encoded(parts.back()));
        parts.pop_back();
    }
    return std::move(parts[0]);
}

TEST(Summary, EqualsBruteForce)
{
    Random random{1};
    for (const std::size_t count : {1, 2, 8, 9, 60, 2000}) {
        test::Context memory;
        const std::vector<Observation> events = random_observations(random, count);
        const Oracle oracle{events};
        const Summary summary = merged_at_random(events, random, memory);
        const Counters &counters = summary.totals().counters;
        const auto [first, last] = std::minmax_element(
            events.begin(), events.end(), [](const Observation &a, const Observation &b) { return a.at < b.at; });
        EXPECT_EQ(counters.events, count);
        EXPECT_EQ(counters.errors, oracle.errors());
        EXPECT_EQ(counters.unscored, oracle.unscored);
        EXPECT_EQ(counters.first_at, first->at);
        EXPECT_EQ(counters.last_at, last->at);
        EXPECT_EQ(counters.tokens_generated, oracle.tokens_generated);
        EXPECT_EQ(counters.prompt_tokens, oracle.prompt_tokens);
        EXPECT_EQ(counters.weighted.tokens, oracle.weighted.denominator);
        EXPECT_EQ(counters.decode.tokens, oracle.decode.denominator);
        const auto near = [](const Sum &sum, long double expected) {
            expect_near(*sum.value(), static_cast<double>(expected), static_cast<double>(expected));
        };
        near(counters.weighted.duration_ms, oracle.weighted.numerator);
        near(counters.decode.duration_ms, oracle.decode.numerator);
        for (const Metric metric : all_metrics) {
            const Measure &measure = summary.totals()[metric];
            ASSERT_EQ(measure.sketch.count(), oracle.values(metric).size());
            if (oracle.values(metric).empty())
                continue;
            EXPECT_EQ(measure.sketch.extent().minimum, oracle.values(metric).front());
            EXPECT_EQ(measure.sketch.extent().maximum, oracle.values(metric).back());
            const auto sum = static_cast<double>(oracle.sum(metric));
            expect_near(*measure.moments.sum.value(), sum, oracle.magnitudes(metric));
        }
    }
}

TEST(Summary, OrderAndTreeDoNotShow)
{
    Random random{2};
    for (int round = 0; round < 150; ++round) {
        test::Context memory;
        const auto events = random_observations(random, 1 + below(random, round % 3 == 0 ? 12 : 400));
        const Summary expected = summary_of(events, memory);
        const Summary merged = merged_at_random(events, random, memory);
        EXPECT_EQ(exact_parts(merged), exact_parts(expected));
        expect_sums_near(merged, expected);
        EXPECT_EQ(merged.is_listed(), events.size() <= most_listed);
        EXPECT_TRUE(!merged.is_listed() || encoded(merged) == encoded(expected));
    }
}

TEST(Summary, WholeFiguresMergeToTheSameBytes)
{
    Random random{3};
    for (int round = 0; round < 50; ++round) {
        test::Context memory;
        std::vector<Observation> events;
        for (std::size_t i = 0; i < 20 + below(random, 200); ++i) {
            events.push_back(thought(600, 1 << below(random, 4), static_cast<std::int64_t>(i)));
            events.back().value = 600; // no variance: the sums of squares are exact, too
            events.back().first_token_ms = 128;
            events.back().prompt_tokens = static_cast<std::int32_t>(below(random, 1000));
        }
        EXPECT_EQ(encoded(merged_at_random(events, random, memory)), encoded(summary_of(events, memory)));
    }
}

TEST(Summary, MergeLawsHold)
{
    Random random{4};
    for (int round = 0; round < 100; ++round) {
        test::Context memory;
        std::vector<Observation> parts[3];
        for (auto &part : parts)
            part = random_observations(random, below(random, 30));
        const auto merged = [&](std::initializer_list<int> order) {
            Summary summary{memory};
            for (const int part : order)
                summary.merge(summary_of(parts[part], memory));
            return summary;
        };
        Summary right = summary_of(parts[1], memory); // a + (b + c)
        right.merge(summary_of(parts[2], memory));
        Summary grouped = summary_of(parts[0], memory);
        grouped.merge(right);
        EXPECT_EQ(exact_parts(merged({0, 1, 2})), exact_parts(grouped));
        EXPECT_EQ(exact_parts(merged({0, 1})), exact_parts(merged({1, 0})));
        const Bytes alone = encoded(summary_of(parts[0], memory));
        EXPECT_EQ(encoded(merged({0})), alone);
        Summary with_empty = summary_of(parts[0], memory);
        with_empty.merge(Summary{memory});
        with_empty.merge_encoded(encoded(Summary{memory}));
        EXPECT_EQ(encoded(with_empty), alone);
        Summary doubled = summary_of(parts[0], memory);
        doubled.merge(doubled);
        EXPECT_EQ(exact_parts(doubled), exact_parts(merged({0, 0})));
        expect_sums_near(doubled, merged({0, 0}));
    }
}

TEST(Summary, EmptyTotalsAreNeutral)
{
    test::Context memory;
    Totals totals{memory};
    totals.add(sample_of(thought(5, 5, 100)));
    totals.merge(Totals{memory});
    EXPECT_EQ(totals.counters.events, 1u);
    EXPECT_EQ(totals.counters.first_at, 100);
}

TEST(Summary, AskingForTotalsChangesNothing)
{
    Random random{5};
    test::Context memory;
    const auto events = random_observations(random, 20);
    Summary asked{memory};
    Summary left_alone{memory};
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(asked.totals().counters.events, i);
        asked.add(events[i]);
        left_alone.add(events[i]);
        EXPECT_EQ(encoded(asked), encoded(left_alone));
    }
    EXPECT_EQ(exact_parts(asked), exact_parts(left_alone));
}

TEST(Summary, FewEventsTakeLittleMemory)
{
    test::Context memory;
    Summary summary{memory};
    summary.add(thought(1000, 50));
    EXPECT_LE(sizeof summary + memory.used(), 128u);
    for (int i = 1; i < 8; ++i)
        summary.add(thought(1000 + i, 50, i));
    EXPECT_LE(sizeof summary + memory.used(), 512u);
    for (int i = 8; i < 60; ++i)
        summary.add(thought(1000 + 37 * i, 50 + i, i));
    EXPECT_LE(memory.used(), 4096u);
}

TEST(Summary, ARefusedEventChangesNothing)
{
    test::Context memory;
    Summary summary = summary_of({thought(1000, 50)}, memory);
    const Bytes before = encoded(summary);
    Observation event = thought(1000, 50);
    event.duration_ms = std::nan("");
    EXPECT_EQ(error_of([&] { summary.add(event); }), ErrorKind::out_of_range);
    EXPECT_EQ(encoded(summary), before);
}

TEST(Summary, ExtremesNeverFail)
{
    test::Context memory;
    constexpr double largest = std::numeric_limits<double>::max();
    constexpr std::int32_t most_tokens = std::numeric_limits<std::int32_t>::max();
    using Time = std::numeric_limits<std::int64_t>;
    std::vector<Observation> events;
    for (int i = 0; i < 20; ++i) {
        const bool even = i % 2 == 0;
        const std::int32_t tokens = i % 3 == 0 ? most_tokens : 1;
        events.push_back(thought(even ? largest : 5e-324, tokens, even ? Time::min() : Time::max()));
        events.back().prompt_tokens = most_tokens;
        events.back().first_token_ms = 0;
    }
    Random random{6};
    const Summary summary = merged_at_random(events, random, memory);
    EXPECT_FALSE(summary.totals()[Metric::duration_ms].moments.sum.known());
    EXPECT_EQ(summary.totals()[Metric::duration_ms].sketch.extent().maximum, largest);
    EXPECT_EQ(encoded(Summary::decode(encoded(summary), memory)), encoded(summary));
    EXPECT_EQ(encoded(Summary::from_text(test::text_of(summary), memory)), encoded(summary));
}

TEST(Summary, CountsDoNotOverflow)
{
    test::Context memory;
    Summary summary = summary_of(std::vector<Observation>(10, thought(1, 1)), memory);
    EXPECT_EQ(error_of([&] {
                  for (int i = 0; i < 64; ++i)
                      summary.merge(summary);
              }),
              ErrorKind::overflow);
    EXPECT_EQ(summary.totals().counters.events, std::uint64_t{10} << 59);
    EXPECT_EQ(error_of([&] { summary.merge_encoded(encoded(summary)); }), ErrorKind::overflow);
    EXPECT_EQ(encoded(Summary::decode(encoded(summary), memory)), encoded(summary));
}

TEST(Summary, RunningOutOfMemoryLeaksNothing)
{
    Random random{7};
    const auto events = random_observations(random, 300);
    test::Context other;
    const Bytes more = encoded(summary_of(random_observations(random, 300), other));
    for (std::size_t allowed = 0;; allowed += 1) {
        test::Context memory;
        memory.fail_after(allowed);
        Summary summary{memory};
        bool finished = false;
        try {
            for (const Observation &event : events)
                summary.add(event);
            summary.merge_encoded(more);
            finished = true;
        } catch (const std::bad_alloc &) {
        }
        summary.release();
        EXPECT_EQ(memory.used(), 0u);
        if (finished)
            break;
    }
}

// Reads that want one metric only get the same answers about it as those that want all.
TEST(Summary, MergesSomeMetricsOnly)
{
    test::Random random{17};
    for (const std::size_t events : {0, 3, 8, 9, 200, 3000}) {
        test::Context memory;
        const Summary whole = test::summary_of(test::random_observations(random, events), memory);
        const test::Bytes bytes = test::encoded(whole);
        for (const Metric wanted : {Metric::value, Metric::duration_ms, Metric::first_token_ms}) {
            Summary some{memory};
            some.merge_encoded(bytes, {.metrics = {wanted}});
            some.merge_encoded(bytes, {.metrics = {wanted}});
            Summary twice{memory};
            twice.merge(whole);
            twice.merge(whole);
            EXPECT_EQ(test::encoded(some.totals()[wanted].sketch), test::encoded(twice.totals()[wanted].sketch));
            EXPECT_EQ(mean(some, wanted), mean(twice, wanted));
            EXPECT_EQ(some.totals().counters.events, 2 * events);
            EXPECT_EQ(ms_per_token(some), ms_per_token(twice));
            EXPECT_EQ(decode_ms_per_token(some), decode_ms_per_token(twice));

            Summary bare{memory};
            const Wanted least_of_all{.metrics = {wanted}, .buckets = false, .regression = false};
            bare.merge_encoded(bytes, least_of_all);
            bare.merge_encoded(bytes, least_of_all);
            EXPECT_EQ(measured(bare, wanted), measured(twice, wanted));
            EXPECT_EQ(mean(bare, wanted), mean(twice, wanted));
            EXPECT_EQ(least(bare, wanted), least(twice, wanted));
            EXPECT_EQ(greatest(bare, wanted), greatest(twice, wanted));
            EXPECT_EQ(ms_per_token(bare), ms_per_token(twice));
            EXPECT_EQ(decode_ms_per_token(bare), decode_ms_per_token(twice));
        }
    }
}

} // namespace
} // namespace gravitas::telemetry::core
