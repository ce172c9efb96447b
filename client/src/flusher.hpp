#pragma once

#include "connection.hpp"
#include "event_queue.hpp"
#include "ledger.hpp"
#include "notifier.hpp"
#include "outbox.hpp"
#include "waker.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

namespace gravitas::telemetry {

// Everything between log…() and the database: the queue, and the one thread that empties it.
//
// The thread shares ownership of its Flusher, for one case only: it may be stuck in the resolver, which cannot be
// interrupted, when close() has to return. Then it is left alone and ends when it can.
class Flusher : public std::enable_shared_from_this<Flusher> {
public:
    // Throws std::invalid_argument for a conninfo that cannot be read.
    static std::shared_ptr<Flusher> start(const Options &options);

    bool push(const Draft &draft) noexcept;
    // The same for an event that needs no memory. One that no database could store is counted as refused.
    bool push(Record &&record, bool is_storable) noexcept;
    bool flush(Deadline deadline) noexcept;
    bool close(Deadline deadline) noexcept;
    [[nodiscard]] Account account() const noexcept { return ledger_.snapshot(); }
    // In the child of a fork: lets go of the parent's files.
    void leave_to_parent() noexcept;

private:
    explicit Flusher(const Options &options);

    [[nodiscard]] bool is_own_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }
    void launch();
    void abandon() noexcept;

    // On the thread, in the order of a round.
    void run() noexcept;
    void answer_flushes() noexcept;
    void spill_if_pressed() noexcept;
    bool spill(bool all);
    void wake_when_pressed() noexcept;
    [[nodiscard]] bool spills() const noexcept { return !spill_directory_.empty(); }
    [[nodiscard]] std::size_t pressed() const noexcept { return capacity_ - capacity_ / 2; } // events in memory
    [[nodiscard]] Outbox &sending() noexcept { return orphan_ ? *orphan_ : outbox_; }
    [[nodiscard]] bool is_time_to_stop() const noexcept;
    [[nodiscard]] Deadline next_attempt(Deadline now) noexcept;
    void sleep_until(Deadline deadline) noexcept;
    void attempt() noexcept;
    void adopt_orphan();
    void adopt(SpillFile &&file);
    void open_session();
    void make_batches();
    void make_batch();
    void send_batches();
    void receive_answer();
    void accept(const Result &reply);
    void reject(const Error &error);
    void give_up(const Error &error, bool is_refusal);
    void forgotten(const Error &error);
    void take_events(std::size_t up_to) noexcept;
    void settled(std::size_t events) noexcept;
    void report_drops() noexcept;
    void retry_later(const Error &error) noexcept;
    void spill_at_the_end() noexcept;
    void finish() noexcept;

    const std::size_t capacity_;
    const std::size_t batch_events_;
    const std::size_t batches_in_flight_;
    const bool blocks_;
    const std::string spill_directory_; // empty where it does not spill
    const std::uint64_t spill_bytes_max_;
    const std::chrono::milliseconds batch_age_;
    const std::chrono::milliseconds reconnect_max_;

    Ledger ledger_;
    Interrupt interrupt_;
    EventQueue queue_;
    Notifier notifier_;
    std::thread thread_;

    // Between flush() and close() and the thread.
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t flush_requested_ = 0; // flushes are numbered from 1
    std::uint64_t flush_answered_ = 0;
    bool finished_ = false;
    std::size_t left_at_close_ = 0;
    std::atomic<bool> closing_{false};
    std::atomic<bool> hurry_{false}; // somebody waits: try again now

    // The thread's own.
    Connection connection_;
    std::deque<Record> pending_; // taken from the queue, oldest first
    Outbox outbox_;              // and these are before them
    // What another process left behind goes before all that. While there is one, only its batches are under way.
    std::optional<Outbox> orphan_;
    bool looks_for_orphans_;
    std::optional<Deadline> spill_retry_at_; // after the file could not be written
    // After an error the batches behind it are out of sequence: so many of their answers mean nothing.
    std::size_t answers_to_discard_ = 0;
    std::uint64_t drops_reported_ = 0;
    std::uint64_t flush_marked_ = 0; // the flush that is being answered, if it is not flush_answered_
    std::size_t flush_rest_ = 0;     // how many events, the oldest ones, it waits for
    std::optional<Deadline> oldest_since_;
    std::optional<Deadline> retry_at_;
    int failures_ = 0;                                          // in a row
    const Error out_of_memory_{"out of memory", "53200", true}; // made while there is some
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace gravitas::telemetry
