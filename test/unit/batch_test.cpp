#include "core/batch_reader.hpp"
#include "core/batch_writer.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gravitas::telemetry::core {
namespace {

using test::below;
using test::Bytes;
using test::error_of;

BatchHeader some_header()
{
    BatchHeader header;
    for (std::size_t i = 0; i < header.producer.size(); ++i)
        header.producer[i] = static_cast<std::uint8_t>(17 * i + 1);
    header.sequence = 0x0102030405060708;
    header.created_at = 1'700'000'000'000'000;
    header.sent_at = -1;
    header.account = {.accepted = 21, .stored = 1, .queued = 2, .spilled = 3, .dropped = 7, .refused = 8};
    return header;
}

// An event whose strings outlive it.
struct Owned {
    std::string event_type, component, status, metadata;
    BatchEvent event;
};

Owned random_event(test::Random &random)
{
    const auto text = [&](const char *stem, std::size_t kinds) {
        const std::size_t kind = below(random, kinds + 1);
        return kind == kinds ? std::string() : stem + std::to_string(kind);
    };
    Owned owned;
    owned.event_type = "TYPE_" + std::to_string(below(random, 3));
    owned.component = text("model:", 20);
    owned.status = text("S", 3);
    owned.metadata = below(random, 4) == 0 ? "{\"n\": " + std::to_string(random()) + "}" : "";
    owned.event.time_us = below(random, 50) == 0
                              ? static_cast<std::int64_t>(random())
                              : 1'700'000'000'000'000 + static_cast<std::int64_t>(random() % 1'000'000);
    const auto some = [&](auto value) { return below(random, 3) == 0 ? std::nullopt : std::optional(value); };
    owned.event.value = some(test::random_value(random));
    owned.event.duration_ms = some(test::random_value(random));
    owned.event.first_token_ms = below(random, 30) == 0 ? some(std::numeric_limits<double>::infinity()) : std::nullopt;
    owned.event.prompt_tokens = some(static_cast<std::int32_t>(random() & 0x7fffffff));
    owned.event.tokens_generated = some(static_cast<std::int32_t>(below(random, 300)));
    return owned;
}

Bytes batch_of(const std::vector<Owned> &events, BatchWriter &writer)
{
    writer.clear();
    for (const Owned &owned : events) {
        BatchEvent event = owned.event;
        event.event_type = owned.event_type;
        event.component = owned.component;
        event.status = owned.status;
        event.metadata = owned.metadata;
        writer.add(event);
    }
    const Bytes batch = writer.finish(some_header());
    EXPECT_LE(batch.size(), writer.size_bound());
    return batch;
}

Bytes random_batch(std::size_t events)
{
    test::Random random{events};
    std::vector<Owned> all;
    for (std::size_t i = 0; i < events; ++i)
        all.push_back(random_event(random));
    BatchWriter writer;
    return batch_of(all, writer);
}

// Reads everything; what is thrown is the caller's.
std::size_t read_all(const Bytes &batch)
{
    test::Context memory;
    BatchReader reader(batch, memory);
    std::size_t rows = 0;
    for (BatchRow row; reader.next(row);)
        ++rows;
    return rows;
}

void recompute_checksum(Bytes &batch) { Writer{std::span(batch).subspan(8, 4)}.fixed(batch_checksum(batch), 4); }

TEST(Batch, KeepsEveryEventExactly)
{
    test::Random random{3};
    BatchWriter writer;
    for (std::size_t events : {0, 1, 2, 7, 8, 9, 64, 1000}) {
        std::vector<Owned> all;
        for (std::size_t i = 0; i < events; ++i)
            all.push_back(random_event(random));
        const Bytes batch = batch_of(all, writer);

        test::Context memory;
        BatchReader reader(batch, memory);
        EXPECT_EQ(reader.header(), some_header());
        ASSERT_EQ(reader.events(), events);
        const auto text = [&](std::optional<std::uint32_t> place) {
            return place ? std::string(reader.dictionary()[*place]) : std::string();
        };
        BatchRow row;
        for (const Owned &owned : all) {
            ASSERT_TRUE(reader.next(row));
            EXPECT_EQ(row.time_us, owned.event.time_us);
            EXPECT_EQ(text(row.event_type), owned.event_type);
            EXPECT_EQ(text(row.component), owned.component);
            EXPECT_EQ(text(row.status), owned.status);
            EXPECT_EQ(row.metadata.value_or(""), owned.metadata);
            EXPECT_EQ(row.value, owned.event.value);
            EXPECT_EQ(row.duration_ms, owned.event.duration_ms);
            EXPECT_EQ(row.first_token_ms, owned.event.first_token_ms);
            EXPECT_EQ(row.prompt_tokens, owned.event.prompt_tokens);
            EXPECT_EQ(row.tokens_generated, owned.event.tokens_generated);
        }
        EXPECT_FALSE(reader.next(row));
    }
}

TEST(Batch, NotANumberIsKept)
{
    BatchWriter writer;
    writer.add({.event_type = "X", .value = std::nan("")});
    test::Context memory;
    const Bytes batch = writer.finish({});
    BatchReader reader(batch, memory);
    BatchRow row;
    ASSERT_TRUE(reader.next(row));
    EXPECT_TRUE(std::isnan(row.value.value()));
}

// The bytes themselves, as docs/batch-format.md shows them.
TEST(Batch, IsLaidOutAsDocumented)
{
    BatchWriter writer;
    writer.add({.time_us = 1000,
                .event_type = "THOUGHT_LATENCY",
                .component = "m",
                .duration_ms = 1.5,
                .tokens_generated = 300,
                .status = "OK",
                .metadata = "{}"});
    writer.add({.time_us = 999, .event_type = "X", .component = "m"});
    const Bytes batch = writer.finish({.producer = {1}, .sequence = 2});
    EXPECT_EQ(Bytes(batch.begin(), batch.begin() + 4), (Bytes{'G', 'T', 'B', 1}));
    EXPECT_EQ(batch[4], batch.size());
    EXPECT_EQ(batch[12], 1);
    EXPECT_EQ(batch[28], 2);
    const Bytes body = {2,   4, // events, strings
                        15,  'T', 'H',  'O',  'U', 'G', 'H', 'T', '_',  'L',  'A',  'T',  'E', 'N',
                        'C', 'Y', 1,    'm',  2,   'O', 'K', 1,   'X',  1,    0xd0, 0x0f, 1, // +1000, -1
                        1,   0,   3,                                                         // event_type
                        1,   1,   1,                                                         // component
                        0,                                                                   // value
                        2,   1,   0,    0,    0,   0,   0,   0,   0xf8, 0x3f,                // duration_ms
                        0,   0,                     // first_token_ms, prompt_tokens
                        2,   1,   0xac, 0x02,       // tokens_generated
                        2,   1,   2,                // status
                        2,   1,   2,    '{',  '}'}; // metadata
    EXPECT_EQ(Bytes(batch.begin() + batch_header_bytes, batch.end()), body);
}

TEST(Batch, HeaderIsReplacedInPlace)
{
    Bytes batch = random_batch(40);
    BatchHeader header = some_header();
    header.sent_at += 5'000'000;
    header.account.accepted = 99;
    rewrite_header(batch, header);
    test::Context memory;
    EXPECT_EQ(BatchReader(batch, memory).header(), header);
    EXPECT_EQ(read_all(batch), 40U);
}

TEST(Batch, LengthIsFoundAtTheBeginning)
{
    const Bytes batch = random_batch(3);
    EXPECT_EQ(batch_length(std::span(batch).first(8)), batch.size());
    EXPECT_EQ(error_of([&] { (void)batch_length(std::span(batch).first(7)); }), ErrorKind::truncated);
}

TEST(Batch, EveryTruncationIsRefused)
{
    const Bytes batch = random_batch(30);
    for (std::size_t size = 0; size < batch.size(); ++size) {
        EXPECT_EQ(error_of([&] { read_all(Bytes(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(size))); }),
                  ErrorKind::truncated);
    }
    Bytes longer = batch;
    longer.push_back(0);
    EXPECT_EQ(error_of([&] { read_all(longer); }), ErrorKind::corrupt);
}

TEST(Batch, EveryBitFlipIsRefused)
{
    const Bytes batch = random_batch(30);
    for (std::size_t bit = 0; bit < 8 * batch.size(); ++bit) {
        Bytes flipped = batch;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_THROW(read_all(flipped), Error) << "bit " << bit;
    }
}

// Damage that the checksum does not see, since whoever did it computed it anew.
TEST(Batch, DamageUnderAValidChecksumIsRefusedOrRead)
{
    const Bytes batch = random_batch(30);
    test::Random random{5};
    for (std::size_t bit = 8 * batch_header_bytes; bit < 8 * batch.size(); ++bit) {
        Bytes flipped = batch;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (below(random, 4) == 0)
            flipped[batch_header_bytes + below(random, flipped.size() - batch_header_bytes)] ^= 0xff;
        recompute_checksum(flipped);
        try {
            EXPECT_LE(read_all(flipped), flipped.size());
        } catch (const Error &error) {
            EXPECT_LE(error.position(), flipped.size());
        }
    }
}

ErrorKind error_of_body(const Bytes &body)
{
    Bytes batch(batch_header_bytes);
    batch.insert(batch.end(), body.begin(), body.end());
    rewrite_header(batch, {});
    return error_of([&] { read_all(batch); });
}

TEST(Batch, ImpossibleContentIsRefused)
{
    const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    const auto after = [](Bytes first, const Bytes &rest) {
        first.insert(first.end(), rest.begin(), rest.end());
        return first;
    };
    EXPECT_EQ(error_of_body(huge), ErrorKind::corrupt);                           // events
    EXPECT_EQ(error_of_body(after({0}, huge)), ErrorKind::corrupt);               // strings
    EXPECT_EQ(error_of_body(after({1, 1}, huge)), ErrorKind::corrupt);            // length of a string
    EXPECT_EQ(error_of_body({1, 1, 1, 'x', 0}), ErrorKind::corrupt);              // an event without a time
    EXPECT_EQ(error_of_body({1, 1, 1, 'x', 3, 0}), ErrorKind::corrupt);           // unknown kind of column
    EXPECT_EQ(error_of_body({1, 1, 1, 'x', 1, 0, 1, 1}), ErrorKind::corrupt);     // not in the dictionary
    EXPECT_EQ(error_of_body({1, 4, 0, 0, 0, 0, 1, 0, 1, 0}), ErrorKind::corrupt); // more strings than it can have
    EXPECT_EQ(error_of_body({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), ErrorKind::corrupt); // and none without events
    EXPECT_EQ(error_of_body({1, 1, 1, 'x', 1, 0, 1, 0, 2, 2, 0}), ErrorKind::corrupt);     // bit beyond the last event
    EXPECT_EQ(error_of_body(
                  after(after({1, 1, 1, 'x', 1, 0, 1, 0, 0, 0, 0, 0, 1}, {0x80, 0x80, 0x80, 0x80, 0x08}), {0, 0, 0})),
              ErrorKind::corrupt); // 2^31 tokens
    EXPECT_EQ(error_of_body({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}), ErrorKind::corrupt);
}

TEST(Batch, OtherVersionsAndOtherFilesAreToldApart)
{
    Bytes batch = random_batch(1);
    batch[3] = 2;
    EXPECT_EQ(error_of([&] { read_all(batch); }), ErrorKind::unknown_version);
    batch[0] = 'X';
    EXPECT_EQ(error_of([&] { read_all(batch); }), ErrorKind::corrupt);
    Bytes long_one = random_batch(1);
    long_one[7] = 0xff; // says that it is 4 GB long
    EXPECT_EQ(error_of([&] { read_all(long_one); }), ErrorKind::corrupt);
}

TEST(Batch, MemoryIsInProportionToTheInput)
{
    const Bytes batch = random_batch(1000);
    test::Context memory;
    BatchReader reader(batch, memory);
    EXPECT_LE(memory.used(), 20 * batch.size());
}

} // namespace
} // namespace gravitas::telemetry::core
