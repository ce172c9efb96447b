#include "core/observation.hpp"

#include "core/error.hpp"

#include <cmath>
#include <limits>

namespace gravitas::telemetry::core {

namespace {

void check(bool good, const char *message)
{
    if (!good) [[unlikely]]
        throw Error{ErrorKind::out_of_range, message};
}

void check_numbers(const Observation &event)
{
    check(std::isfinite(event.value.value_or(0)), "value is not a finite number");
    const double duration = event.duration_ms.value_or(0);
    check(std::isfinite(duration) && duration >= 0, "duration is negative or not a finite number");
    const double first_token = event.first_token_ms.value_or(0);
    check(std::isfinite(first_token) && first_token >= 0, "time to first token is negative or not a finite number");
    check(event.prompt_tokens.value_or(0) >= 0, "number of prompt tokens is negative");
    check(event.tokens_generated.value_or(0) >= 0, "number of generated tokens is negative");
}

} // namespace

Sample sample_of(const Observation &event)
{
    check_numbers(event);
    Sample sample;
    sample.at = event.at;
    sample.flags = event.is_error ? Sample::error : 0;
    if (event.is_error && event.kind != EventKind::other)
        return sample;

    const bool thought = event.kind == EventKind::thought;
    const auto set = [&](Sample::Flag flag, auto &member, auto number) {
        member = number;
        sample.flags |= flag;
    };
    if (event.duration_ms)
        set(Sample::has_duration, sample.duration_ms, *event.duration_ms + 0.0); // -0 becomes 0
    if (event.first_token_ms)
        set(Sample::has_first_token, sample.first_token_ms, *event.first_token_ms + 0.0);
    if (thought && event.prompt_tokens)
        set(Sample::has_prompt_tokens, sample.prompt_tokens, static_cast<std::uint32_t>(*event.prompt_tokens));
    if (thought && event.tokens_generated.value_or(0) > 0)
        set(Sample::has_tokens_generated, sample.tokens_generated, static_cast<std::uint32_t>(*event.tokens_generated));
    if (event.value && !(thought && event.tokens_generated == 0))
        set(Sample::has_value, sample.value, *event.value + 0.0);
    else if (thought)
        sample.flags |= Sample::unscored;
    return sample;
}

bool valid(const Sample &sample) noexcept
{
    constexpr std::uint32_t most_tokens = std::numeric_limits<std::int32_t>::max();
    constexpr std::uint8_t tokens = Sample::has_prompt_tokens | Sample::has_tokens_generated;
    const auto has = [&](std::uint8_t flags) { return (sample.flags & flags) != 0; };
    return sample.flags < 128 && std::isfinite(sample.value) && std::isfinite(sample.duration_ms) &&
           sample.duration_ms >= 0 && std::isfinite(sample.first_token_ms) && sample.first_token_ms >= 0 &&
           sample.prompt_tokens <= most_tokens && sample.tokens_generated <= most_tokens &&
           has(Sample::has_tokens_generated) == (sample.tokens_generated > 0) &&
           !(has(tokens) && (!has(Sample::has_value | Sample::unscored) || has(Sample::error))) &&
           !(has(Sample::unscored) && has(Sample::has_value | Sample::error));
}

} // namespace gravitas::telemetry::core
