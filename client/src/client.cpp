#include <gravitas/telemetry.hpp>

#include "counter.hpp"
#include "flusher.hpp"
#include "fork.hpp"
#include "known_components.hpp"
#include "readers.hpp"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace gravitas::telemetry {

namespace {

// It is made where there is none.
void check_spill_directory(const std::string &directory)
{
    if (directory.empty())
        throw std::invalid_argument("on_full is spill, but spill_directory is empty");
    std::error_code error;
    std::filesystem::create_directory(directory, error);
    if (!error && access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
        error.assign(errno, std::generic_category());
    if (error)
        throw std::invalid_argument("spill_directory \"" + directory + "\": " + error.message());
}

const Options &checked(const Options &options)
{
    if (options.queue_capacity == 0)
        throw std::invalid_argument("queue_capacity must not be 0");
    if (options.batch_events == 0)
        throw std::invalid_argument("batch_events must not be 0");
    if (options.batches_in_flight == 0)
        throw std::invalid_argument("batches_in_flight must not be 0");
    if (options.on_full == OnFull::spill)
        check_spill_directory(options.spill_directory);
    return options;
}

std::optional<double> in_ms(std::optional<double> seconds) noexcept
{
    return seconds ? std::optional(*seconds * 1000) : std::nullopt;
}

} // namespace

// What a process has of a client of its own.
struct Client::Impl {
    struct Session {
        explicit Session(const Options &options) : readers(options.conninfo), flusher(Flusher::start(options)) {}

        Readers readers;
        const std::shared_ptr<Flusher> flusher; // last, because it starts a thread
    };

    explicit Impl(Options given) : options(std::move(given)), session(new Session(checked(options))) {}
    ~Impl()
    {
        // In the child of a fork, the parent's has locks that nobody gives back and a connection that is in use.
        if (process == ForkCount::now())
            delete session.load();
    }
    Impl(const Impl &) = delete;
    Impl &operator=(const Impl &) = delete;

    // This process's session. In the child of a fork a new one is made at the first call. The parent's is left as it
    // is.
    Session &current()
    {
        if (process.load(std::memory_order_acquire) != ForkCount::now()) [[unlikely]]
            start_after_fork();
        return *session.load(std::memory_order_relaxed);
    }

    Flusher &flusher() { return *current().flusher; }

    template <typename... Event>
    bool push(Event &&...event) noexcept
    try {
        return flusher().push(std::forward<Event>(event)...);
    } catch (...) {
        return false; // no thread or no memory for the child of a fork: this and all its events are nowhere
    }

    const Options options;
    const ForkCount forks{};
    std::atomic<std::uint32_t> process{ForkCount::now()}; // whose the session is
    std::atomic<Session *> session;
    KnownComponents known;

private:
    // By one thread, the others wait. Without a lock: another thread of the parent may have held it when it forked.
    void start_after_fork()
    {
        const std::uint32_t now = ForkCount::now();
        while (process.load(std::memory_order_acquire) != now) {
            std::uint32_t before = starting.load();
            if (before == now || !starting.compare_exchange_strong(before, now)) {
                std::this_thread::yield();
                continue;
            }
            try {
                session.load()->flusher->leave_to_parent();
                session = new Session(options);
            } catch (...) {
                starting = before; // for the next one to try
                throw;
            }
            process.store(now, std::memory_order_release);
        }
    }

    std::atomic<std::uint32_t> starting{ForkCount::now()};
};

Client::Client(Options options)
{
    Counter::find_out();
    impl_ = std::make_unique<Impl>(std::move(options));
}

Client::~Client()
{
    if (impl_->process == ForkCount::now())
        close(impl_->options.close_deadline);
}

Component Client::component(std::string_view name)
{
    if (name.empty())
        throw std::invalid_argument("the name of a component must not be empty");
    return Component(impl_->known.find_or_add(name));
}

bool Client::log(const Event &event) noexcept
{
    return impl_->push(Draft{.event_type = event.event_type,
                             .status = event.status,
                             .component = event.component,
                             .metadata = event.metadata,
                             .value = event.value,
                             .event_time = event.event_time});
}

bool Client::log_load_latency(const LoadLatency &load) noexcept
{
    return impl_->push(Draft{.kind = EventKind::load,
                             .success = load.success,
                             .component = load.model_name,
                             .value = load.load_time_seconds,
                             .event_time = load.event_time});
}

bool Client::log_load_latency(std::string_view model_name, double load_time_seconds, bool success) noexcept
{
    return log_load_latency({.model_name = model_name, .load_time_seconds = load_time_seconds, .success = success});
}

bool Client::log_load_latency(Component model, double load_time_seconds, bool success) noexcept
{
    Record record(EventKind::load, success, model.name_);
    record.value = load_time_seconds;
    return impl_->push(std::move(record), is_time(load_time_seconds));
}

bool Client::log_thought_latency(const ThoughtLatency &thought) noexcept
{
    return impl_->push(Draft{.kind = EventKind::thought,
                             .success = thought.success,
                             .component = thought.model_name,
                             .metadata = thought.metadata,
                             .duration_ms = thought.inference_time_seconds * 1000,
                             .first_token_ms = in_ms(thought.first_token_seconds),
                             .prompt_tokens = thought.prompt_tokens,
                             .tokens_generated = thought.tokens_generated,
                             .event_time = thought.event_time});
}

bool Client::log_thought_latency(std::string_view model_name, double inference_time_seconds,
                                 std::int32_t tokens_generated, std::int32_t prompt_tokens) noexcept
{
    return log_thought_latency({.model_name = model_name,
                                .inference_time_seconds = inference_time_seconds,
                                .tokens_generated = tokens_generated,
                                .prompt_tokens = prompt_tokens});
}

bool Client::log_thought_latency(Component model, double inference_time_seconds, std::int32_t tokens_generated,
                                 std::int32_t prompt_tokens, std::optional<double> first_token_seconds,
                                 bool success) noexcept
{
    Record record(EventKind::thought, success, model.name_);
    record.duration_ms = inference_time_seconds * 1000;
    record.tokens_generated = tokens_generated;
    record.prompt_tokens = prompt_tokens;
    if (first_token_seconds)
        record.first_token_ms = *first_token_seconds * 1000;
    return impl_->push(std::move(record), is_time(record.duration_ms) && tokens_generated >= 0 && prompt_tokens >= 0 &&
                                              (!first_token_seconds || is_time(record.first_token_ms)));
}

TimedScope Client::time_load(std::string_view model_name) { return {*this, TimedScope::Kind::load, model_name, 0}; }

TimedScope Client::time_load(Component model) noexcept { return {*this, TimedScope::Kind::load, model, 0}; }

TimedScope Client::time_thought(Component model, std::int32_t prompt_tokens) noexcept
{
    return {*this, TimedScope::Kind::thought, model, prompt_tokens};
}

TimedScope Client::time_thought(std::string_view model_name, std::int32_t prompt_tokens)
{
    return {*this, TimedScope::Kind::thought, model_name, prompt_tokens};
}

bool Client::flush(std::chrono::milliseconds deadline) noexcept
try {
    return impl_->flusher().flush(from_now(deadline));
} catch (...) {
    return false;
}

bool Client::close(std::chrono::milliseconds deadline) noexcept
try {
    return impl_->flusher().close(from_now(deadline));
} catch (...) {
    return false;
}

Account Client::account() const noexcept
try {
    return impl_->flusher().account();
} catch (...) {
    return {};
}

std::vector<RecentEvent> Client::get_recent_events(int limit, std::optional<std::string_view> component)
{
    return impl_->current().readers.recent_events(limit, component);
}

std::vector<Efficiency> Client::get_aggregated_efficiency(std::optional<std::string_view> component, int hours)
{
    return impl_->current().readers.aggregated_efficiency(component, hours);
}

SixtyDayStatistics Client::get_60day_statistics() { return impl_->current().readers.sixty_day_statistics(); }

std::vector<TableFootprint> Client::get_telemetry_footprint() { return impl_->current().readers.telemetry_footprint(); }

} // namespace gravitas::telemetry
