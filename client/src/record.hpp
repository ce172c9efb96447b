#pragma once

#include <gravitas/telemetry.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gravitas::telemetry {

enum class EventKind : std::uint8_t { load, thought, other };

// An event as its caller gives it: nothing is copied, nothing is checked.
struct Draft {
    EventKind kind = EventKind::other;
    bool success = true;              // of a load or a thought
    std::string_view event_type = {}; // of others
    std::string_view status = {};     // of others
    std::string_view component = {};
    std::string_view metadata = {};
    std::optional<double> value = {};
    std::optional<double> duration_ms = {};
    std::optional<double> first_token_ms = {};
    std::optional<std::int32_t> prompt_tokens = {};
    std::optional<std::int32_t> tokens_generated = {};
    std::optional<Clock::time_point> event_time = {};
};

// False for what no database could store, as far as that can be told in a few nanoseconds: a time or a count
// that is negative or not finite, no event type, no model, a NUL. Encoding and metadata are the server's to judge.
[[nodiscard]] bool is_storable(const Draft &draft) noexcept;

// The same for a time in seconds or milliseconds.
[[nodiscard]] inline bool is_time(double time) noexcept
{
    return time >= 0 && time <= std::numeric_limits<double>::max();
}

// Four strings in one piece of memory, or none.
class PackedText {
public:
    static constexpr std::size_t fields = 4;

    PackedText() noexcept = default;
    explicit PackedText(const std::array<std::string_view, fields> &texts); // throws std::bad_alloc

    [[nodiscard]] std::string_view operator[](std::size_t field) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return memory_ ? ends()[fields - 1] : 0; }

private:
    [[nodiscard]] const std::uint32_t *ends() const noexcept
    {
        return reinterpret_cast<const std::uint32_t *>(memory_.get());
    }

    std::unique_ptr<char[]> memory_; // where each ends, then the strings
};

// An event on its way to the database. NaN and -1 mean "not given". Of a load or a thought of a known component it is
// all there is: nothing is allocated for it.
struct Record {
    // Of a load or a thought of a known component, now. The rest is the caller's to fill in.
    Record(EventKind event_kind, bool is_success, const std::string *component) noexcept;

    static constexpr double no_figure = std::numeric_limits<double>::quiet_NaN();
    static constexpr std::int32_t no_count = -1;

    Record() noexcept = default;
    explicit Record(const Draft &draft); // throws std::bad_alloc

    [[nodiscard]] std::string_view event_type() const noexcept;
    [[nodiscard]] std::string_view component() const noexcept { return known != nullptr ? *known : text[1]; }
    [[nodiscard]] std::string_view status() const noexcept;
    [[nodiscard]] std::string_view metadata() const noexcept { return text[3]; }

    std::int64_t time_us = 0; // since 1970-01-01 UTC; or what the counter said
    double value = no_figure;
    double duration_ms = no_figure;
    double first_token_ms = no_figure;
    std::int32_t prompt_tokens = no_count;
    std::int32_t tokens_generated = no_count;
    const std::string *known = nullptr; // component
    PackedText text;
    EventKind kind = EventKind::other;
    bool success = true;
    bool is_counted = false; // time_us is of the counter, until the event is taken from the queue
};

static_assert(sizeof(Record) <= 72, "the header promises about 80 bytes an event");

} // namespace gravitas::telemetry
