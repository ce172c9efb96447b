#include "flusher.hpp"

#include "sqlstate.hpp"

#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <limits>
#include <new>
#include <system_error>

namespace gravitas::telemetry {

namespace {

using std::chrono::milliseconds;
using Topic = Notifier::Topic;

constexpr milliseconds first_retry{50};
constexpr milliseconds spill_retry{1'000};

constexpr char ingest[] = "ingest";
// Every name is qualified: the session's search_path is the user's.
constexpr char ingest_statement[] = "SELECT stored, refused, duplicate FROM telemetry.ingest($1)";
enum IngestColumn { stored_column, refused_column, duplicate_column };
// What is acknowledged is on disk, and a batch that comes beside others is no serialization failure.
constexpr char session_settings[] = "SELECT pg_catalog.set_config('synchronous_commit', 'on', false),"
                                    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false)";
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

// One after the other, at the start.
void Flusher::adopt_orphan()
{
    while (looks_for_orphans_ && !orphan_ && !closing_) {
        std::optional<SpillFile> file = SpillFile::adopt(spill_directory_);
        looks_for_orphans_ = file.has_value();
        if (!file)
            return;
        try {
            orphan_.emplace(std::move(*file), closing_);
        } catch (const Outbox::Stopped &) {
            return;
        }
        ledger_.adopt(orphan_->events());
        if (orphan_->torn_bytes() > 0)
            notifier_.report(Topic::spill_file,
                             Error("spill file \"" + orphan_->path() + "\" ended torn: its last " +
                                       std::to_string(orphan_->torn_bytes()) + " bytes are no whole batch",
                                   {}, false));
        if (orphan_->empty())
            leave_orphan();
    }
}

void Flusher::leave_orphan() noexcept
{
    orphan_->close_file();
    orphan_.reset();
}

void Flusher::open_session()
{
    // While answers are to come, the connection is known to be there.
    if (sending().in_flight() > 0 || !connection_.ensure_open())
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
    if (orphan_)
        return;
    while (outbox_.size() < batches_in_flight_) {
        take_events(batch_events_);
        const bool hurries = outbox_.empty() || closing_ || flush_marked_ != flush_answered_;
        if (pending_.empty() || (pending_.size() < batch_events_ && !hurries))
            return;
        make_batch();
    }
}

void Flusher::make_batch()
{
    const std::size_t events = outbox_.make(pending_, batch_events_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(events));
}

void Flusher::send_batches()
{
    while (sending().in_flight() < batches_in_flight_) {
        std::span<const std::uint8_t> bytes;
        try {
            bytes = sending().next_to_send(ledger_.snapshot());
        } catch (const core::Error &error) {
            give_up(Error("damaged in the spill file: " + std::string(error.what()), error.sqlstate(), false), false);
            continue;
        }
        if (bytes.empty())
            return;
        connection_.send(ingest, bytes);
        sending().sent();
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
    if (sending().in_flight() == 0) {
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
    const std::size_t events = sending().front().events;
    const Ledger::Place place = sending().front().waits_in();
    std::size_t refused = 0;
    if (reply.text(0, duplicate_column) != "t")
        for (const nlohmann::json &refusal : nlohmann::json::parse(reply.text(0, refused_column))) {
            ++refused;
            notifier_.report(Topic::events, Error("event refused: " + refusal.at("reason").get<std::string>(),
                                                  refusal.at("sqlstate").get<std::string>(), false));
        }
    refused = std::min(refused, events);
    failures_ = 0;
    ledger_.settle_stored(events - refused, place);
    ledger_.settle_refused(refused, place);
    settled(events);
    sending().answered();
    if (orphan_ && orphan_->empty())
        leave_orphan();
}

// The oldest batch was not stored, and so none of those behind it.
void Flusher::reject(const Error &error)
{
    answers_to_discard_ = sending().in_flight() - 1;
    sending().all_come_back();
    if (error.sqlstate() == sqlstate_out_of_sequence)
        return forgotten(error);
    if (error.sqlstate() == sqlstate_too_old || is_data_error(error.sqlstate()))
        return give_up(error, error.sqlstate() != sqlstate_too_old);
    retry_later(error);
}

// The server will never store this batch.
void Flusher::give_up(const Error &error, bool is_refusal)
{
    const std::size_t events = sending().next().events;
    const Ledger::Place place = sending().next().waits_in();
    sending().empty_next();
    is_refusal ? ledger_.settle_refused(events, place) : ledger_.settle_dropped(events, place);
    drops_reported_ += is_refusal ? 0 : events;
    settled(events);
    notifier_.report(Topic::events,
                     Error((is_refusal ? "batch refused: " : "batch dropped: ") + std::string(error.what()),
                           error.sqlstate(), false));
}

// The server expects a batch that was acknowledged long ago: its database is not the one, or not as new as it was.
void Flusher::forgotten(const Error &error)
{
    sending().change_producer();
    if (failures_++ > 0)
        return retry_later(error); // again? then not at once
    notifier_.report(Topic::server,
                     Error("the server has lost batches that it had stored; going on as a new producer: " +
                               std::string(error.what()),
                           error.sqlstate(), false));
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

// A flush waits for what this process logged, not for what another left behind.
void Flusher::settled(std::size_t events) noexcept { flush_rest_ -= orphan_ ? 0 : std::min(flush_rest_, events); }

void Flusher::retry_later(const Error &error) noexcept
{
    if (!connection_.is_open()) { // whatever was under way, nobody knows
        sending().all_come_back();
        answers_to_discard_ = 0;
    }
    milliseconds pause = std::min(reconnect_max_, first_retry * (1 << std::min(failures_, 20)));
    if (closing_)
        pause = std::min(pause, first_retry); // the server may yet come back before the deadline
    ++failures_;
    // Between half and all of it, so that many clients do not come back at once.
    pause -= milliseconds(std::uniform_int_distribution<milliseconds::rep>(0, pause.count() / 2)(random_));
    retry_at_ = from_now(pause);
    notifier_.report(Topic::server, error);
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
