#include <gravitas/telemetry.hpp>

#include "flusher.hpp"
#include "readers.hpp"

namespace gravitas::telemetry {

namespace {

const Options &checked(const Options &options)
{
    if (options.queue_capacity == 0)
        throw std::invalid_argument("queue_capacity must not be 0");
    if (options.batch_events == 0)
        throw std::invalid_argument("batch_events must not be 0");
    return options;
}

std::string_view status_of(bool success) noexcept { return success ? "OK" : "ERROR"; }

} // namespace

class Client::Impl {
public:
    explicit Impl(const Options &options)
        : close_deadline(checked(options).close_deadline), readers(options.conninfo), flusher(Flusher::start(options))
    {
    }

    const std::chrono::milliseconds close_deadline;
    Readers readers;
    const std::shared_ptr<Flusher> flusher; // last, because it starts a thread
};

Client::Client(Options options) : impl_(std::make_unique<Impl>(options)) {}

Client::~Client() { close(impl_->close_deadline); }

bool Client::log(const Event &event) noexcept
{
    return impl_->flusher->push({.event_type = event.event_type,
                                 .component = event.component,
                                 .status = event.status,
                                 .metadata = event.metadata,
                                 .value = event.value,
                                 .event_time = event.event_time},
                                true);
}

bool Client::log_load_latency(const LoadLatency &load) noexcept
{
    return impl_->flusher->push({.event_type = "LOAD_LATENCY",
                                 .component = load.model_name,
                                 .status = status_of(load.success),
                                 .value = load.load_time_seconds,
                                 .event_time = load.event_time},
                                !load.model_name.empty() && load.load_time_seconds >= 0);
}

bool Client::log_load_latency(std::string_view model_name, double load_time_seconds, bool success) noexcept
{
    return log_load_latency({.model_name = model_name, .load_time_seconds = load_time_seconds, .success = success});
}

bool Client::log_thought_latency(const ThoughtLatency &thought) noexcept
{
    std::optional<double> first_token_ms;
    if (thought.first_token_seconds)
        first_token_ms = *thought.first_token_seconds * 1000;
    return impl_->flusher->push({.event_type = "THOUGHT_LATENCY",
                                 .component = thought.model_name,
                                 .status = status_of(thought.success),
                                 .metadata = thought.metadata,
                                 .duration_ms = thought.inference_time_seconds * 1000,
                                 .first_token_ms = first_token_ms,
                                 .prompt_tokens = thought.prompt_tokens,
                                 .tokens_generated = thought.tokens_generated,
                                 .event_time = thought.event_time},
                                !thought.model_name.empty());
}

bool Client::log_thought_latency(std::string_view model_name, double inference_time_seconds,
                                 std::int32_t tokens_generated, std::int32_t prompt_tokens) noexcept
{
    return log_thought_latency({.model_name = model_name,
                                .inference_time_seconds = inference_time_seconds,
                                .tokens_generated = tokens_generated,
                                .prompt_tokens = prompt_tokens});
}

TimedScope Client::time_load(std::string_view model_name) { return {*this, TimedScope::Kind::load, model_name, 0}; }

TimedScope Client::time_thought(std::string_view model_name, std::int32_t prompt_tokens)
{
    return {*this, TimedScope::Kind::thought, model_name, prompt_tokens};
}

bool Client::flush(std::chrono::milliseconds deadline) noexcept { return impl_->flusher->flush(from_now(deadline)); }

bool Client::close(std::chrono::milliseconds deadline) noexcept { return impl_->flusher->close(from_now(deadline)); }

Account Client::account() const noexcept { return impl_->flusher->account(); }

std::vector<RecentEvent> Client::get_recent_events(int limit, std::optional<std::string_view> component)
{
    return impl_->readers.recent_events(limit, component);
}

std::vector<Efficiency> Client::get_aggregated_efficiency(std::optional<std::string_view> component, int hours)
{
    return impl_->readers.aggregated_efficiency(component, hours);
}

SixtyDayStatistics Client::get_60day_statistics() { return impl_->readers.sixty_day_statistics(); }

std::vector<TableFootprint> Client::get_telemetry_footprint() { return impl_->readers.telemetry_footprint(); }

} // namespace gravitas::telemetry
