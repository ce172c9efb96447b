#include "flusher.hpp"

#include "sqlstate.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <new>

namespace gravitas::telemetry {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_retry{50};
// A statement ends here even if it has fewer than batch_events: a server holds each statement in memory.
constexpr std::size_t batch_bytes = std::size_t{4} << 20;
// How much longer than its deadline close() waits for a thread that is on its way out.
constexpr milliseconds close_grace{20};

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
      batch_events_(std::min(options.batch_events, capacity_)), batch_age_(options.batch_age),
      reconnect_max_(std::max(options.reconnect_max, milliseconds(1))), queue_(capacity_, ledger_, interrupt_.waker),
      notifier_(options.on_error), connection_(ConnectionParameters(options.conninfo), &interrupt_)
{
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

bool Flusher::push(const Draft &draft, bool is_plausible) noexcept
{
    if (!(is_plausible && is_storable(draft)) && !ledger_.is_closed()) {
        ledger_.refuse();
        return false;
    }
    return queue_.push(draft);
}

bool Flusher::flush(Deadline deadline) noexcept
{
    // From on_error, waiting would be for itself.
    if (ledger_.queued() == 0 || is_own_thread())
        return ledger_.queued() == 0;
    std::unique_lock lock(mutex_);
    const std::uint64_t number = ++flush_requested_;
    hurry_ = true;
    interrupt_.waker.signal();
    return changed_.wait_until(lock, deadline, [&] { return flush_answered_ >= number || finished_; }) &&
           (flush_answered_ >= number || left_at_close_ == 0);
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
    const bool finished = changed_.wait_until(lock, later(deadline, close_grace), [&] { return finished_; });
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

// ---- On the thread -------------------------------------------------------------------------------------

void Flusher::run() noexcept
{
    for (;;) {
        answer_flushes();
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

// A flush is answered when all that was in the queue when it was seen is settled. That is found by emptying the
// queue into pending_, which is first in, first out, and counting. One at a time, so that none waits for events
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
        flush_rest_ = pending_.size();
    }
}

bool Flusher::is_time_to_stop() const noexcept
{
    return closing_ && (ledger_.queued() == 0 || SteadyClock::now() >= interrupt_.stop_at.load());
}

Deadline Flusher::next_attempt(Deadline now) noexcept
{
    const std::size_t queued = ledger_.queued();
    if (queued == 0) {
        oldest_since_.reset();
        return never;
    }
    if (!oldest_since_)
        oldest_since_ = now;
    if (retry_at_)
        return std::min(*retry_at_, interrupt_.stop_at.load());
    if (closing_ || flush_marked_ != flush_answered_ || queued >= batch_events_)
        return now;
    return later(*oldest_since_, batch_age_);
}

void Flusher::sleep_until(Deadline deadline) noexcept
{
    const std::size_t threshold = retry_at_ ? EventQueue::nothing : oldest_since_ ? batch_events_ : 1;
    queue_.wake_at(threshold);
    // Whoever got past the threshold before it was set has not signalled.
    if (ledger_.queued() < threshold)
        interrupt_.waker.wait_until(deadline);
    queue_.wake_at(EventQueue::nothing);
}

void Flusher::attempt() noexcept
{
    try {
        retry_at_.reset();
        store_some();
    } catch (const Error &error) {
        retry_later(error);
    } catch (...) {
        connection_.close();
        retry_later(out_of_memory_);
    }
}

void Flusher::store_some()
{
    take_events(batch_events_);
    if (pending_.empty()) {
        // What is queued is still on its way from another thread.
        retry_at_ = from_now(milliseconds(1));
        return;
    }
    connection_.ensure_open();
    const std::size_t events = fill_batch();
    try {
        connection_.execute(Batch::statement, batch_.parameters());
        settled(events);
        ledger_.settle_stored(events);
        failures_ = 0;
    } catch (const Error &error) {
        if (!is_data_error(error.sqlstate()))
            throw;
        failures_ = 0;
        split_or_refuse(events, error);
    }
}

void Flusher::split_or_refuse(std::size_t events, const Error &error)
{
    if (events > 1) {
        if (!halves_.empty())
            halves_.pop_back();
        halves_.push_back(events - events / 2);
        halves_.push_back(events / 2);
        return;
    }
    settled(events);
    ledger_.settle_refused(events);
    notifier_.report(Error("event refused: " + std::string(error.what()), error.sqlstate(), false));
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

std::size_t Flusher::fill_batch()
{
    const std::size_t limit = std::min(halves_.empty() ? batch_events_ : halves_.back(), pending_.size());
    batch_.clear();
    std::size_t events = 0;
    std::size_t bytes = 0;
    for (; events < limit && (events == 0 || bytes + pending_[events].text.size() <= batch_bytes); ++events) {
        bytes += pending_[events].text.size();
        batch_.add(pending_[events]);
    }
    return events;
}

void Flusher::settled(std::size_t events) noexcept
{
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(events));
    flush_rest_ -= std::min(flush_rest_, events);
    if (!halves_.empty())
        halves_.pop_back();
}

void Flusher::retry_later(const Error &error) noexcept
{
    milliseconds pause = std::min(reconnect_max_, first_retry * (1 << std::min(failures_, 20)));
    if (closing_)
        pause = std::min(pause, first_retry); // the server may yet come back before the deadline
    ++failures_;
    // Between half and all of it, so that many clients do not come back at once.
    pause -= milliseconds(std::uniform_int_distribution<milliseconds::rep>(0, pause.count() / 2)(random_));
    retry_at_ = from_now(pause);
    notifier_.report(error);
}

void Flusher::finish() noexcept
{
    connection_.close();
    const std::lock_guard lock(mutex_);
    if (finished_)
        return;
    left_at_close_ = ledger_.drop_queued();
    finished_ = true;
    changed_.notify_all();
}

} // namespace gravitas::telemetry
