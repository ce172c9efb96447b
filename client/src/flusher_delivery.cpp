// What the thread does with batches and the server: makes, sends, hears what became of them.

#include "flusher.hpp"

#include "sqlstate.hpp"

#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <system_error>

namespace gravitas::telemetry {

namespace {

using std::chrono::milliseconds;
using Topic = Notifier::Topic;

constexpr milliseconds first_retry{50};

constexpr char ingest[] = "ingest";
// Every name is qualified: the session's search_path is the user's.
constexpr char ingest_statement[] = "SELECT stored, refused, duplicate FROM telemetry.ingest($1)";
enum IngestColumn { stored_column, refused_column, duplicate_column };
// What is acknowledged is on disk, and a batch that comes beside others is no serialization failure.
constexpr char session_settings[] = "SELECT pg_catalog.set_config('synchronous_commit', 'on', false),"
                                    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false)";

} // namespace

// At the start, one after the other, each until all of it is answered.
void Flusher::adopt_orphan()
{
    for (;;) {
        if (orphan_ && orphan_->empty()) {
            orphan_->close_file();
            orphan_.reset();
        }
        if (orphan_ || !looks_for_orphans_ || closing_)
            return;
        std::optional<SpillFile> file = SpillFile::adopt(spill_directory_);
        looks_for_orphans_ = file.has_value();
        if (file)
            adopt(std::move(*file));
    }
}

void Flusher::adopt(SpillFile &&file)
{
    try {
        orphan_.emplace(std::move(file), closing_);
    } catch (const Outbox::Stopped &) {
        return;
    } catch (const std::system_error &error) { // for the next process to try
        looks_for_orphans_ = false;
        notifier_.report(Topic::spill_file, Error(error.what(), {}, false));
        return;
    }
    ledger_.adopt(orphan_->events());
    if (orphan_->torn_bytes() > 0)
        notifier_.report(Topic::spill_file,
                         Error("spill file \"" + orphan_->path() + "\" ended torn: its last " +
                                   std::to_string(orphan_->torn_bytes()) + " bytes are no whole batch",
                               {}, false));
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

} // namespace gravitas::telemetry
