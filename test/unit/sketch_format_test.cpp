#include "core/sketch.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gravitas::telemetry::core {
namespace {

using test::Bytes;
using test::encoded;
using test::error_of;
using test::sketch_of;
using test::text_of;

std::vector<Bytes> samples()
{
    test::Context memory;
    test::Random random{1};
    std::vector<Bytes> samples;
    for (const std::size_t count : {0, 1, 2, 5, 40, 400}) {
        Sketch sketch{memory};
        for (std::size_t i = 0; i < count; ++i)
            sketch.add(test::random_value(random), 1 + random() % 3);
        samples.push_back(encoded(sketch));
    }
    Sketch wide{memory};
    for (int i = 0; i < 100; ++i)
        wide.add(std::exp2(i / 64.0), 70'000);
    samples.push_back(encoded(wide));
    samples.push_back(encoded(sketch_of({-1, 0, std::numeric_limits<double>::max()}, memory)));
    samples.push_back(encoded(sketch_of({-1, -2, -3}, memory)));
    samples.push_back(encoded(sketch_of({-1, 0}, memory)));
    return samples;
}

ErrorKind decoding(const Bytes &bytes)
{
    test::Context memory;
    return error_of([&] { (void)Sketch::decode(bytes, memory); });
}

ErrorKind reading(std::string_view text)
{
    test::Context memory;
    return error_of([&] { (void)Sketch::from_text(text, memory); });
}

TEST(SketchFormat, BytesAreTheseOnEveryMachine)
{
    test::Context memory;
    EXPECT_EQ(encoded(Sketch{memory}), (Bytes{1, 0}));
    EXPECT_EQ(encoded(sketch_of({0}, memory)), (Bytes{1, 1, 0, 0, 1}));
    // minimum -2; maximum 1250; one zero; bucket 63; buckets 64 and 64 + 594, counts 1 and 2
    EXPECT_EQ(encoded(sketch_of({-2, 0, 2.01, 1250, 1250}, memory)),
              (Bytes{1, 7, 1, 0xc0, 3, 0x40, 0x93, 0x88, 1, 126, 2, 0, 128, 1, 4, 0, 0xa3, 9, 0}));
}

TEST(SketchFormat, RoundTripsInBytesAndText)
{
    for (const Bytes &bytes : samples()) {
        test::Context memory;
        const Sketch sketch = Sketch::decode(bytes, memory);
        EXPECT_EQ(encoded(sketch), bytes);
        const std::string text = text_of(sketch);
        EXPECT_EQ(encoded(Sketch::from_text(text, memory)), bytes) << text;
        EXPECT_EQ(text_of(Sketch::from_text(text, memory)), text);
    }
}

TEST(SketchFormat, DamageIsRefusedOrIsAnotherSketch)
{
    for (const Bytes &bytes : samples())
        test::for_each_damage(bytes, [](const Bytes &damaged) {
            test::Context memory;
            try {
                EXPECT_EQ(encoded(Sketch::decode(damaged, memory)), damaged);
            } catch (const Error &error) {
                EXPECT_LE(error.position(), damaged.size());
            }
        });
}

TEST(SketchFormat, DecodingTakesMemoryInProportion)
{
    // 3,000 buckets of one byte each, in octaves of their own: the worst there is.
    Bytes bytes(4000);
    Writer writer{bytes};
    writer.byte(1);
    writer.byte(4);
    writer.real(std::exp2(-1000.5 / 64));
    writer.real(std::exp2((-1001 + 63 * 1000 + 0.5) / 64));
    writer.signed_varint(-1001);
    writer.varint(2 * 1001);
    writer.byte(0);
    for (int i = 0; i < 1000; ++i)
        writer.byte(2 * 62);
    bytes.resize(writer.size());
    test::Context memory;
    const Sketch sketch = Sketch::decode(bytes, memory);
    EXPECT_EQ(sketch.count(), 1001u);
    EXPECT_LE(memory.peak(), 16 * bytes.size() + 1000);
}

TEST(SketchFormat, ErrorsSayWhatIsWrong)
{
    EXPECT_EQ(decoding({}), ErrorKind::truncated);
    EXPECT_EQ(decoding({2, 0}), ErrorKind::unknown_version);
    EXPECT_EQ(decoding({1, 0, 0}), ErrorKind::corrupt);                                        // trailing
    EXPECT_EQ(decoding({1, 8}), ErrorKind::corrupt);                                           // unknown part
    EXPECT_EQ(decoding({1, 1, 0, 0, 0}), ErrorKind::corrupt);                                  // no zeros
    EXPECT_EQ(decoding({1, 1, 0, 0, 0x81, 0}), ErrorKind::corrupt);                            // overlong varint
    EXPECT_EQ(decoding({1, 1, 1, 0x80, 0, 1}), ErrorKind::corrupt);                            // minimum -0
    EXPECT_EQ(decoding({1, 1, 0, 2, 0x3f, 0xf0, 1}), ErrorKind::corrupt);                      // maximum not counted
    EXPECT_EQ(decoding({1, 4, 2, 0x7f, 0xf0, 2, 0x7f, 0xf0, 0, 2, 0}), ErrorKind::corrupt);    // infinite
    EXPECT_EQ(decoding({1, 4, 2, 0x3f, 0xf0, 2, 0x3f, 0xf0, 0, 2, 0}), ErrorKind::corrupt);    // 1 is in bucket -1
    EXPECT_EQ(decoding({1, 4, 2, 0x3f, 0xf0, 2, 0x3f, 0xf0, 1, 3, 1, 1}), ErrorKind::corrupt); // dense is longer
}

TEST(SketchFormat, MergingAcceptsWhatDecodingDoes)
{
    test::Context memory;
    Sketch merged{memory};
    Sketch expected{memory};
    for (const Bytes &bytes : samples()) {
        merged.merge_encoded(bytes);
        expected.merge(Sketch::decode(bytes, memory));
    }
    EXPECT_EQ(encoded(merged), encoded(expected));
    EXPECT_EQ(error_of([&] { merged.merge_encoded(Bytes{1, 4, 1}); }), ErrorKind::truncated);
    EXPECT_EQ(error_of([&] { merged.merge_encoded(Bytes{7}); }), ErrorKind::unknown_version);
    EXPECT_EQ(encoded(merged), encoded(expected));
}

TEST(SketchText, Reads)
{
    test::Context memory;
    EXPECT_EQ(text_of(Sketch{memory}), R"({"count":0})");
    const Sketch sketch = sketch_of({-2, 0, 1.5, 1.5}, memory);
    EXPECT_EQ(text_of(sketch), R"({"count":4,"min":-2,"max":1.5,"zero":1,"negative":[[63,1]],"positive":[[37,2]]})");
    const auto spaced = Sketch::from_text(
        R"( { "count" : 4, "min": -2.0, "max": 15e-1, "zero": 1,
              "negative": [[63, 1]], "positive": [[37, 2]] } )",
        memory);
    EXPECT_EQ(encoded(spaced), encoded(sketch));
}

TEST(SketchText, WhatIsNotASketchIsRefused)
{
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "{}",
                                        "null",
                                        "[1]",
                                        R"({"count":})",
                                        R"({"count":-1})",
                                        R"({"count":0)",
                                        R"({"count":0}x)",
                                        R"({"count":1})",
                                        R"({"count":99999999999999999999})",
                                        R"({"count":9223372036854775808,"min":0,"max":0})",
                                        R"({"count":1,"min":nan,"max":nan,"zero":1})",
                                        R"({"count":1,"min":1e999,"max":1,"positive":[[-1,1]]})",
                                        R"({"count":1,"min":inf,"max":inf,"positive":[[65535,1]]})",
                                        R"({"min":0,"count":1,"max":0,"zero":1})",
                                        R"({"count":1,"min":0,"max":0,"zero":2})",
                                        R"({"count":2,"min":1,"max":1,"positive":[[-1,1]]})",
                                        R"({"count":1,"min":1,"max":1,"positive":[[0,1]]})",
                                        R"({"count":1,"min":1,"max":1,"positive":[[-1,0]]})",
                                        R"({"count":2,"min":1,"max":1,"positive":[[-1,1],[-1,1]]})",
                                        R"({"count":1,"min":1,"max":1,"positive":[[-1]]})",
                                        R"({"count":2,"min":1,"max":2,"positive":[[63,1],[-1,1]]})",
                                        R"({"count":1,"min":1,"max":1,"positive":[-1,1]})",
                                        R"({"count":1,"min":1,"max":1,"positive":[[-1,1]],"extra":1})",
                                        R"({"count":1,"min":1 "max":1})",
                                        R"({"count":1,"min":1,"max":1,"positive":[[99999,1]]})",
                                        R"({"count":2,"min":1,"max":1,"positive":[[-1,1][0,1]]})"})
        EXPECT_EQ(reading(text), ErrorKind::syntax) << text;
}

} // namespace
} // namespace gravitas::telemetry::core
