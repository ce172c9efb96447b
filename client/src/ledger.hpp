#pragma once

#include <gravitas/telemetry.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace gravitas::telemetry {

// Keeps the account, and with it the bound of the queue.
//
// Every event is in exactly one of the five counters from the moment it is accepted, and `accepted` is not a
// counter but their sum; so the account closes by construction, provided that nobody reads between the two
// halves of a move from one counter to another. Accepting adds to one counter, in one atomic step. Every move
// (out of `queued` or `spilled`, always) holds mutex_, and so does the snapshot: while one is taken, counters only
// grow. For the same reason the sum never falls from one snapshot to the next.
class Ledger {
public:
    // Where an event waits.
    enum class Place { memory, spill_file };

    // Accepts an event into the queue and returns how many are queued now; 0 if it was full, or closed, and the
    // event is counted as dropped. Where `waits`, it waits for room or for the end.
    std::size_t reserve(std::size_t capacity, bool waits) noexcept;
    void refuse() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }
    // An event for which there is no memory.
    void drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

    // Events that waited have met their end.
    void settle_stored(std::size_t events, Place from) noexcept { settle(events, from, stored_); }
    void settle_refused(std::size_t events, Place from) noexcept { settle(events, from, refused_); }
    void settle_dropped(std::size_t events, Place from) noexcept { settle(events, from, dropped_); }
    // Queued events are in the spill file now.
    void spill(std::size_t events) noexcept { settle(events, Place::memory, spilled_); }
    // Events that another process had accepted and spilled.
    void adopt(std::size_t events) noexcept { spilled_.fetch_add(events, std::memory_order_relaxed); }

    // From now on every event is dropped.
    void close() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return (queued_.load(std::memory_order_relaxed) & closed_bit) > 0; }
    // Drops all that is in memory, and says how much that was.
    std::size_t drop_queued() noexcept;

    [[nodiscard]] std::size_t queued() const noexcept { return queued_.load() & ~closed_bit; }
    // All that waits, in the spill file too.
    [[nodiscard]] std::size_t waiting() const noexcept { return queued() + spilled_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    [[nodiscard]] Account snapshot() const noexcept;

private:
    using Counter = std::atomic<std::uint64_t>;
    static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;

    std::size_t try_reserve(std::size_t capacity) noexcept;
    void settle(std::size_t events, Place from, Counter &to) noexcept;

    alignas(64) Counter queued_{0}; // and the closed bit
    Counter dropped_{0};
    Counter refused_{0};
    alignas(64) Counter stored_{0};
    Counter spilled_{0};
    mutable std::mutex mutex_;
    std::condition_variable room_; // for those who wait in reserve()
    std::atomic<std::size_t> blocked_{0};
};

} // namespace gravitas::telemetry
