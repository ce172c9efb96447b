#include "core/batch_writer.hpp"

#include "core/bytes.hpp"

namespace gravitas::telemetry::core {

namespace {

using Bytes = std::vector<std::uint8_t>;

void append_varint(Bytes &bytes, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes.push_back(static_cast<std::uint8_t>(value | 0x80));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

void append(Bytes &bytes, std::string_view text)
{
    append_varint(bytes, text.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
}

} // namespace

Bytes &BatchWriter::start_value(BatchColumn place)
{
    Column &column = this->column(place);
    column.bitmap.resize(events_ / 8 + 1);
    column.bitmap[events_ / 8] |= static_cast<std::uint8_t>(1U << events_ % 8);
    ++column.present;
    return column.values;
}

std::uint32_t BatchWriter::place_of(std::string_view text)
{
    if (const auto known = places_.find(text); known != places_.end())
        return known->second;
    const auto place = static_cast<std::uint32_t>(dictionary_.size());
    places_.emplace(dictionary_.emplace_back(text), place);
    dictionary_bytes_ += varint_size(text.size()) + text.size();
    return place;
}

void BatchWriter::add_text(BatchColumn column, std::string_view text)
{
    if (!text.empty())
        append_varint(start_value(column), place_of(text));
}

void BatchWriter::add_real(BatchColumn column, const std::optional<double> &real)
{
    if (!real)
        return;
    Bytes &values = start_value(column);
    const auto bits = std::bit_cast<std::uint64_t>(*real);
    for (unsigned shift = 0; shift < 64; shift += 8)
        values.push_back(static_cast<std::uint8_t>(bits >> shift));
}

void BatchWriter::add_count(BatchColumn column, const std::optional<std::int32_t> &count)
{
    if (count)
        append_varint(start_value(column), static_cast<std::uint32_t>(*count));
}

void BatchWriter::add(const BatchEvent &event)
{
    // Differences wrap around: any two times have one.
    const std::uint64_t step = static_cast<std::uint64_t>(event.time_us) - static_cast<std::uint64_t>(last_time_us_);
    const auto negative = static_cast<std::uint64_t>(static_cast<std::int64_t>(step) >> 63);
    append_varint(start_value(BatchColumn::timestamp), step << 1 ^ negative);
    last_time_us_ = event.time_us;
    append_varint(start_value(BatchColumn::event_type), place_of(event.event_type));
    add_text(BatchColumn::component, event.component);
    add_real(BatchColumn::value, event.value);
    add_real(BatchColumn::duration_ms, event.duration_ms);
    add_real(BatchColumn::first_token_ms, event.first_token_ms);
    add_count(BatchColumn::prompt_tokens, event.prompt_tokens);
    add_count(BatchColumn::tokens_generated, event.tokens_generated);
    add_text(BatchColumn::status, event.status);
    if (!event.metadata.empty())
        append(start_value(BatchColumn::metadata), event.metadata);
    ++events_;
}

std::size_t BatchWriter::size_bound() const noexcept
{
    constexpr std::size_t two_counts = 20; // of events and of the dictionary
    std::size_t size = batch_header_bytes + two_counts + dictionary_bytes_;
    for (const Column &column : columns_)
        size += 1 + column.bitmap.size() + column.values.size();
    return size;
}

Bytes BatchWriter::finish(const BatchHeader &header) const
{
    Bytes batch;
    batch.reserve(size_bound());
    batch.resize(batch_header_bytes);
    append_varint(batch, events_);
    append_varint(batch, dictionary_.size());
    for (const std::string &text : dictionary_)
        append(batch, text);
    for (const Column &column : columns_) {
        const Presence presence = column.present == 0         ? Presence::none
                                  : column.present == events_ ? Presence::all
                                                              : Presence::bitmap;
        batch.push_back(static_cast<std::uint8_t>(presence));
        if (presence == Presence::bitmap) {
            batch.insert(batch.end(), column.bitmap.begin(), column.bitmap.end());
            batch.resize(batch.size() + (events_ + 7) / 8 - column.bitmap.size());
        }
        batch.insert(batch.end(), column.values.begin(), column.values.end());
    }
    rewrite_header(batch, header);
    return batch;
}

void BatchWriter::clear() noexcept
{
    for (Column &column : columns_) {
        column.values.clear();
        column.bitmap.clear();
        column.present = 0;
    }
    places_.clear();
    dictionary_.clear();
    dictionary_bytes_ = 0;
    events_ = 0;
    last_time_us_ = 0;
}

} // namespace gravitas::telemetry::core
