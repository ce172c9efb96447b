#include "core/batch_reader.hpp"

#include <algorithm>
#include <limits>

namespace gravitas::telemetry::core {

namespace {

constexpr std::size_t checksum_at = 8;

std::string_view text_in(Reader &reader)
{
    const std::uint64_t size = reader.varint();
    reader.check(size <= reader.remaining(), "string goes past the end");
    const auto bytes = reader.bytes(static_cast<std::size_t>(size));
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::uint64_t fixed_in(Reader &reader, unsigned width)
{
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : reader.bytes(width)) {
        value |= static_cast<std::uint64_t>(byte) << shift;
        shift += 8;
    }
    return value;
}

} // namespace

std::size_t batch_length(std::span<const std::uint8_t> start)
{
    Reader reader{start};
    const auto magic = reader.bytes(batch_magic.size());
    if (!std::equal(magic.begin(), magic.end() - 1, batch_magic.begin()))
        throw Error{ErrorKind::corrupt, "not a batch of telemetry"};
    if (magic.back() != batch_magic.back())
        throw Error{ErrorKind::unknown_version, "batch of an unknown version (byte 3)"};
    const std::uint64_t length = fixed_in(reader, 4);
    if (length < batch_header_bytes || length > max_batch_bytes)
        throw Error{ErrorKind::corrupt, "impossible length of a batch", batch_magic.size()};
    return static_cast<std::size_t>(length);
}

BatchReader::BatchReader(std::span<const std::uint8_t> batch, std::pmr::memory_resource &memory)
{
    const std::size_t length = batch_length(batch);
    if (length > batch.size())
        throw Error{ErrorKind::truncated, "batch ends too early", batch.size()};
    if (length < batch.size())
        throw Error{ErrorKind::corrupt, "batch goes on after its end", length};
    Reader reader{batch};
    read_header(reader);
    if (checksum_ != batch_checksum(batch))
        throw Error{ErrorKind::corrupt, "checksum of the batch does not match", checksum_at};
    read_dictionary(reader, memory);
    for (std::size_t place = 0; place < batch_columns; ++place)
        read_column(reader, static_cast<BatchColumn>(place));
    reader.expect_end();
}

void BatchReader::read_header(Reader &reader)
{
    (void)reader.bytes(checksum_at); // batch_length() has read them
    checksum_ = static_cast<std::uint32_t>(fixed_in(reader, 4));
    const auto producer = reader.bytes(header_.producer.size());
    std::copy(producer.begin(), producer.end(), header_.producer.begin());
    header_.sequence = fixed_in(reader, 8);
    header_.created_at = static_cast<std::int64_t>(fixed_in(reader, 8));
    header_.sent_at = static_cast<std::int64_t>(fixed_in(reader, 8));
    ClientAccount &account = header_.account;
    for (std::uint64_t *const count :
         {&account.accepted, &account.stored, &account.queued, &account.spilled, &account.dropped, &account.refused})
        *count = fixed_in(reader, 8);
}

void BatchReader::read_dictionary(Reader &reader, std::pmr::memory_resource &memory)
{
    // An event takes two bytes at least, and no batch has strings that no event needs: so what memory is asked for is a
    // few times what was sent.
    const std::uint64_t events = reader.varint();
    reader.check(events <= reader.remaining() / 2, "more events than bytes");
    events_ = static_cast<std::size_t>(events);
    const std::uint64_t strings = reader.varint();
    reader.check(strings <= text_columns * events && strings <= reader.remaining(),
                 "more strings than events can have");
    dictionary_.reserve(static_cast<std::size_t>(strings), memory);
    for (std::uint64_t i = 0; i < strings; ++i)
        dictionary_.push_back(text_in(reader), memory);
}

void BatchReader::read_column(Reader &reader, BatchColumn place)
{
    Column &column = columns_[static_cast<std::size_t>(place)];
    const std::uint8_t presence = reader.byte();
    reader.check(presence <= static_cast<std::uint8_t>(Presence::bitmap), "unknown kind of column");
    column.presence = static_cast<Presence>(presence);
    if (events_ > 0 && (place == BatchColumn::timestamp || place == BatchColumn::event_type))
        reader.check(column.presence == Presence::all, "events without a time or a type");

    std::size_t values = column.presence == Presence::all ? events_ : 0;
    if (column.presence == Presence::bitmap) {
        column.bitmap = reader.bytes((events_ + 7) / 8);
        for (const std::uint8_t bits : column.bitmap)
            values += static_cast<std::size_t>(std::popcount(bits));
        reader.check(events_ % 8 == 0 || column.bitmap.back() >> events_ % 8 == 0, "bits beyond the last event");
    }
    column.values = reader; // from here
    switch (place) {
    case BatchColumn::value:
    case BatchColumn::duration_ms:
    case BatchColumn::first_token_ms:
        (void)reader.bytes(values * sizeof(double));
        break;
    default:
        for (std::size_t i = 0; i < values; ++i)
            check_value(reader, place);
    }
}

void BatchReader::check_value(Reader &reader, BatchColumn place) const
{
    switch (place) {
    case BatchColumn::timestamp:
        (void)reader.signed_varint();
        break;
    case BatchColumn::prompt_tokens:
    case BatchColumn::tokens_generated:
        reader.check(reader.varint() <= std::numeric_limits<std::int32_t>::max(), "more than 2^31 - 1 tokens");
        break;
    case BatchColumn::metadata:
        (void)text_in(reader);
        break;
    default:
        reader.check(reader.varint() < dictionary_.size(), "string that is not in the dictionary");
    }
}

Reader *BatchReader::value_of(BatchColumn place) noexcept
{
    Column &column = columns_[static_cast<std::size_t>(place)];
    if (column.presence == Presence::none)
        return nullptr;
    if (column.presence == Presence::bitmap && (column.bitmap[position_ / 8] >> position_ % 8 & 1) == 0)
        return nullptr;
    return &column.values;
}

std::optional<std::uint32_t> BatchReader::place_in(BatchColumn place)
{
    Reader *const reader = value_of(place);
    return reader == nullptr ? std::nullopt : std::optional(static_cast<std::uint32_t>(reader->varint()));
}

std::optional<double> BatchReader::real_in(BatchColumn place)
{
    Reader *const reader = value_of(place);
    return reader == nullptr ? std::nullopt : std::optional(std::bit_cast<double>(fixed_in(*reader, sizeof(double))));
}

std::optional<std::int32_t> BatchReader::count_in(BatchColumn place)
{
    Reader *const reader = value_of(place);
    return reader == nullptr ? std::nullopt : std::optional(static_cast<std::int32_t>(reader->varint()));
}

bool BatchReader::next(BatchRow &row)
{
    if (position_ == events_)
        return false;
    const auto step = static_cast<std::uint64_t>(value_of(BatchColumn::timestamp)->signed_varint());
    last_time_us_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_time_us_) + step);
    row.time_us = last_time_us_;
    row.event_type = *place_in(BatchColumn::event_type);
    row.component = place_in(BatchColumn::component);
    row.value = real_in(BatchColumn::value);
    row.duration_ms = real_in(BatchColumn::duration_ms);
    row.first_token_ms = real_in(BatchColumn::first_token_ms);
    row.prompt_tokens = count_in(BatchColumn::prompt_tokens);
    row.tokens_generated = count_in(BatchColumn::tokens_generated);
    row.status = place_in(BatchColumn::status);
    Reader *const metadata = value_of(BatchColumn::metadata);
    row.metadata = metadata == nullptr ? std::nullopt : std::optional(text_in(*metadata));
    ++position_;
    return true;
}

} // namespace gravitas::telemetry::core
