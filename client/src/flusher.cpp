#include "flusher.hpp"

#include "sqlstate.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <limits>
#include <new>

namespace gravitas::telemetry {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_retry{50};

constexpr char ingest[] = "ingest";
// Every name is qualified: the session's search_path is the user's.
constexpr char ingest_statement[] = "SELECT stored, refused, duplicate FROM telemetry.ingest($1)";
enum IngestColumn { stored_column, refused_column, duplicate_column };
// What is acknowledged is on disk, and a batch that comes beside others is no serialization failure.
constexpr char session_settings[] = "SELECT pg_catalog.set_config('synchronous_commit', 'on', false),"
                                    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false)";
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
      batch_events_(std::min(options.batch_events, capacity_)), batches_in_flight_(options.batches_in_flight),
      blocks_(options.on_full == OnFull::block), batch_age_(options.batch_age),
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

bool Flusher::is_time_to_stop() const noexcept
{
    return closing_ && (ledger_.queued() == 0 || SteadyClock::now() >= interrupt_.stop_at.load());
}

Deadline Flusher::next_attempt(Deadline now) noexcept
{
    if (outbox_.in_flight() > 0 || answers_to_discard_ > 0)
        return now; // an answer is to come
    const std::size_t queued = ledger_.queued();
    if (queued == 0 && outbox_.empty()) {
        oldest_since_.reset();
        return never;
    }
    if (!oldest_since_)
        oldest_since_ = now;
    if (retry_at_)
        return std::min(*retry_at_, interrupt_.stop_at.load());
    if (closing_ || !outbox_.empty() || flush_marked_ != flush_answered_ || queued >= batch_events_)
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
        if (answers_to_discard_ == 0) {
            retry_at_.reset();
            open_session();
            make_batches();
            send_batches();
        }
        receive_answer();
    } catch (const Error &error) {
        retry_later(error);
    } catch (...) {
        connection_.close();
        retry_later(out_of_memory_);
    }
}

void Flusher::open_session()
{
    // While answers are to come, the connection is known to be there.
    if (outbox_.in_flight() > 0 || !connection_.ensure_open())
        return;
    try {
        connection_.execute(session_settings);
        connection_.prepare(ingest, ingest_statement);
        connection_.start_pipeline();
    } catch (...) {
        connection_.close();
        throw;
    }
}

// As many as may be under way; but a batch that is not full only where nothing else is, or somebody waits for it.
void Flusher::make_batches()
{
    while (outbox_.size() < batches_in_flight_) {
        take_events(batch_events_);
        const bool hurries = outbox_.empty() || closing_ || flush_marked_ != flush_answered_;
        if (pending_.empty() || (pending_.size() < batch_events_ && !hurries))
            return;
        const std::size_t events = outbox_.make(pending_, batch_events_);
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(events));
    }
}

void Flusher::send_batches()
{
    while (const Outbox::Batch *const batch = outbox_.next_to_send(ledger_.snapshot())) {
        connection_.send(ingest, batch->bytes);
        outbox_.sent();
    }
}

// Waits for one answer: meanwhile others come in, and events for the next batches.
void Flusher::receive_answer()
{
    if (answers_to_discard_ > 0) {
        --answers_to_discard_;
        try {
            connection_.receive_answer();
        } catch (const Error &) {
            if (!connection_.is_open())
                throw;
        }
        return;
    }
    if (outbox_.in_flight() == 0) {
        // What is queued is still on its way from another thread.
        retry_at_ = from_now(milliseconds(1));
        return;
    }
    try {
        accept(connection_.receive_answer());
    } catch (const Error &error) {
        if (!connection_.is_open())
            throw;
        reject(error);
    }
}

void Flusher::accept(const Result &reply)
{
    const std::size_t events = outbox_.front().events;
    std::size_t refused = 0;
    if (reply.text(0, duplicate_column) != "t")
        for (const nlohmann::json &refusal : nlohmann::json::parse(reply.text(0, refused_column))) {
            ++refused;
            notifier_.report(Error("event refused: " + refusal.at("reason").get<std::string>(),
                                   refusal.at("sqlstate").get<std::string>(), false));
        }
    refused = std::min(refused, events);
    outbox_.answered();
    failures_ = 0;
    ledger_.settle_stored(events - refused);
    ledger_.settle_refused(refused);
    settled(events);
}

// The oldest batch was not stored, and so none of those behind it.
void Flusher::reject(const Error &error)
{
    answers_to_discard_ = outbox_.in_flight() - 1;
    outbox_.all_come_back();
    if (error.sqlstate() == sqlstate_out_of_sequence)
        return forgotten(error);
    if (error.sqlstate() == sqlstate_too_old || is_data_error(error.sqlstate()))
        return give_up(error, error.sqlstate() != sqlstate_too_old);
    retry_later(error);
}

// The server will never store this batch.
void Flusher::give_up(const Error &error, bool is_refusal)
{
    const std::size_t events = outbox_.front().events;
    outbox_.empty_front();
    is_refusal ? ledger_.settle_refused(events) : ledger_.settle_dropped(events);
    drops_reported_ += is_refusal ? 0 : events;
    settled(events);
    notifier_.report(Error((is_refusal ? "batch refused: " : "batch dropped: ") + std::string(error.what()),
                           error.sqlstate(), false));
}

// The server expects a batch that was acknowledged long ago: its database is not the one, or not as new as it was.
void Flusher::forgotten(const Error &error)
{
    outbox_.change_producer();
    if (failures_++ > 0)
        return retry_later(error); // again? then not at once
    notifier_.report(Error("the server has lost batches that it had stored; going on as a new producer: " +
                               std::string(error.what()),
                           error.sqlstate(), false));
}

void Flusher::report_drops() noexcept
{
    const std::uint64_t dropped = ledger_.dropped();
    if (dropped == drops_reported_ || !notifier_.is_ready())
        return;
    try {
        if (notifier_.report(Error(std::to_string(dropped - drops_reported_) + " events were dropped: the queue of " +
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

void Flusher::settled(std::size_t events) noexcept { flush_rest_ -= std::min(flush_rest_, events); }

void Flusher::retry_later(const Error &error) noexcept
{
    if (!connection_.is_open()) { // whatever was under way, nobody knows
        outbox_.all_come_back();
        answers_to_discard_ = 0;
    }
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
