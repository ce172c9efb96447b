#include "ledger.hpp"

#include <algorithm>

namespace gravitas::telemetry {

std::size_t Ledger::try_reserve(std::size_t capacity) noexcept
{
    std::uint64_t queued = queued_.load(std::memory_order_relaxed);
    do {
        // The closed bit makes it larger than any capacity.
        if (queued >= capacity)
            return 0;
    } while (!queued_.compare_exchange_weak(queued, queued + 1));
    return queued + 1;
}

std::size_t Ledger::reserve(std::size_t capacity, bool waits) noexcept
{
    std::size_t queued = try_reserve(capacity);
    if (queued == 0 && waits) {
        std::unique_lock lock(mutex_);
        ++blocked_;
        room_.wait(lock, [&] { return (queued = try_reserve(capacity)) > 0 || is_closed(); });
        --blocked_;
    }
    if (queued == 0)
        dropped_.fetch_add(1, std::memory_order_relaxed);
    return queued;
}

void Ledger::close() noexcept
{
    const std::lock_guard lock(mutex_);
    queued_.fetch_or(closed_bit);
    room_.notify_all();
}

void Ledger::settle(std::size_t events, Place from, Counter &to) noexcept
{
    const std::lock_guard lock(mutex_);
    if (from == Place::memory) {
        // Fewer only if close() gave the flusher up and has dropped them already.
        events = std::min(events, queued());
        queued_.fetch_sub(events);
    } else {
        spilled_.fetch_sub(events, std::memory_order_relaxed);
    }
    to.fetch_add(events, std::memory_order_relaxed);
    if (blocked_ > 0)
        room_.notify_all();
}

std::size_t Ledger::drop_queued() noexcept
{
    const std::lock_guard lock(mutex_);
    const std::size_t events = queued();
    queued_.fetch_sub(events);
    dropped_.fetch_add(events, std::memory_order_relaxed);
    return events;
}

Account Ledger::snapshot() const noexcept
{
    const std::lock_guard lock(mutex_);
    Account account{.accepted = 0,
                    .stored = stored_.load(std::memory_order_relaxed),
                    .queued = queued(),
                    .spilled = spilled_.load(std::memory_order_relaxed),
                    .dropped = dropped_.load(std::memory_order_relaxed),
                    .refused = refused_.load(std::memory_order_relaxed)};
    account.accepted = account.stored + account.queued + account.spilled + account.dropped + account.refused;
    return account;
}

} // namespace gravitas::telemetry
