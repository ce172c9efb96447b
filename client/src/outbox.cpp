#include "outbox.hpp"

#include <algorithm>
#include <cmath>
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

const Outbox::Batch *Outbox::next_to_send(const Account &account) noexcept
{
    if (in_flight_ == batches_.size())
        return nullptr;
    Batch &batch = batches_[in_flight_];
    batch.header.sent_at = now_us();
    batch.header.account = {account.accepted, account.stored, account.queued, 0, account.dropped, account.refused};
    core::rewrite_header(batch.bytes, batch.header);
    return &batch;
}

void Outbox::answered() noexcept
{
    events_ -= batches_.front().events;
    batches_.pop_front();
    --in_flight_;
}

void Outbox::empty_front()
{
    Batch &batch = batches_.front();
    events_ -= batch.events;
    batch.events = 0;
    batch.header.created_at = now_us();
    writer_.clear();
    batch.bytes = writer_.finish(batch.header);
}

void Outbox::change_producer()
{
    producer_ = new_producer();
    next_sequence_ = 1;
    for (Batch &batch : batches_) {
        batch.header.producer = producer_;
        batch.header.sequence = next_sequence_++;
        core::rewrite_header(batch.bytes, batch.header);
    }
}

} // namespace gravitas::telemetry
