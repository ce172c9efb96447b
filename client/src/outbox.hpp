#pragma once

#include "core/batch_writer.hpp"
#include "ledger.hpp"
#include "record.hpp"
#include "spill_file.hpp"

#include <atomic>
#include <deque>
#include <optional>
#include <vector>

namespace gravitas::telemetry {

// The batches that are made and not answered yet, and the producer whose they are. They are kept until the server has
// answered, and sent again as they are where it has not: that is what makes delivery exactly once, see
// docs/batch-format.md.
//
// They are in memory or in a spill file. In the file they are in order and without a gap: where a batch is in it, so
// are all before it that are not answered. So whoever adopts the file after a crash can send it as it is, and the
// server tells which of it was stored.
class Outbox {
public:
    struct Batch {
        core::BatchHeader header;
        std::size_t events = 0;
        std::vector<std::uint8_t> bytes; // empty where only the file has it
        std::optional<SpillFile::Place> place;

        [[nodiscard]] Ledger::Place waits_in() const noexcept
        {
            return place ? Ledger::Place::spill_file : Ledger::Place::memory;
        }
    };

    Outbox() : producer_(new_producer()) {}
    // Of the batches that a process left behind in its file. Where that is torn, it is cut there. Throws Stopped, and
    // leaves the file as it is, once it is to stop.
    struct Stopped {};
    Outbox(SpillFile &&orphan, const std::atomic<bool> &stop);

    [[nodiscard]] bool empty() const noexcept { return batches_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return batches_.size(); }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t events() const noexcept { return events_; }

    // Makes a batch of the oldest events: at most so many, and about so many bytes. How many it took.
    std::size_t make(const std::deque<Record> &events, std::size_t at_most);

    // The bytes of the first batch that is not under way, with its header brought up to date; empty where there is
    // none. Valid until the next call. Throws std::system_error where the file cannot be read, core::Error where it is
    // damaged.
    std::span<const std::uint8_t> next_to_send(const Account &account);
    void sent() noexcept { ++in_flight_; }

    // The oldest batch, which the next answer is about.
    [[nodiscard]] const Batch &front() const noexcept { return batches_.front(); }
    // It is done with. Throws std::system_error where the file cannot be cut, after that.
    void answered();
    void all_come_back() noexcept { in_flight_ = 0; } // to be sent again
    // The next one to send can never be stored: its sequence goes on without events.
    [[nodiscard]] const Batch &next() const noexcept { return batches_[in_flight_]; }
    void empty_next();
    // The server has forgotten the producer: the same batches, as a new one's. Throws std::system_error, then
    // unchanged.
    void change_producer();

    // ---- The spill file ----

    // Moves the oldest batch that is in memory to the file, which is made where there is none, and says how many events
    // it has. Nothing where there is no such batch, or no room in a file of so many bytes. Throws std::system_error.
    std::optional<std::size_t> spill_one(const std::string &directory, std::uint64_t at_most_bytes,
                                         const Account &account);
    [[nodiscard]] bool is_all_spilled() const noexcept { return spilled_ == batches_.size(); }
    [[nodiscard]] const std::string &path() const noexcept { return file_->path(); }
    [[nodiscard]] std::uint64_t torn_bytes() const noexcept { return torn_bytes_; } // that were cut
    // Ends without the file where nothing of it is wanted any more, else it stays for the next process.
    void close_file() noexcept;
    // In the child of a fork: it is the parent's.
    void leave_file() noexcept;

private:
    static core::ProducerId new_producer();

    std::uint64_t read_batch(std::uint64_t offset);
    std::vector<std::uint8_t> bytes_of(const Batch &batch) const;
    [[nodiscard]] std::vector<core::BatchHeader> headers() const;
    bool make_room(std::size_t bytes, std::uint64_t at_most_bytes);
    // Writes a new file of the batches that are in the old one and not answered, with these headers.
    void rewrite_file(const std::vector<core::BatchHeader> &headers);

    const bool is_orphan_ = false;
    core::ProducerId producer_ = {};
    std::uint64_t next_sequence_ = 1;
    std::deque<Batch> batches_;
    std::size_t in_flight_ = 0; // so many, the first ones
    std::size_t spilled_ = 0;   // so many, also the first ones
    std::size_t events_ = 0;
    std::optional<SpillFile> file_;
    std::uint64_t torn_bytes_ = 0;
    std::vector<std::uint8_t> sending_; // what was read from the file last
    core::BatchWriter writer_;
};

} // namespace gravitas::telemetry
