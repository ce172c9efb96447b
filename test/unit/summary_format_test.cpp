#include "core/summary.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace gravitas::telemetry::core {
namespace {

using test::Bytes;
using test::encoded;
using test::error_of;
using test::summary_of;
using test::text_of;
using test::thought;

std::vector<Bytes> samples()
{
    test::Context memory;
    test::Random random{1};
    std::vector<Bytes> samples;
    for (const std::size_t count : {0, 1, 2, 8, 9, 20, 300})
        samples.push_back(encoded(summary_of(test::random_observations(random, count), memory)));
    samples.push_back(encoded(summary_of(std::vector<Observation>(12, Observation{}), memory)));
    samples.push_back(encoded(summary_of(std::vector<Observation>(12, thought(1e300, 7)), memory)));
    return samples;
}

Bytes fixed_summary(std::size_t events)
{
    test::Context memory;
    Summary summary{memory};
    for (std::size_t i = 0; i < events; ++i) {
        Observation event = thought(1000 + 250 * static_cast<double>(i), 50, 1000 * static_cast<std::int64_t>(i));
        event.first_token_ms = 100;
        event.prompt_tokens = 10;
        summary.add(event);
    }
    return encoded(summary);
}

std::string hex(const Bytes &bytes)
{
    std::string text;
    for (const std::uint8_t byte : bytes)
        for (const int nibble : {byte >> 4, byte & 15})
            text += "0123456789abcdef"[nibble];
    return text;
}

ErrorKind decoding(const Bytes &bytes)
{
    test::Context memory;
    return error_of([&] { (void)Summary::decode(bytes, memory); });
}

ErrorKind reading(std::string_view text)
{
    test::Context memory;
    return error_of([&] { (void)Summary::from_text(text, memory); });
}

TEST(SummaryFormat, BeginsWithItsOccurrence)
{
    test::Context memory;
    test::Random random(5);
    for (const std::size_t count : {0, 1, 2, 8, 9, 100}) {
        const auto events = test::random_observations(random, count);
        const Bytes bytes = encoded(test::summary_of(events, memory));
        const Occurrence found = occurrence_of(bytes);
        EXPECT_EQ(found.events, count);
        if (count == 0)
            continue;
        const auto [first, last] = std::minmax_element(
            events.begin(), events.end(), [](const Observation &a, const Observation &b) { return a.at < b.at; });
        EXPECT_EQ(found.first_at, first->at);
        EXPECT_EQ(found.last_at, last->at);
        for (std::size_t size = 0; size < 3; ++size) // cut within it
            EXPECT_EQ(error_of([&] { static_cast<void>(occurrence_of(std::span(bytes).first(size))); }),
                      ErrorKind::truncated);
    }
}

TEST(SummaryFormat, BytesAreTheseOnEveryMachine)
{
    EXPECT_EQ(fixed_summary(0), (Bytes{1, 0}));
    EXPECT_EQ(fixed_summary(2), (Bytes{1,    2,                                                      //
                                       0,    252, 3,   0x40, 0x8f, 0x40, 2,    0x40, 0x59, 10,   50, // score left out
                                       0xe8, 7,   252, 3,    0x40, 0x93, 0x88, 2,    0x40, 0x59, 10, 50}));
    EXPECT_EQ(hex(fixed_summary(9)),
              "01ffef09000000c03e"                                             // 9 events in 8 ms
              "0402403402404ea804120028201a161412100e034076800003409770"       // value
              "0403408f400340a770fa09120028201a161412100e0340d1940004414c9c38" // duration
              "04024059024059d20603010903408c200000"                           // first token
              "c2035a"                                                         // tokens
              "0340d0b300b903"                                                 // decode
              "13840700942300e4af0100034105f90004412b774000054182f44b8000");   // regression
}

TEST(SummaryFormat, OneEventIsSmall)
{
    test::Context memory;
    Observation event = thought(1234.5678901234, 321, 800'000'000'123'456);
    event.first_token_ms = 87.654321;
    event.prompt_tokens = 1500;
    EXPECT_LE(encoded(summary_of({event}, memory)).size(), 33u);
}

TEST(SummaryFormat, RoundTripsInBytesAndText)
{
    for (const Bytes &bytes : samples()) {
        test::Context memory;
        const Summary summary = Summary::decode(bytes, memory);
        EXPECT_EQ(encoded(summary), bytes);
        const std::string text = text_of(summary);
        EXPECT_EQ(encoded(Summary::from_text(text, memory)), bytes) << text;
        EXPECT_EQ(text_of(Summary::from_text(text, memory)), text);
    }
}

TEST(SummaryFormat, RandomSummariesRoundTrip)
{
    test::Random random{2};
    for (int round = 0; round < 300; ++round) {
        test::Context memory;
        const Summary summary = summary_of(test::random_observations(random, test::below(random, 40)), memory);
        const Bytes bytes = encoded(summary);
        EXPECT_EQ(encoded(Summary::decode(bytes, memory)), bytes);
        EXPECT_EQ(encoded(Summary::from_text(text_of(summary), memory)), bytes);
    }
}

TEST(SummaryFormat, DamageIsRefusedOrIsAnotherSummary)
{
    for (const Bytes &bytes : samples())
        test::for_each_damage(bytes, [](const Bytes &damaged) {
            test::Context memory;
            try {
                EXPECT_EQ(encoded(Summary::decode(damaged, memory)), damaged);
            } catch (const Error &error) {
                EXPECT_LE(error.position(), damaged.size());
            }
        });
}

TEST(SummaryFormat, MergingDamagedBytesChangesNothing)
{
    const std::vector<Bytes> all = samples();
    for (const Bytes &bytes : {all[3], all[5]})
        test::for_each_damage(bytes, [&](const Bytes &damaged) {
            test::Context memory;
            Summary summary = Summary::decode(all[4], memory);
            try {
                summary.merge_encoded(damaged);
            } catch (const Error &) {
                EXPECT_EQ(encoded(summary), all[4]);
            }
        });
}

TEST(SummaryFormat, DecodingTakesMemoryInProportion)
{
    for (const Bytes &bytes : samples()) {
        test::Context memory;
        (void)Summary::decode(bytes, memory);
        EXPECT_LE(memory.peak(), 16 * bytes.size() + 1024);
    }
}

TEST(SummaryFormat, ErrorsSayWhatIsWrong)
{
    EXPECT_EQ(decoding({}), ErrorKind::truncated);
    EXPECT_EQ(decoding({1}), ErrorKind::truncated);
    EXPECT_EQ(decoding({0, 0}), ErrorKind::unknown_version);
    EXPECT_EQ(decoding({1, 0, 0}), ErrorKind::corrupt);                          // trailing
    EXPECT_EQ(decoding({1, 9}), ErrorKind::corrupt);                             // neither listed nor totals
    EXPECT_EQ(decoding({1, 2, 2, 1, 0, 0}), ErrorKind::corrupt);                 // samples out of order
    EXPECT_EQ(decoding({1, 1, 0, 3}), ErrorKind::corrupt);                       // failed and unscored
    EXPECT_EQ(decoding({1, 1, 0, 64, 5}), ErrorKind::corrupt);                   // tokens without score
    EXPECT_EQ(decoding({1, 1, 0, 8, 1, 0xc0}), ErrorKind::corrupt);              // duration -2
    EXPECT_EQ(decoding({1, 1, 0, 4, 1, 0x80}), ErrorKind::corrupt);              // value -0
    EXPECT_EQ(decoding({1, 1, 0, 128}), ErrorKind::corrupt);                     // a score of nothing
    EXPECT_EQ(decoding({1, 1, 0, 76, 1, 0x40, 1, 0x40, 1}), ErrorKind::corrupt); // a score that could be left out
    EXPECT_EQ(decoding({1, 2, 254, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 1, 0}), ErrorKind::corrupt); // late
    EXPECT_EQ(decoding({1, 255, 0, 8, 0, 0, 0, 0}), ErrorKind::corrupt);       // totals of 8 events
    EXPECT_EQ(decoding({1, 255, 0, 9, 9, 1, 0, 0}), ErrorKind::corrupt);       // 10 of 9 events failed or unscored
    EXPECT_EQ(decoding({1, 255, 8, 9, 0, 0, 0, 0, 0, 0}), ErrorKind::corrupt); // tokens, but none
}

TEST(SummaryFormat, NumbersThatContradictEachOtherAreRefused)
{
    test::Context memory;
    const Summary summary = Summary::decode(fixed_summary(9), memory);
    std::array<Extent, metrics> extents;
    for (std::size_t i = 0; i < metrics; ++i)
        extents[i] = summary.totals().measures[i].sketch.extent();
    EXPECT_EQ(contradiction(summary.totals().counters, extents), nullptr);
    const auto refused = [&](auto change) {
        Counters counters = summary.totals().counters;
        auto changed = extents;
        change(counters, changed);
        return contradiction(counters, changed) != nullptr;
    };
    using Extents = std::array<Extent, metrics>;
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.events = c.errors = largest_count + 1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.errors = 10; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.unscored = 10; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.first_at = c.last_at + 1; }));
    EXPECT_TRUE(refused([](Counters &, Extents &e) { e[0].count = 10; }));
    EXPECT_TRUE(refused([](Counters &, Extents &e) { e[1].minimum = -1; }));
    EXPECT_FALSE(refused([](Counters &, Extents &e) { e[0].minimum = -1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.tokens_generated = ~std::uint64_t{0}; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.prompt_tokens = ~std::uint64_t{0}; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.weighted.tokens = c.tokens_generated + 1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.decode.tokens = c.weighted.tokens + 1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.regression.calls = 10; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { ++c.regression.p; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { ++c.regression.g; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.regression.pp.high = 1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.regression.pg.high = 1; }));
    EXPECT_TRUE(refused([](Counters &c, Extents &) { c.regression.gg.low = ~std::uint64_t{0}; }));
}

TEST(SummaryText, Reads)
{
    test::Context memory;
    EXPECT_EQ(text_of(Summary{memory}), R"({"samples":[]})");
    Observation failed;
    failed.kind = EventKind::load;
    failed.is_error = true;
    failed.at = -5;
    EXPECT_EQ(text_of(summary_of({thought(1250, 100, 5), failed}, memory)),
              R"({"samples":[{"at":-5,"error":true},)"
              R"({"at":5,"value":12.5,"duration_ms":1250,"tokens_generated":100}]})");
    const std::string text = text_of(summary_of(std::vector<Observation>(9, thought(1250, 100, 5)), memory));
    EXPECT_EQ(text, R"({"events":9,"errors":0,"unscored":0,"first_at":5,"last_at":5,"tokens_generated":900,)"
                    R"("prompt_tokens":0,"weighted":{"duration_ms":[11250,0],"tokens":900},)"
                    R"("value":{"sum":[112.5,0],"squares":0,"sketch":)"
                    R"({"count":9,"min":12.5,"max":12.5,"positive":[[233,9]]}},)"
                    R"("duration_ms":{"sum":[11250,0],"squares":0,"sketch":)"
                    R"({"count":9,"min":1250,"max":1250,"positive":[[658,9]]}}})");
}

TEST(SummaryText, SpacesAndOrderOfSamplesDoNotMatter)
{
    test::Context memory;
    EXPECT_EQ(text_of(Summary::from_text(R"( { "samples" : [ {"at":9, "value": 1.0}, {"at": 3} ] } )", memory)),
              R"({"samples":[{"at":3},{"at":9,"value":1}]})");
}

TEST(SummaryText, WhatIsNotASummaryIsRefused)
{
    const std::string sample = R"({"at":1})";
    std::string nine = R"({"samples":[)" + sample;
    for (int i = 0; i < 8; ++i)
        nine += "," + sample;
    EXPECT_EQ(reading(nine + "]}"), ErrorKind::syntax);
    for (const std::string_view text :
         {"",
          "{}",
          "[]",
          R"({"samples":})",
          R"({"samples":[)",
          R"({"samples":[]]})",
          R"({"samples":[]}})",
          R"({"samples":[{}]})",
          R"({"samples":[{"at":1,"error":false}]})",
          R"({"samples":[{"at":1,"value":nan}]})",
          R"({"samples":[{"at":1,"duration_ms":-1}]})",
          R"({"samples":[{"at":1,"tokens_generated":5}]})",
          R"({"samples":[{"at":1,"value":1,"tokens_generated":5000000000}]})",
          R"({"samples":[{"at":1,"value":1,"tokens_generated":0}]})",
          R"({"samples":[{"at":1}{"at":2}]})",
          R"({"samples":[{"at":1,"at":1}]})",
          R"({"samples":[{"at":9223372036854775808}]})",
          R"({"events":9,"errors":0,"unscored":0,"first_at":5,"last_at":4,"tokens_generated":0,"prompt_tokens":0})",
          R"({"events":8,"errors":0,"unscored":0,"first_at":5,"last_at":5,"tokens_generated":0,"prompt_tokens":0})",
          R"({"events":9,"errors":0,"unscored":0,"first_at":5,"last_at":5,"tokens_generated":0,)"
          R"("prompt_tokens":0,"x":1})",
          R"({"events":9})"})
        EXPECT_EQ(reading(text), ErrorKind::syntax) << text;
}

TEST(SummaryText, DamageIsRefusedOrIsAnotherSummary)
{
    test::Context memory;
    test::Random random{3};
    for (const std::size_t count : {3, 12}) {
        const std::string text = text_of(summary_of(test::random_observations(random, count), memory));
        test::for_each_damage({text.begin(), text.end()}, [](const Bytes &damaged) {
            test::Context scratch;
            try {
                const std::string_view content{reinterpret_cast<const char *>(damaged.data()), damaged.size()};
                const Summary summary = Summary::from_text(content, scratch);
                const Bytes bytes = encoded(summary);
                EXPECT_EQ(encoded(Summary::decode(bytes, scratch)), bytes);
                EXPECT_EQ(encoded(Summary::from_text(text_of(summary), scratch)), bytes);
            } catch (const Error &error) {
                EXPECT_EQ(error.kind(), ErrorKind::syntax);
                EXPECT_LE(error.position(), damaged.size());
            }
        });
    }
}

} // namespace
} // namespace gravitas::telemetry::core
