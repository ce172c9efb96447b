#include "outbox.hpp"

#include "core/batch_reader.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory_resource>
#include <random>

namespace gravitas::telemetry {

namespace {

// A batch ends here even if it has fewer events: both sides hold it in memory.
constexpr std::size_t batch_bytes = std::size_t{4} << 20;

std::int64_t now_us() noexcept
{
    return std::chrono::floor<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

std::optional<double> given(double figure) { return std::isnan(figure) ? std::nullopt : std::optional(figure); }

std::optional<std::int32_t> given(std::int32_t count)
{
    return count == Record::no_count ? std::nullopt : std::optional(count);
}

core::BatchEvent event_of(const Record &record)
{
    return {record.time_us,
            record.event_type(),
            record.component(),
            given(record.value),
            given(record.duration_ms),
            given(record.first_token_ms),
            given(record.prompt_tokens),
            given(record.tokens_generated),
            record.status(),
            record.metadata()};
}

core::ClientAccount account_of(const Account &account)
{
    return {account.accepted, account.stored, account.queued, account.spilled, account.dropped, account.refused};
}

} // namespace

// A random UUID (RFC 9562, version 4).
core::ProducerId Outbox::new_producer()
{
    std::random_device random;
    core::ProducerId id;
    for (std::uint8_t &byte : id)
        byte = static_cast<std::uint8_t>(random());
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
    return id;
}

std::size_t Outbox::make(const std::deque<Record> &events, std::size_t at_most)
{
    writer_.clear();
    while (writer_.events() < std::min(at_most, events.size()) &&
           (writer_.events() == 0 || writer_.size_bound() + events[writer_.events()].text.size() < batch_bytes))
        writer_.add(event_of(events[writer_.events()]));
    Batch batch;
    batch.events = writer_.events();
    batch.header.producer = producer_;
    batch.header.sequence = next_sequence_;
    batch.header.created_at = now_us();
    batch.bytes = writer_.finish(batch.header);
    batches_.push_back(std::move(batch));
    ++next_sequence_;
    events_ += writer_.events();
    return writer_.events();
}

std::span<const std::uint8_t> Outbox::next_to_send(const Account &account)
{
    if (in_flight_ == batches_.size())
        return {};
    Batch &batch = batches_[in_flight_];
    std::vector<std::uint8_t> &bytes = batch.bytes.empty() ? sending_ = bytes_of(batch) : batch.bytes;
    batch.header.sent_at = now_us();
    if (!is_orphan_) // else it is of the moment when its client spilled it
        batch.header.account = account_of(account);
    core::rewrite_header(bytes, batch.header);
    return bytes;
}

void Outbox::answered()
{
    events_ -= batches_.front().events;
    const bool was_last_in_file = batches_.front().place && --spilled_ == 0;
    batches_.pop_front();
    --in_flight_;
    if (was_last_in_file && !is_orphan_)
        file_->cut(0);
}

void Outbox::empty_next()
{
    Batch &batch = batches_[in_flight_];
    events_ -= batch.events;
    batch.events = 0;
    batch.header.created_at = now_us();
    writer_.clear();
    batch.bytes = writer_.finish(batch.header);
}

void Outbox::change_producer()
{
    const core::ProducerId producer = new_producer();
    std::vector<core::BatchHeader> headers = this->headers();
    for (std::size_t i = 0; i < headers.size(); ++i) {
        headers[i].producer = producer;
        headers[i].sequence = i + 1;
    }
    // Before any is sent: after a crash, too, they have to be those that the server knows.
    if (spilled_ > 0)
        rewrite_file(headers);
    for (std::size_t i = 0; i < batches_.size(); ++i)
        batches_[i].header = headers[i];
    producer_ = producer;
    next_sequence_ = headers.size() + 1;
}

// ---- The spill file ------------------------------------------------------------------------------------

Outbox::Outbox(SpillFile &&orphan, const std::atomic<bool> &stop) : is_orphan_(true), file_(std::move(orphan))
{
    for (std::uint64_t offset = 0; offset < file_->size();) {
        if (stop)
            throw Stopped();
        try {
            offset = read_batch(offset);
        } catch (const core::Error &) {
            torn_bytes_ = file_->size() - offset;
            file_->cut(offset);
        }
    }
    spilled_ = batches_.size();
}

std::uint64_t Outbox::read_batch(std::uint64_t offset)
{
    constexpr std::size_t up_to_length = 8;
    const std::size_t length = core::batch_length(file_->read({offset, up_to_length}));
    const std::vector<std::uint8_t> bytes = file_->read({offset, length});
    std::pmr::monotonic_buffer_resource memory;
    const core::BatchReader batch(bytes, memory);
    if (batches_.empty()) {
        producer_ = batch.header().producer;
        next_sequence_ = batch.header().sequence;
    }
    if (batch.header().producer != producer_ || batch.header().sequence != next_sequence_)
        throw core::Error(core::ErrorKind::corrupt, "batch out of order");
    batches_.push_back({.header = batch.header(), .events = batch.events(), .bytes = {}, .place = {{offset, length}}});
    events_ += batch.events();
    ++next_sequence_;
    return offset + length;
}

// What the file has of a batch. Throws where that is not what was written, since a new checksum would hide it.
std::vector<std::uint8_t> Outbox::bytes_of(const Batch &batch) const
{
    std::vector<std::uint8_t> bytes = file_->read(*batch.place);
    std::pmr::monotonic_buffer_resource memory;
    static_cast<void>(core::BatchReader(bytes, memory));
    return bytes;
}

std::optional<std::size_t> Outbox::spill_one(const std::string &directory, std::uint64_t at_most_bytes,
                                             const Account &account)
{
    if (is_all_spilled())
        return std::nullopt;
    if (!file_)
        file_.emplace(SpillFile::create(directory));
    if (spilled_ == 0)
        file_->cut(0); // what is answered must not be before what follows with a gap
    Batch &batch = batches_[spilled_];
    if (!make_room(batch.bytes.size(), at_most_bytes))
        return std::nullopt;
    batch.header.account = account_of(account);
    core::rewrite_header(batch.bytes, batch.header);
    batch.place = file_->append(batch.bytes);
    batch.bytes = {};
    ++spilled_;
    return batch.events;
}

// Where half of the file is answered, the rest is copied to a new one.
bool Outbox::make_room(std::size_t bytes, std::uint64_t at_most_bytes)
{
    const auto fits = [&] { return bytes <= at_most_bytes && file_->size() <= at_most_bytes - bytes; };
    if (!fits() && spilled_ > 0 && batches_.front().place->offset >= file_->size() / 2)
        rewrite_file(headers());
    return fits();
}

std::vector<core::BatchHeader> Outbox::headers() const
{
    std::vector<core::BatchHeader> headers;
    for (const Batch &batch : batches_)
        headers.push_back(batch.header);
    return headers;
}

void Outbox::rewrite_file(const std::vector<core::BatchHeader> &headers)
{
    SpillFile copy = SpillFile::create_successor(*file_);
    std::vector<SpillFile::Place> places;
    try {
        for (std::size_t i = 0; i < spilled_; ++i) {
            std::vector<std::uint8_t> bytes = batches_[i].bytes.empty() ? bytes_of(batches_[i]) : batches_[i].bytes;
            core::rewrite_header(bytes, headers[i]);
            places.push_back(copy.append(bytes));
        }
        file_->replace_by(std::move(copy));
    } catch (...) {
        copy.remove();
        throw;
    }
    for (std::size_t i = 0; i < spilled_; ++i)
        batches_[i].place = places[i];
}

void Outbox::close_file() noexcept
{
    if (!file_)
        return;
    if (spilled_ == 0)
        file_->remove();
    file_.reset();
}

void Outbox::leave_file() noexcept
{
    if (file_)
        file_->close();
}

} // namespace gravitas::telemetry
