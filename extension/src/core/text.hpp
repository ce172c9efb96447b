// Writing and reading the text forms of the core: JSON with its members in one fixed order.
//
// TextReader knows no grammar beyond what its caller asks for next, so whatever the input, it does as much
// work as it has characters, and never recurses.

#pragma once

#include "core/array.hpp"
#include "core/error.hpp"

#include <charconv>
#include <cstdint>
#include <memory_resource>
#include <string_view>

namespace gravitas::telemetry::core {

class TextWriter {
public:
    explicit TextWriter(std::pmr::memory_resource &memory) noexcept : memory_(&memory) {}

    void raw(std::string_view text) { text_.append(text.data(), text.size(), *memory_); }

    // Integers in decimal; doubles as the shortest text that reads back as the same double.
    template <typename Number>
    void number(Number value)
    {
        char digits[32];
        const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
        text_.append(digits, static_cast<std::size_t>(end - digits), *memory_);
    }

    // Between elements: a comma, except before the first one after open().
    void open(char bracket)
    {
        text_.push_back(bracket, *memory_);
        first_ = true;
    }
    void close(char bracket)
    {
        text_.push_back(bracket, *memory_);
        first_ = false;
    }
    void separate()
    {
        if (!first_)
            text_.push_back(',', *memory_);
        first_ = false;
    }
    void key(std::string_view name)
    {
        separate();
        raw("\"");
        raw(name);
        raw("\":");
    }
    template <typename Number>
    void element(Number value)
    {
        separate();
        number(value);
    }
    template <typename Number>
    void member(std::string_view name, Number value)
    {
        key(name);
        number(value);
    }

    // The text, not NUL-terminated.
    [[nodiscard]] Array<char> take() noexcept { return std::move(text_); }

private:
    std::pmr::memory_resource *memory_;
    Array<char> text_;
    bool first_ = true;
};

class TextReader {
public:
    explicit TextReader(std::string_view text) noexcept : text_(text) {}

    [[noreturn]] void fail(const char *message) const { throw Error{ErrorKind::syntax, message, position_}; }
    void check(bool good, const char *message) const
    {
        if (!good)
            fail(message);
    }

    void open(char bracket)
    {
        check(skip(bracket), "an opening bracket is missing");
        first_ = true;
    }
    // Whether the bracket closes here; otherwise another element must follow.
    [[nodiscard]] bool closes(char bracket)
    {
        if (!skip(bracket))
            return false;
        first_ = false;
        return true;
    }
    void close(char bracket) { check(closes(bracket), "unexpected text before a closing bracket"); }
    void separate()
    {
        check(first_ || skip(','), "a comma is missing");
        first_ = false;
    }
    // Whether the next member has this name; if so, its value is next. Without a match nothing is consumed.
    [[nodiscard]] bool has_key(std::string_view name)
    {
        const std::size_t before = position_;
        if ((first_ || skip(',')) && skip('"') && text_.substr(position_).starts_with(name)) {
            position_ += name.size();
            if (position_ < text_.size() && text_[position_] == '"') {
                ++position_;
                if (skip(':')) {
                    first_ = false;
                    return true;
                }
            }
        }
        position_ = before;
        return false;
    }
    void key(std::string_view name) { check(has_key(name), "a member is missing, unknown or out of order"); }
    [[nodiscard]] bool skip_word(std::string_view word)
    {
        skip_space();
        if (!text_.substr(position_).starts_with(word))
            return false;
        position_ += word.size();
        return true;
    }

    // Throws syntax unless a number follows that fits Number exactly (integers) or is finite (doubles).
    template <typename Number>
    [[nodiscard]] Number number()
    {
        skip_space();
        Number value{};
        const char *start = text_.data() + position_;
        const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), value);
        check(error == std::errc{}, "not a number in range");
        if constexpr (std::is_floating_point_v<Number>)
            check(value - value == 0, "not a finite number");
        position_ += static_cast<std::size_t>(end - start);
        return value;
    }
    template <typename Number>
    [[nodiscard]] Number element()
    {
        separate();
        return number<Number>();
    }
    template <typename Number>
    [[nodiscard]] Number member(std::string_view name)
    {
        key(name);
        return number<Number>();
    }

    void expect_end()
    {
        skip_space();
        check(position_ == text_.size(), "text goes on after its end");
    }

private:
    void skip_space() noexcept
    {
        while (position_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[position_]) != std::string_view::npos)
            ++position_;
    }
    [[nodiscard]] bool skip(char wanted) noexcept
    {
        skip_space();
        if (position_ == text_.size() || text_[position_] != wanted)
            return false;
        ++position_;
        return true;
    }

    std::string_view text_;
    std::size_t position_ = 0;
    bool first_ = true;
};

} // namespace gravitas::telemetry::core
