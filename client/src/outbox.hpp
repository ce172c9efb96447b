#pragma once

#include "core/batch_writer.hpp"
#include "record.hpp"

#include <deque>
#include <vector>

namespace gravitas::telemetry {

// The batches that are made and not answered yet, and the producer whose they are. They are kept until the server has
// answered, and sent again as they are where it has not: that is what makes delivery exactly once, see
// docs/batch-format.md.
class Outbox {
public:
    struct Batch {
        std::vector<std::uint8_t> bytes;
        core::BatchHeader header;
        std::size_t events = 0;
    };

    Outbox() : producer_(new_producer()) {}

    [[nodiscard]] bool empty() const noexcept { return batches_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return batches_.size(); }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t events() const noexcept { return events_; }

    // Makes a batch of the oldest events: at most so many, and about so many bytes. How many it took.
    std::size_t make(const std::deque<Record> &events, std::size_t at_most);

    // The first batch that is not under way, with its header brought up to date; nullptr where there is none.
    const Batch *next_to_send(const Account &account) noexcept;
    void sent() noexcept { ++in_flight_; }

    // The oldest batch, which the next answer is about.
    [[nodiscard]] const Batch &front() const noexcept { return batches_.front(); }
    void answered() noexcept;                         // and done with
    void all_come_back() noexcept { in_flight_ = 0; } // to be sent again
    // The oldest one can never be stored: its sequence goes on without events.
    void empty_front();
    // The server has forgotten the producer: the same batches, as a new one's.
    void change_producer();

private:
    static core::ProducerId new_producer();

    core::ProducerId producer_;
    std::uint64_t next_sequence_ = 1;
    std::deque<Batch> batches_; // those in flight first
    std::size_t in_flight_ = 0;
    std::size_t events_ = 0;
    core::BatchWriter writer_;
};

} // namespace gravitas::telemetry
