// The text form of a sketch: {"count":3,"min":-2,"max":1.5,"zero":1,"negative":[[63,1]],"positive":[[37,1]]}
// Buckets are [index, count], ascending; what is absent holds nothing.

#include "core/sketch.hpp"
#include "core/text.hpp"

namespace gravitas::telemetry::core {

namespace {

void write_buckets(TextWriter &writer, std::string_view name, const Buckets &buckets)
{
    if (buckets.empty())
        return;
    writer.key(name);
    writer.open('[');
    buckets.for_each([&](std::int32_t index, std::uint64_t count) {
        writer.separate();
        writer.open('[');
        writer.element(index);
        writer.element(count);
        writer.close(']');
    });
    writer.close(']');
}

void read_buckets(TextReader &reader, std::string_view name, Buckets &buckets, std::pmr::memory_resource &memory)
{
    if (!reader.has_key(name))
        return;
    reader.open('[');
    std::int32_t next = grid::lowest_index;
    while (!reader.closes(']')) {
        reader.separate();
        reader.open('[');
        const auto index = reader.element<std::int32_t>();
        reader.check(index >= next && index <= grid::highest_index, "bucket out of order or outside the grid");
        const auto count = reader.element<std::uint64_t>();
        reader.check(count > 0 && count <= largest_count - buckets.total(), "count of a bucket out of range");
        reader.close(']');
        buckets.add(index, count, memory);
        next = index + 1;
    }
}

} // namespace

void Sketch::write_text(TextWriter &writer) const
{
    writer.open('{');
    writer.member("count", extent_.count);
    if (extent_.count > 0) {
        writer.member("min", extent_.minimum);
        writer.member("max", extent_.maximum);
    }
    if (zeros_ > 0)
        writer.member("zero", zeros_);
    write_buckets(writer, "negative", negative_);
    write_buckets(writer, "positive", positive_);
    writer.close('}');
}

void Sketch::read_text(TextReader &reader)
{
    reader.open('{');
    extent_.count = reader.member<std::uint64_t>("count");
    reader.check(extent_.count <= largest_count, "count above 2^63 - 1");
    if (extent_.count > 0) {
        extent_.minimum = reader.member<double>("min") + 0.0;
        extent_.maximum = reader.member<double>("max") + 0.0;
    }
    if (reader.has_key("zero"))
        zeros_ = reader.number<std::uint64_t>();
    reader.check(zeros_ <= extent_.count, "more zeros than values");
    read_buckets(reader, "negative", negative_, *memory_);
    read_buckets(reader, "positive", positive_, *memory_);
    reader.close('}');
    reader.check(negative_.total() <= extent_.count - zeros_ &&
                     consistent(extent_, zeros_, negative_.range(), positive_.range()),
                 "count, minimum or maximum disagrees with the buckets");
}

Array<char> Sketch::to_text(std::pmr::memory_resource &memory) const
{
    TextWriter writer{memory};
    write_text(writer);
    return writer.take();
}

Sketch Sketch::from_text(std::string_view text, std::pmr::memory_resource &memory)
{
    TextReader reader{text};
    Sketch sketch{memory};
    sketch.read_text(reader);
    reader.expect_end();
    return sketch;
}

} // namespace gravitas::telemetry::core
