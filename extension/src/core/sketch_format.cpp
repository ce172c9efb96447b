// The encoded form of a sketch.
//
//     byte    version, 1
//     byte    which parts follow: 1 zeros, 2 negative buckets, 4 positive buckets; 0 for no values
//     real    minimum, unless there are no values
//     real    maximum, likewise
//     varint  number of zeros, if any
//     buckets negative, then positive (core/buckets_format.cpp)

#include "core/sketch.hpp"

#include <cmath>

namespace gravitas::telemetry::core {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t has_zeros = 1;
constexpr std::uint8_t has_negative = 2;
constexpr std::uint8_t has_positive = 4;

void write_versioned(const Sketch &sketch, Writer &writer) noexcept
{
    writer.byte(version);
    sketch.write(writer);
}

EncodedSketch read_versioned(std::span<const std::uint8_t> bytes)
{
    Reader reader{bytes};
    if (reader.byte() != version)
        throw Error{ErrorKind::unknown_version, "unknown version of the sketch format"};
    const EncodedSketch sketch = Sketch::read(reader);
    reader.expect_end();
    return sketch;
}

} // namespace

void Sketch::write(Writer &writer) const noexcept
{
    writer.byte(static_cast<std::uint8_t>((zeros_ > 0 ? has_zeros : 0) | (negative_.empty() ? 0 : has_negative) |
                                          (positive_.empty() ? 0 : has_positive)));
    if (extent_.count == 0)
        return;
    writer.real(extent_.minimum);
    writer.real(extent_.maximum);
    if (zeros_ > 0)
        writer.varint(zeros_);
    if (!negative_.empty())
        negative_.write(writer);
    if (!positive_.empty())
        positive_.write(writer);
}

EncodedSketch Sketch::read(Reader &reader, bool with_buckets)
{
    EncodedSketch sketch;
    const std::uint8_t parts = reader.byte();
    reader.check(parts < 8, "unknown part of a sketch");
    if (parts == 0)
        return sketch;
    sketch.extent.minimum = reader.real() + 0.0;
    sketch.extent.maximum = reader.real() + 0.0;
    reader.check(std::isfinite(sketch.extent.minimum) && std::isfinite(sketch.extent.maximum),
                 "minimum or maximum is not a finite number");
    const auto count = [&](std::uint64_t more) {
        reader.check(more <= largest_count - sketch.extent.count, "counts add up to more than 2^63 - 1");
        sketch.extent.count += more;
    };
    if ((parts & has_zeros) != 0)
        count(sketch.zeros = reader.varint());
    if ((parts & has_negative) != 0)
        count((sketch.negative = Buckets::read(reader)).range.total);
    if ((parts & has_positive) != 0)
        count((sketch.positive = Buckets::read(reader)).range.total);
    reader.check(consistent(sketch.extent, sketch.zeros, sketch.negative.range, sketch.positive.range),
                 "minimum or maximum outside the occupied buckets");
    if (!with_buckets)
        sketch.negative = sketch.positive = {};
    return sketch;
}

void Sketch::skip(Reader &reader)
{
    const std::uint8_t parts = reader.byte();
    if (parts == 0)
        return;
    (void)reader.real();
    (void)reader.real();
    if ((parts & has_zeros) != 0)
        (void)reader.varint();
    for (const std::uint8_t buckets : {has_negative, has_positive})
        if ((parts & buckets) != 0)
            Buckets::skip(reader);
}

std::size_t Sketch::encode(std::span<std::uint8_t> out) const noexcept
{
    Writer writer{out};
    write_versioned(*this, writer);
    return writer.size();
}

Sketch Sketch::decode(std::span<const std::uint8_t> bytes, std::pmr::memory_resource &memory)
{
    Sketch sketch{memory};
    sketch.merge(read_versioned(bytes));
    Writer writer = Writer::comparing(bytes);
    write_versioned(sketch, writer);
    writer.expect_equal();
    return sketch;
}

void Sketch::merge_encoded(std::span<const std::uint8_t> bytes) { merge(read_versioned(bytes)); }

} // namespace gravitas::telemetry::core
