#include "core/bytes.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace gravitas::telemetry::core {
namespace {

using test::Bytes;
using test::error_of;

template <typename Write>
Bytes written(Write write)
{
    Writer measuring{{}};
    write(measuring);
    Bytes bytes(measuring.size());
    Writer filling{bytes};
    write(filling);
    EXPECT_EQ(filling.size(), bytes.size());
    return bytes;
}

TEST(Bytes, VarintsRoundTrip)
{
    for (unsigned shift = 0; shift < 64; ++shift) {
        const std::uint64_t power = std::uint64_t{1} << shift;
        for (const std::uint64_t value : {power, power - 1, ~std::uint64_t{0} >> shift}) {
            const Bytes bytes = written([&](Writer &writer) { writer.varint(value); });
            EXPECT_EQ(bytes.size(), varint_size(value));
            EXPECT_EQ(Reader{bytes}.varint(), value);
            for (const auto number : {static_cast<std::int64_t>(value), -static_cast<std::int64_t>(value >> 1)}) {
                const Bytes signed_bytes = written([&](Writer &writer) { writer.signed_varint(number); });
                EXPECT_EQ(Reader{signed_bytes}.signed_varint(), number);
            }
        }
    }
    EXPECT_EQ(written([](Writer &writer) { writer.varint(300); }), (Bytes{0xac, 0x02}));
    EXPECT_EQ(written([](Writer &writer) { writer.signed_varint(-2); }), (Bytes{0x03}));
}

TEST(Bytes, RealsKeepEveryBitAndDropTrailingZeros)
{
    for (const double value : {0.0, -0.0, 1.0, -2.5, 0.1, 1250.0, 5e-324, std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        const Bytes bytes = written([&](Writer &writer) { writer.real(value); });
        EXPECT_EQ(std::bit_cast<std::uint64_t>(Reader{bytes}.real()), std::bit_cast<std::uint64_t>(value));
    }
    EXPECT_EQ(written([](Writer &writer) { writer.real(0); }), (Bytes{0}));
    EXPECT_EQ(written([](Writer &writer) { writer.real(1250); }), (Bytes{3, 0x40, 0x93, 0x88}));
    EXPECT_EQ(written([](Writer &writer) { writer.real(0.1); }).size(), 9u);
}

TEST(Bytes, FixedIsLittleEndian)
{
    EXPECT_EQ(written([](Writer &writer) { writer.fixed(0x0102030405060708, 4); }), (Bytes{8, 7, 6, 5}));
}

TEST(Bytes, EndOfInputIsTruncated)
{
    EXPECT_EQ(error_of([] { Reader{{}}.byte(); }), ErrorKind::truncated);
    EXPECT_EQ(error_of([] { Reader{Bytes{0x80, 0x80}}.varint(); }), ErrorKind::truncated);
    EXPECT_EQ(error_of([] { Reader{Bytes{3, 1, 2}}.real(); }), ErrorKind::truncated);
    EXPECT_EQ(error_of([] {
                  (void)Reader{Bytes{1, 2}}.bytes(std::numeric_limits<std::size_t>::max());
              }),
              ErrorKind::truncated);
}

TEST(Bytes, NumbersThatDoNotFitAreCorrupt)
{
    const Bytes eleven(11, 0x80);
    EXPECT_EQ(error_of([&] { Reader{eleven}.varint(); }), ErrorKind::corrupt);
    EXPECT_EQ(error_of([] {
                  Reader{Bytes{255, 255, 255, 255, 255, 255, 255, 255, 255, 2}}.varint();
              }),
              ErrorKind::corrupt);
    EXPECT_EQ(error_of([] { Reader{Bytes{9, 1, 1, 1, 1, 1, 1, 1, 1, 1}}.real(); }), ErrorKind::corrupt);
}

TEST(Bytes, ComparingFindsTheFirstDifference)
{
    const Bytes expected{1, 2, 3};
    const auto position_of = [&](const Bytes &bytes) -> std::size_t {
        Writer writer = Writer::comparing(expected);
        for (const std::uint8_t byte : bytes)
            writer.byte(byte);
        try {
            writer.expect_equal();
        } catch (const Error &error) {
            return error.position();
        }
        return 99;
    };
    EXPECT_EQ(position_of({1, 2, 3}), 99u);
    EXPECT_EQ(position_of({1, 9, 3}), 1u);
    EXPECT_EQ(position_of({1, 2}), 2u);
    EXPECT_EQ(position_of({1, 2, 3, 4}), 3u);
}

} // namespace
} // namespace gravitas::telemetry::core
