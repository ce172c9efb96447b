#include "core/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "core/error.hpp"

namespace gravitas::telemetry::core {

namespace {

constexpr std::array<std::string_view, 6> error_statuses = {"ERROR",   "FAILED",    "FAILURE",
                                                            "TIMEOUT", "CANCELLED", "ABORTED"};

char ascii_upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string shortest(double number)
{
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    return {text, end};
}

void check_finite(const char *name, const std::optional<double> &figure)
{
    if (figure && !std::isfinite(*figure))
        throw Error(sqlstate::invalid_parameter_value,
                    std::string(name) + " must be finite, not \"" + shortest(*figure) + "\"",
                    "Leave the figure out (NULL) where it was not measured.");
}

} // namespace

EventKind kind_of(std::string_view event_type) noexcept
{
    if (event_type == "LOAD_LATENCY")
        return EventKind::load;
    if (event_type == "THOUGHT_LATENCY")
        return EventKind::thought;
    return EventKind::other;
}

bool is_error_status(std::string_view status) noexcept
{
    return std::any_of(error_statuses.begin(), error_statuses.end(), [&](std::string_view error) {
        return std::equal(status.begin(), status.end(), error.begin(), error.end(),
                          [](char given, char upper) { return ascii_upper(given) == upper; });
    });
}

bool is_possible_duration_ms(double milliseconds) noexcept
{
    return milliseconds >= 0 && milliseconds <= max_duration_ms; // false for NaN
}

void check_duration_ms(const char *name, const std::optional<double> &milliseconds)
{
    check_finite(name, milliseconds);
    if (milliseconds && !is_possible_duration_ms(*milliseconds))
        throw Error(sqlstate::invalid_parameter_value,
                    std::string(name) + " must be between 0 and 1e12 ms, not \"" + shortest(*milliseconds) + "\"",
                    "Measure elapsed time with a monotonic clock, such as telemetry.start_timer().");
}

void check_count(const char *name, const std::optional<std::int32_t> &count)
{
    if (count && *count < 0)
        throw Error(sqlstate::invalid_parameter_value,
                    std::string(name) + " must not be negative, but is \"" + std::to_string(*count) + "\"",
                    "Give the number of tokens, or NULL where it is not known.");
}

void check(EventKind kind, const Figures &figures)
{
    switch (kind) {
    case EventKind::load:
        check_finite("value", figures.value);
        if (figures.value && !is_possible_duration_ms(*figures.value * 1000))
            throw Error(sqlstate::invalid_parameter_value,
                        "load time must be between 0 and 1e9 seconds, not \"" + shortest(*figures.value) + "\"",
                        "Measure elapsed time with a monotonic clock, such as telemetry.start_timer().");
        break;
    case EventKind::thought:
        check_duration_ms("value", figures.value); // a score is a duration too: that of one token
        break;
    case EventKind::other:
        check_finite("value", figures.value);
        break;
    }
    check_duration_ms("duration_ms", figures.duration_ms);
    check_duration_ms("first_token_ms", figures.first_token_ms);
    check_count("prompt_tokens", figures.prompt_tokens);
    check_count("tokens_generated", figures.tokens_generated);
}

void complete(EventKind kind, Figures &figures) noexcept
{
    for (std::optional<double> *figure : {&figures.duration_ms, &figures.first_token_ms})
        if (*figure && **figure < min_duration_ms)
            *figure = 0;
    if (kind == EventKind::load) {
        if (figures.value)
            figures.duration_ms = *figures.value * 1000;
        else if (figures.duration_ms)
            figures.value = *figures.duration_ms / 1000;
    }
    if (kind == EventKind::thought && figures.tokens_generated) {
        if (*figures.tokens_generated == 0)
            figures.value.reset();
        else if (figures.duration_ms)
            figures.value = *figures.duration_ms / *figures.tokens_generated;
        else if (figures.value)
            figures.duration_ms = *figures.value * *figures.tokens_generated;
    }
}

} // namespace gravitas::telemetry::core
