#pragma once

#include "counter.hpp"
#include "ledger.hpp"
#include "record.hpp"
#include "waker.hpp"

#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#elif __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#else
#include <moodycamel/concurrentqueue.h>
#endif

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>

namespace gravitas::telemetry {

// From any thread to the flusher. `capacity` bounds what is in memory, not what is in the queue: an event
// gives its place back when it is settled, not when it is taken.
class EventQueue {
public:
    static constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();

    EventQueue(std::size_t capacity, Ledger &ledger, Waker &waker) : capacity_(capacity), ledger_(ledger), waker_(waker)
    {
    }

    // False if the event was dropped. Where `waits`, it waits while the queue is full.
    bool push(Record &&record, bool waits) noexcept;

    // The rest is the flusher's.
    // Moves at most `limit` events to the end of `events`, each with its time; fewer mean that the queue was empty. It
    // ends however fast others push: what was taken still counts against the capacity.
    std::size_t take(std::deque<Record> &events, std::size_t limit) noexcept;
    // Signals the waker, once, when so many events are in memory; `nothing` for never.
    void wake_at(std::size_t events) noexcept { wake_at_.store(events); }

private:
    bool enqueue(Record &&record) noexcept;

    const std::size_t capacity_;
    Ledger &ledger_;
    Waker &waker_;
    // With room from the start for as many as most programs ever have: memory that is asked for while an event is
    // logged makes that call a hundred times longer.
    static constexpr std::size_t most_at_start = 65'536;
    moodycamel::ConcurrentQueue<Record> queue_{std::min(capacity_, most_at_start)};
    moodycamel::ConsumerToken consumer_{queue_}; // takes from all threads in turn
    CounterTimes counter_times_;
    alignas(64) std::atomic<std::size_t> wake_at_{nothing};
};

} // namespace gravitas::telemetry
