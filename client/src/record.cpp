#include "record.hpp"

#include <cmath>
#include <cstring>

namespace gravitas::telemetry {

namespace {

// Half of what PostgreSQL can hold in one value, because a text may double when it is escaped.
constexpr std::size_t max_text = std::size_t{256} << 20;

bool is_text(std::string_view text) noexcept
{
    return text.empty() || std::memchr(text.data(), '\0', text.size()) == nullptr;
}

bool is_figure(std::optional<double> figure) noexcept { return !figure || std::isfinite(*figure); }
bool is_time(std::optional<double> time) noexcept { return !time || (std::isfinite(*time) && *time >= 0); }
bool is_count(std::optional<std::int32_t> count) noexcept { return !count || *count >= 0; }

std::int64_t microseconds_since_1970(Clock::time_point time) noexcept
{
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

} // namespace

bool is_storable(const Draft &draft) noexcept
{
    return !draft.event_type.empty() && is_figure(draft.value) && is_time(draft.duration_ms) &&
           is_time(draft.first_token_ms) && is_count(draft.prompt_tokens) && is_count(draft.tokens_generated) &&
           is_text(draft.event_type) && is_text(draft.component) && is_text(draft.status) && is_text(draft.metadata) &&
           draft.event_type.size() + draft.component.size() + draft.status.size() + draft.metadata.size() <= max_text;
}

PackedText::PackedText(const std::array<std::string_view, fields> &texts)
{
    std::size_t size = 0;
    for (const auto text : texts)
        size += text.size();
    if (size > inline_.size())
        heap_.reset(new char[size]);

    char *const start = heap_ ? heap_.get() : inline_.data();
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < fields; ++i) {
        texts[i].copy(start + end, texts[i].size());
        end += static_cast<std::uint32_t>(texts[i].size());
        ends_[i] = end;
    }
}

PackedText::PackedText(PackedText &&other) noexcept { *this = std::move(other); }

PackedText &PackedText::operator=(PackedText &&other) noexcept
{
    if (this == &other)
        return *this;
    ends_ = other.ends_;
    heap_ = std::move(other.heap_);
    if (!heap_)
        std::memcpy(inline_.data(), other.inline_.data(), size());
    other.ends_ = {};
    return *this;
}

std::string_view PackedText::operator[](std::size_t field) const noexcept
{
    const std::uint32_t start = field == 0 ? 0 : ends_[field - 1];
    return {data() + start, ends_[field] - start};
}

Record::Record(const Draft &draft)
    : time_us(microseconds_since_1970(draft.event_time ? *draft.event_time : Clock::now())),
      value(draft.value.value_or(no_figure)), duration_ms(draft.duration_ms.value_or(no_figure)),
      first_token_ms(draft.first_token_ms.value_or(no_figure)), prompt_tokens(draft.prompt_tokens.value_or(no_count)),
      tokens_generated(draft.tokens_generated.value_or(no_count)),
      text({draft.event_type, draft.component, draft.status, draft.metadata})
{
}

} // namespace gravitas::telemetry
