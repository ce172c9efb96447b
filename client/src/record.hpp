#pragma once

#include <gravitas/telemetry.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

namespace gravitas::telemetry {

// An event as its caller gives it: nothing is copied, nothing is checked.
struct Draft {
    std::string_view event_type;
    std::string_view component = {};
    std::string_view status = {};
    std::string_view metadata = {};
    std::optional<double> value = {};
    std::optional<double> duration_ms = {};
    std::optional<double> first_token_ms = {};
    std::optional<std::int32_t> prompt_tokens = {};
    std::optional<std::int32_t> tokens_generated = {};
    std::optional<Clock::time_point> event_time = {};
};

// False for what no database could store, as far as that can be told in a few nanoseconds: a time or a count
// that is negative or not finite, no event type, a NUL. Encoding and metadata are the server's to judge.
[[nodiscard]] bool is_storable(const Draft &draft) noexcept;

// Four strings in one piece of memory, which is part of the object as long as they are short.
class PackedText {
public:
    static constexpr std::size_t fields = 4;

    PackedText() noexcept = default;
    explicit PackedText(const std::array<std::string_view, fields> &texts); // throws std::bad_alloc
    PackedText(PackedText &&other) noexcept;
    PackedText &operator=(PackedText &&other) noexcept;

    [[nodiscard]] std::string_view operator[](std::size_t field) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return ends_.back(); }

private:
    [[nodiscard]] const char *data() const noexcept { return heap_ ? heap_.get() : inline_.data(); }

    std::array<std::uint32_t, fields> ends_{};
    std::unique_ptr<char[]> heap_;
    std::array<char, 192> inline_;
};

// An event on its way to the database. NaN and -1 mean "not given".
struct Record {
    static constexpr double no_figure = std::numeric_limits<double>::quiet_NaN();
    static constexpr std::int32_t no_count = -1;

    Record() noexcept = default;
    explicit Record(const Draft &draft); // throws std::bad_alloc

    [[nodiscard]] std::string_view event_type() const noexcept { return text[0]; }
    [[nodiscard]] std::string_view component() const noexcept { return text[1]; }
    [[nodiscard]] std::string_view status() const noexcept { return text[2]; }
    [[nodiscard]] std::string_view metadata() const noexcept { return text[3]; }

    std::int64_t time_us = 0; // since 1970-01-01 UTC
    double value = no_figure;
    double duration_ms = no_figure;
    double first_token_ms = no_figure;
    std::int32_t prompt_tokens = no_count;
    std::int32_t tokens_generated = no_count;
    PackedText text;
};

static_assert(sizeof(Record) <= 256, "the header promises about 300 bytes an event");

} // namespace gravitas::telemetry
