// The thread, and those who wait for it. What it does with batches and the server is in flusher_delivery.cpp.

#include "flusher.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <new>
#include <system_error>

namespace gravitas::telemetry {

namespace {

using std::chrono::milliseconds;
using Topic = Notifier::Topic;

constexpr milliseconds spill_retry{1'000};

// How much longer than its deadline close() waits for a thread that is on its way out, and for one that writes a file.
constexpr milliseconds close_grace{20};
constexpr milliseconds spill_grace{1'000};

// While it exists, threads are started with all signals blocked: signals are the application's.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked &) = delete;
    SignalsBlocked &operator=(const SignalsBlocked &) = delete;

private:
    sigset_t before_;
};

} // namespace

// ---- From any thread -----------------------------------------------------------------------------------

Flusher::Flusher(const Options &options)
    : capacity_(std::min(options.queue_capacity, std::numeric_limits<std::size_t>::max() / 4)),
      batch_events_(std::min(options.batch_events, capacity_)), batches_in_flight_(options.batches_in_flight),
      blocks_(options.on_full == OnFull::block),
      spill_directory_(options.on_full == OnFull::spill ? options.spill_directory : std::string()),
      spill_bytes_max_(options.spill_bytes_max), batch_age_(options.batch_age),
      reconnect_max_(std::max(options.reconnect_max, milliseconds(1))), queue_(capacity_, ledger_, interrupt_.waker),
      notifier_(options.on_error), connection_(ConnectionParameters(options.conninfo), &interrupt_),
      looks_for_orphans_(spills())
{
    interrupt_.look_after = [this] {
        spill_if_pressed();
        wake_when_pressed();
    };
}

std::shared_ptr<Flusher> Flusher::start(const Options &options)
{
    const std::shared_ptr<Flusher> flusher(new Flusher(options));
    flusher->launch();
    return flusher;
}

void Flusher::launch()
{
    const SignalsBlocked blocked;
    const std::lock_guard lock(mutex_);
    thread_ = std::thread([self = shared_from_this()] {
        {
            const std::lock_guard started(self->mutex_);
        } // thread_ is set
        self->run();
    });
}

bool Flusher::push(const Draft &draft) noexcept
{
    if (!is_storable(draft))
        return push(Record(), false);
    try {
        return push(Record(draft), true);
    } catch (...) {
        ledger_.drop();
        return false;
    }
}

bool Flusher::push(Record &&record, bool is_storable) noexcept
{
    if (!is_storable && !ledger_.is_closed()) [[unlikely]] {
        ledger_.refuse();
        return false;
    }
    return queue_.push(std::move(record), blocks_ && !is_own_thread());
}

bool Flusher::flush(Deadline deadline) noexcept
{
    // From on_error, waiting would be for itself.
    if (ledger_.waiting() == 0 || is_own_thread())
        return ledger_.waiting() == 0;
    std::unique_lock lock(mutex_);
    const std::uint64_t number = ++flush_requested_;
    hurry_ = true;
    interrupt_.waker.signal();
    return changed_.wait_until(lock, deadline, [&] { return flush_answered_ >= number || finished_; }) &&
           (flush_answered_ >= number || (left_at_close_ == 0 && ledger_.waiting() == 0));
}

bool Flusher::close(Deadline deadline) noexcept
{
    ledger_.close();
    interrupt_.stop_at = deadline;
    closing_ = true;
    hurry_ = true;
    interrupt_.waker.signal();
    if (is_own_thread())
        return ledger_.queued() == 0;

    std::unique_lock lock(mutex_);
    const bool finished =
        changed_.wait_until(lock, later(deadline, spills() ? spill_grace : close_grace), [&] { return finished_; });
    lock.unlock();
    if (!thread_.joinable())
        return left_at_close_ == 0;
    if (finished)
        thread_.join();
    else
        abandon();
    return left_at_close_ == 0;
}

void Flusher::abandon() noexcept
{
    notifier_.silence();
    thread_.detach();
    const std::lock_guard lock(mutex_);
    left_at_close_ = ledger_.drop_queued();
    finished_ = true;
    changed_.notify_all();
}

void Flusher::leave_to_parent() noexcept
{
    outbox_.leave_file();
    if (orphan_)
        orphan_->leave_file();
}

// ---- On the thread -------------------------------------------------------------------------------------

void Flusher::run() noexcept
{
    for (;;) {
        answer_flushes();
        spill_if_pressed();
        report_drops();
        if (is_time_to_stop())
            break;
        if (hurry_.exchange(false))
            retry_at_.reset();
        const Deadline now = SteadyClock::now();
        if (const Deadline next = next_attempt(now); next > now)
            sleep_until(next);
        else
            attempt();
    }
    finish();
}

// A flush is answered when all that was in memory when it was seen is settled. That is found by emptying the queue into
// pending_, which goes on to the outbox first in, first out, and counting. One at a time, so that none waits for events
// logged long after it.
void Flusher::answer_flushes() noexcept
{
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (flush_marked_ != flush_answered_) {
                if (flush_rest_ > 0)
                    return;
                flush_answered_ = flush_marked_;
                changed_.notify_all();
            }
            if (flush_requested_ == flush_answered_)
                return;
            flush_marked_ = flush_requested_;
        }
        take_events(capacity_);
        flush_rest_ = outbox_.events() + pending_.size();
    }
}

// When half of the room is taken: the other half is for what is logged while these events are written.
void Flusher::spill_if_pressed() noexcept
{
    if (!spills() || (spill_retry_at_ && SteadyClock::now() < *spill_retry_at_))
        return;
    spill_retry_at_.reset();
    if (ledger_.queued() < pressed())
        return;
    try {
        if (!spill(false))
            spill_retry_at_ = from_now(spill_retry);
    } catch (const std::system_error &error) {
        spill_retry_at_ = from_now(spill_retry);
        notifier_.report(Topic::spill_file, Error(error.what(), {}, true));
    } catch (...) {
        spill_retry_at_ = from_now(spill_retry);
        notifier_.report(Topic::spill_file, out_of_memory_);
    }
}

// What is in memory, what is under way too: the file must have no gap. All of it, or as much as memory holds: so it
// ends, however fast others push. False where the file is as large as it may be.
bool Flusher::spill(bool all)
{
    for (std::size_t moved = 0; all || moved < capacity_;) {
        while (const std::optional<std::size_t> events =
                   outbox_.spill_one(spill_directory_, spill_bytes_max_, ledger_.snapshot())) {
            ledger_.spill(*events);
            moved += *events;
        }
        take_events(batch_events_);
        if (pending_.empty() || !outbox_.is_all_spilled())
            return outbox_.is_all_spilled();
        make_batch();
    }
    return true;
}

// While the thread waits for the server.
void Flusher::wake_when_pressed() noexcept
{
    if (!spills())
        return;
    interrupt_.look_at = spill_retry_at_.value_or(never);
    queue_.wake_at(spill_retry_at_ ? EventQueue::nothing : pressed());
    if (!spill_retry_at_ && ledger_.queued() >= pressed()) // before it was set
        interrupt_.waker.signal();
}

bool Flusher::is_time_to_stop() const noexcept
{
    return closing_ && ((ledger_.queued() == 0 && outbox_.empty()) || SteadyClock::now() >= interrupt_.stop_at.load());
}

Deadline Flusher::next_attempt(Deadline now) noexcept
{
    if (sending().in_flight() > 0 || answers_to_discard_ > 0)
        return now; // an answer is to come
    const std::size_t queued = ledger_.queued();
    const bool has_batches = !outbox_.empty() || orphan_ || looks_for_orphans_;
    if (queued == 0 && !has_batches) {
        oldest_since_.reset();
        return never;
    }
    if (!oldest_since_)
        oldest_since_ = now;
    if (retry_at_)
        return std::min(*retry_at_, interrupt_.stop_at.load());
    if (closing_ || has_batches || flush_marked_ != flush_answered_ || queued >= batch_events_)
        return now;
    return later(*oldest_since_, batch_age_);
}

void Flusher::sleep_until(Deadline deadline) noexcept
{
    std::size_t threshold = retry_at_ ? EventQueue::nothing : oldest_since_ ? batch_events_ : 1;
    if (spill_retry_at_)
        deadline = std::min(deadline, *spill_retry_at_);
    else if (spills())
        threshold = std::min(threshold, pressed());
    queue_.wake_at(threshold);
    // Whoever got past the threshold before it was set has not signalled.
    if (ledger_.queued() < threshold)
        interrupt_.waker.wait_until(deadline);
    queue_.wake_at(EventQueue::nothing);
}

void Flusher::attempt() noexcept
{
    try {
        wake_when_pressed();
        if (answers_to_discard_ == 0) {
            retry_at_.reset();
            adopt_orphan();
            open_session();
            make_batches();
            send_batches();
        }
        receive_answer();
    } catch (const Error &error) {
        retry_later(error);
    } catch (const std::system_error &error) { // of the spill file
        retry_later(Error(error.what(), {}, true));
    } catch (...) {
        connection_.close();
        retry_later(out_of_memory_);
    }
}

void Flusher::report_drops() noexcept
{
    const std::uint64_t dropped = ledger_.dropped();
    if (dropped == drops_reported_ || !notifier_.is_ready(Topic::drops))
        return;
    try {
        if (notifier_.report(Topic::drops,
                             Error(std::to_string(dropped - drops_reported_) + " events were dropped: the queue of " +
                                       std::to_string(capacity_) + " is full",
                                   {}, false)))
            drops_reported_ = dropped;
    } catch (...) {
        // out of memory: said later
    }
}

void Flusher::take_events(std::size_t up_to) noexcept
{
    if (pending_.size() >= up_to)
        return;
    const std::size_t wanted = up_to - pending_.size();
    const Deadline now = SteadyClock::now();
    if (queue_.take(pending_, wanted) < wanted)
        oldest_since_ = now; // what is queued from here on was logged after now
}

void Flusher::spill_at_the_end() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (finished_) // given up: what was in memory is counted as dropped
            return;
    }
    try {
        if (spills())
            spill(true);
    } catch (const std::exception &error) {
        notifier_.report(Topic::spill_file, Error(error.what(), {}, false)); // what is left is dropped
    }
    outbox_.close_file();
    if (orphan_)
        orphan_->close_file();
}

void Flusher::finish() noexcept
{
    connection_.close();
    spill_at_the_end();
    const std::lock_guard lock(mutex_);
    if (finished_)
        return;
    left_at_close_ = ledger_.drop_queued();
    finished_ = true;
    changed_.notify_all();
}

} // namespace gravitas::telemetry
