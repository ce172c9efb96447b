#include <gravitas/telemetry.hpp>

#include <exception>
#include <utility>

namespace gravitas::telemetry {

TimedScope::TimedScope(Client &client, Kind kind, std::string_view model_name, std::int32_t prompt_tokens)
    : client_(&client), kind_(kind), model_name_(model_name), prompt_tokens_(prompt_tokens),
      exceptions_at_start_(std::uncaught_exceptions()), start_(start_timer())
{
}

TimedScope::TimedScope(Client &client, Kind kind, Component model, std::int32_t prompt_tokens) noexcept
    : client_(&client), kind_(kind), model_(model), prompt_tokens_(prompt_tokens),
      exceptions_at_start_(std::uncaught_exceptions()), start_(start_timer())
{
}

TimedScope::TimedScope(TimedScope &&other) noexcept
    : client_(std::exchange(other.client_, nullptr)), kind_(other.kind_), model_(other.model_),
      model_name_(std::move(other.model_name_)), prompt_tokens_(other.prompt_tokens_), tokens_(other.tokens_),
      first_token_seconds_(other.first_token_seconds_), failed_(other.failed_),
      exceptions_at_start_(other.exceptions_at_start_), start_(other.start_)
{
}

TimedScope::~TimedScope()
{
    if (client_ == nullptr)
        return;
    const double elapsed = seconds();
    const bool success = !failed_ && std::uncaught_exceptions() <= exceptions_at_start_;
    if (kind_ == Kind::load) {
        model_ ? client_->log_load_latency(*model_, elapsed, success)
               : client_->log_load_latency(model_name_, elapsed, success);
    } else if (model_) {
        client_->log_thought_latency(*model_, elapsed, tokens_, prompt_tokens_, first_token_seconds_, success);
    } else {
        client_->log_thought_latency({.model_name = model_name_,
                                      .inference_time_seconds = elapsed,
                                      .tokens_generated = tokens_,
                                      .prompt_tokens = prompt_tokens_,
                                      .success = success,
                                      .first_token_seconds = first_token_seconds_});
    }
}

void TimedScope::first_token() noexcept
{
    if (!first_token_seconds_)
        first_token_seconds_ = seconds();
}

} // namespace gravitas::telemetry
