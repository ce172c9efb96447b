#include "event_queue.hpp"

#include <utility>

namespace gravitas::telemetry {

bool EventQueue::push(Record &&record, bool waits) noexcept
{
    const std::size_t queued = ledger_.reserve(capacity_, waits);
    if (queued == 0)
        return false;
    if (!enqueue(std::move(record))) {
        ledger_.settle_dropped(1, Ledger::Place::memory);
        return false;
    }
    if (queued >= wake_at_.load() && wake_at_.exchange(nothing) != nothing)
        waker_.signal();
    return true;
}

bool EventQueue::enqueue(Record &&record) noexcept
try {
    return queue_.enqueue(std::move(record));
} catch (...) {
    return false; // out of memory
}

std::size_t EventQueue::take(std::deque<Record> &events, std::size_t limit) noexcept
{
    std::size_t taken = 0;
    bool has_looked = false;
    for (Record record; taken < limit && queue_.try_dequeue(consumer_, record); ++taken) {
        if (std::exchange(record.is_counted, false)) {
            if (!std::exchange(has_looked, true))
                counter_times_.look_again();
            record.time_us = counter_times_.time_us(record.time_us);
        }
        try {
            events.push_back(std::move(record));
        } catch (...) {
            ledger_.settle_dropped(1, Ledger::Place::memory); // out of memory
        }
    }
    return taken;
}

} // namespace gravitas::telemetry
