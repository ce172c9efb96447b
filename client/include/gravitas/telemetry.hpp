// Gravitas Telemetry: the C++ client.
//
// A Client takes events from any thread and stores them in the database from one thread of its own.
// Logging never waits for the database, never opens a connection and never throws; what could not be
// kept is counted, and the account always closes:
//
//     accepted = stored + queued + dropped + refused
//
// Everything that asks the database something (`get_*`) or waits (`flush`, `close`) says so in its comment.
//
// Strings are UTF-8. Every event that was acknowledged is stored exactly once, however often connections break: the
// server knows which batches of a client it has (docs/batch-format.md).
//
// After fork() the child's copy of a Client starts empty, with an identity, a thread and connections of its own, when
// it is first used; what the parent had queued is the parent's.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Visible outside the library, and one type everywhere, also where the default is hidden: Error is thrown across.
#pragma GCC visibility push(default)

namespace gravitas::telemetry {

using Clock = std::chrono::system_clock;

// An error of a call that asks the database. `sqlstate` is empty where the server never answered.
class Error : public std::runtime_error {
public:
    Error(const std::string &message, std::string sqlstate, bool retryable)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)), retryable_(retryable)
    {
    }

    [[nodiscard]] const std::string &sqlstate() const noexcept { return sqlstate_; }
    [[nodiscard]] bool retryable() const noexcept { return retryable_; } // the same call may succeed later

private:
    std::string sqlstate_;
    bool retryable_;
};

// What becomes of an event that finds the queue full.
enum class OnFull {
    drop_newest, // it is dropped and counted: logging never waits
    block,       // the call waits for room: nothing is lost, and a database that is away stops the application
    spill,       // before the queue is full, events go to a file: logging never waits, and a disk's worth survives
};

struct Options {
    // As psql takes it: "host=… dbname=…", a postgresql:// URI, or empty for the PG* environment variables.
    std::string conninfo = {};

    // Events kept in memory while the database is slow or away; what happens to more of them, on_full says. Larger
    // survives longer outages and costs memory: 80 bytes an event, for the first 65,536 from the start, and its
    // strings, where it is logged with any.
    std::size_t queue_capacity = 65'536;
    OnFull on_full = OnFull::drop_newest;

    // For OnFull::spill. A directory, made where there is none, in which each process has a file of its own while it
    // needs one. What a process leaves in its file, because it was killed or the database did not come back, the next
    // one that starts with this directory stores, each event once. The file outlives the process, not the machine: it
    // is not forced to disk. Nothing has to be configured for several processes; it should be theirs alone.
    // (A process that was forked while there was a file, and does not use its client, keeps that from the next one.)
    std::string spill_directory = {};
    // The file does not grow beyond this; then events are dropped. An event takes some 40 bytes, and its strings.
    std::uint64_t spill_bytes_max = std::uint64_t{1} << 30;

    // A batch is sent when it holds this many events …
    std::size_t batch_events = 1'000;
    // … or when its oldest event has waited this long. Shorter is fresher and costs more transactions.
    std::chrono::milliseconds batch_age{200};
    // So many batches may be on their way at once. More hide the time that a commit takes, until the server is busy all
    // the time; and so many are sent again when one fails.
    std::size_t batches_in_flight = 4;

    // Longest pause between two attempts to reach a server that is down.
    std::chrono::milliseconds reconnect_max{5'000};
    // How long the destructor may take to store what is still queued; the rest is spilled, or counted as dropped.
    std::chrono::milliseconds close_deadline{5'000};

    // Told, on the flusher's thread, what goes wrong in the background; at most once a second about each of: the
    // server, events that are refused, drops, the spill file. May be empty.
    std::function<void(const Error &)> on_error = {};
};

// What became of the events that were logged; accepted = stored + queued + spilled + dropped + refused, always.
struct Account {
    std::uint64_t accepted = 0; // events given to log…(), also those dropped or refused at once, and those adopted
                                // from the spill file of a process that has ended
    std::uint64_t stored = 0;   // committed in the database
    std::uint64_t queued = 0;   // waiting in memory, or on their way
    std::uint64_t spilled = 0;  // waiting in a spill file, or on their way from there
    std::uint64_t dropped = 0;  // lost: the queue was full, or the client closed before they could be sent
    std::uint64_t refused = 0;  // could never be stored: a negative time, an empty model name, bad metadata, …
};

// One event for log(). Only `event_type` is required; the fields are the columns of telemetry.system_telemetry.
struct Event {
    std::string_view event_type;                      // LOAD_LATENCY, THOUGHT_LATENCY, VRAM_CHECK, or your own
    std::string_view component = {};                  // model, GPU or subsystem; empty stores NULL
    std::optional<double> value = {};                 // the event's own figure, in its own unit
    std::string_view metadata = {};                   // a JSON object as text; empty stores NULL
    std::string_view status = "OK";                   // OK, WARNING, ERROR, …; empty stores NULL
    std::optional<Clock::time_point> event_time = {}; // when it ended; now, where not given
};

struct LoadLatency {
    std::string_view model_name;
    double load_time_seconds = 0;
    bool success = true;
    std::optional<Clock::time_point> event_time = {};
};

struct ThoughtLatency {
    std::string_view model_name;
    double inference_time_seconds = 0;
    std::int32_t tokens_generated = 0;
    std::int32_t prompt_tokens = 0;
    bool success = true;
    std::optional<double> first_token_seconds = {};
    std::string_view metadata = {};
    std::optional<Clock::time_point> event_time = {};
};

// ---- What the readers return ---------------------------------------------------------------------------

struct RecentEvent {
    std::string event_type;
    std::optional<std::string> component;
    std::optional<double> value;
    std::string metadata; // JSON text; "null" where the event has none
    std::optional<std::string> status;
    Clock::time_point timestamp;
};

// Scores are milliseconds per generated token: lower is better.
struct Efficiency {
    std::optional<std::string> component;
    std::int64_t measurement_count = 0;              // scored calls
    std::int64_t error_count = 0;                    // failed calls: in no other figure
    std::optional<double> avg_efficiency_score;      // mean of the calls' scores
    std::optional<double> weighted_efficiency_score; // sum of milliseconds / sum of tokens
    std::optional<double> best_efficiency;
    std::optional<double> worst_efficiency;
    std::optional<double> p50_efficiency;
    std::optional<double> p95_efficiency;
    std::optional<double> p99_efficiency;
    std::int64_t total_tokens = 0; // generated
    Clock::time_point window_start;
    Clock::time_point window_end;
};

struct ModelTrend {
    std::optional<std::string> component;
    std::int64_t measurement_count = 0;
    std::int64_t error_count = 0;
    std::optional<double> avg_efficiency_score;
    std::optional<double> weighted_efficiency_score;
    std::optional<double> best_efficiency;
    std::optional<double> worst_efficiency;
    std::int64_t total_tokens_processed = 0; // prompt + generated
    std::int64_t load_count = 0;
    std::optional<double> avg_load_time_seconds;
};

struct SixtyDayStatistics {
    std::int64_t total_measurements = 0; // all events
    std::int64_t unique_models = 0;
    std::optional<Clock::time_point> oldest_record;
    std::optional<Clock::time_point> newest_record;
    std::vector<ModelTrend> model_trends; // best first
    int retention_window_days = 0;
};

struct TableFootprint {
    std::string table;           // system_telemetry, usage_stats, history
    std::int64_t size_bytes = 0; // heap, indexes and TOAST
    std::int64_t row_count = 0;
    bool row_count_is_estimate = false; // of a large table, or of one that is not to be read
    std::optional<Clock::time_point> oldest_record;
};

// A model, GPU or subsystem that the client knows: what Client::component() gave. Copies are free. Valid as long as its
// client, in the child of a fork too; may be used from any thread.
class Component {
public:
    [[nodiscard]] std::string_view name() const noexcept { return *name_; }

private:
    friend class Client;
    friend class TimedScope;
    friend struct ComponentOfC; // telemetry.h
    explicit Component(const std::string *name) noexcept : name_(name) {}

    const std::string *name_;
};

// ---- Timing --------------------------------------------------------------------------------------------

using TimerStart = std::chrono::steady_clock::time_point;

// The monotonic clock, now: nanosecond ticks, never set back.
[[nodiscard]] inline TimerStart start_timer() noexcept { return std::chrono::steady_clock::now(); }

// Seconds since `start`.
[[nodiscard]] inline double measure_latency(TimerStart start) noexcept
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// ---- The client ----------------------------------------------------------------------------------------

class TimedScope;

// Thread-safe: every member may be called from any thread, close() and the destructor by one of them, last.
class Client {
public:
    // Starts the flusher; does not wait for the server, which may come later. Throws std::invalid_argument for
    // options that cannot work (a queue or batch of 0, a conninfo that libpq cannot read).
    explicit Client(Options options = {});
    ~Client(); // close(options.close_deadline)
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    // The handle of a component, the same for the same name; made when first asked for, so ask once and keep it.
    // Logging by handle touches no string and allocates nothing. Throws std::invalid_argument for an empty name.
    [[nodiscard]] Component component(std::string_view name);

    // Each returns false where the event was dropped or refused at once; the account says which.
    bool log_load_latency(Component model, double load_time_seconds, bool success = true) noexcept;
    bool log_thought_latency(Component model, double inference_time_seconds, std::int32_t tokens_generated,
                             std::int32_t prompt_tokens = 0, std::optional<double> first_token_seconds = {},
                             bool success = true) noexcept;

    bool log(const Event &event) noexcept;
    bool log_load_latency(const LoadLatency &load) noexcept;
    bool log_load_latency(std::string_view model_name, double load_time_seconds, bool success = true) noexcept;
    bool log_thought_latency(const ThoughtLatency &thought) noexcept;
    bool log_thought_latency(std::string_view model_name, double inference_time_seconds, std::int32_t tokens_generated,
                             std::int32_t prompt_tokens = 0) noexcept;

    // Times a load or an inference until the end of the scope.
    [[nodiscard]] TimedScope time_load(std::string_view model_name);
    [[nodiscard]] TimedScope time_load(Component model) noexcept;
    [[nodiscard]] TimedScope time_thought(std::string_view model_name, std::int32_t prompt_tokens = 0);
    [[nodiscard]] TimedScope time_thought(Component model, std::int32_t prompt_tokens = 0) noexcept;

    // Waits until everything logged before the call is stored, refused or dropped; false at the deadline.
    [[nodiscard]] bool flush(std::chrono::milliseconds deadline) noexcept;
    // flush(), then stop; what is left at the deadline is spilled, where on_full says so, or counted as dropped. Later
    // calls log nothing and count as dropped. True if none was left to drop. Returns by the deadline even when the
    // server hangs, and writing what is spilled takes a second more at most; a statement that was under way then may
    // still be committed, although its events were counted as dropped.
    bool close(std::chrono::milliseconds deadline) noexcept;
    [[nodiscard]] Account account() const noexcept;

    // Readers ask the database on a connection of their own, one at a time, and wait for the answer. They see
    // what is stored, not what is queued: flush() first to read your own writes. They throw Error.
    std::vector<RecentEvent> get_recent_events(int limit = 10, std::optional<std::string_view> component = {});
    std::vector<Efficiency> get_aggregated_efficiency(std::optional<std::string_view> component = {}, int hours = 24);
    SixtyDayStatistics get_60day_statistics();
    std::vector<TableFootprint> get_telemetry_footprint();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Logs a LOAD_LATENCY or THOUGHT_LATENCY when it goes out of scope; with status ERROR if an exception is
// unwinding it, or after fail(). Not thread-safe; must not outlive its Client.
class TimedScope {
public:
    TimedScope(TimedScope &&other) noexcept;
    TimedScope &operator=(TimedScope &&) = delete;
    ~TimedScope();

    void tokens(std::int32_t generated) noexcept { tokens_ = generated; } // of an inference: what it produced
    void first_token() noexcept;                                          // call it when the first token is there
    void fail() noexcept { failed_ = true; }
    [[nodiscard]] double seconds() const noexcept { return measure_latency(start_); }

private:
    friend class Client;
    enum class Kind { load, thought };
    TimedScope(Client &client, Kind kind, std::string_view model_name, std::int32_t prompt_tokens);
    TimedScope(Client &client, Kind kind, Component model, std::int32_t prompt_tokens) noexcept;

    Client *client_;
    Kind kind_;
    std::optional<Component> model_;
    std::string model_name_; // where there is no handle
    std::int32_t prompt_tokens_;
    std::int32_t tokens_ = 0;
    std::optional<double> first_token_seconds_;
    bool failed_ = false;
    int exceptions_at_start_;
    TimerStart start_;
};

} // namespace gravitas::telemetry

#pragma GCC visibility pop
