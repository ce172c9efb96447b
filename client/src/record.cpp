#include "record.hpp"

#include "counter.hpp"

#include <cmath>
#include <cstring>

namespace gravitas::telemetry {

namespace {

// What the server takes for one event.
constexpr std::size_t max_text = std::size_t{64} << 20;

bool is_text(std::string_view text) noexcept
{
    return text.empty() || std::memchr(text.data(), '\0', text.size()) == nullptr;
}

bool is_figure(std::optional<double> figure) noexcept { return !figure || std::isfinite(*figure); }
bool is_time_or_none(std::optional<double> time) noexcept { return !time || is_time(*time); }
bool is_count(std::optional<std::int32_t> count) noexcept { return !count || *count >= 0; }

std::int64_t microseconds_since_1970(Clock::time_point time) noexcept
{
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

} // namespace

bool is_storable(const Draft &draft) noexcept
{
    const bool named = draft.kind == EventKind::other ? !draft.event_type.empty() : !draft.component.empty();
    return named && is_figure(draft.value) && (draft.kind == EventKind::other || is_time_or_none(draft.value)) &&
           is_time_or_none(draft.duration_ms) && is_time_or_none(draft.first_token_ms) &&
           is_count(draft.prompt_tokens) && is_count(draft.tokens_generated) && is_text(draft.event_type) &&
           is_text(draft.component) && is_text(draft.status) && is_text(draft.metadata) &&
           draft.event_type.size() + draft.component.size() + draft.status.size() + draft.metadata.size() <= max_text;
}

PackedText::PackedText(const std::array<std::string_view, fields> &texts)
{
    std::uint32_t ends[fields];
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < fields; ++i)
        ends[i] = size += static_cast<std::uint32_t>(texts[i].size());
    if (size == 0)
        return;
    memory_.reset(new char[sizeof ends + size]);
    std::memcpy(memory_.get(), ends, sizeof ends);
    char *place = memory_.get() + sizeof ends;
    for (const std::string_view text : texts)
        place += text.copy(place, text.size());
}

std::string_view PackedText::operator[](std::size_t field) const noexcept
{
    if (!memory_)
        return {};
    const std::uint32_t start = field == 0 ? 0 : ends()[field - 1];
    return {memory_.get() + fields * sizeof(std::uint32_t) + start, ends()[field] - start};
}

Record::Record(EventKind event_kind, bool is_success, const std::string *component) noexcept
    : known(component), kind(event_kind), success(is_success), is_counted(Counter::is_trusted())
{
    time_us = is_counted ? Counter::read() : microseconds_since_1970(Clock::now());
}

Record::Record(const Draft &draft)
    : time_us(microseconds_since_1970(draft.event_time ? *draft.event_time : Clock::now())),
      value(draft.value.value_or(no_figure)), duration_ms(draft.duration_ms.value_or(no_figure)),
      first_token_ms(draft.first_token_ms.value_or(no_figure)), prompt_tokens(draft.prompt_tokens.value_or(no_count)),
      tokens_generated(draft.tokens_generated.value_or(no_count)),
      text({draft.event_type, draft.component, draft.status, draft.metadata}), kind(draft.kind), success(draft.success)
{
}

std::string_view Record::event_type() const noexcept
{
    switch (kind) {
    case EventKind::load:
        return "LOAD_LATENCY";
    case EventKind::thought:
        return "THOUGHT_LATENCY";
    default:
        return text[0];
    }
}

std::string_view Record::status() const noexcept
{
    return kind == EventKind::other ? text[2] : success ? "OK" : "ERROR";
}

} // namespace gravitas::telemetry
