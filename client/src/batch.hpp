#pragma once

#include "record.hpp"

#include <array>
#include <string>
#include <string_view>

namespace gravitas::telemetry {

// A PostgreSQL array in its text form, one element at a time.
class ArrayLiteral {
public:
    void clear();
    void add_null();
    void add_text(std::string_view text);
    void add_number(double number);
    void add_number(std::int32_t number);
    void add_timestamp(std::int64_t microseconds_since_1970);
    [[nodiscard]] const char *finish();

private:
    void separate() { text_ += text_.empty() ? '{' : ','; }

    std::string text_;
};

// Events as the ten arrays of one INSERT: one statement, and so one transaction.
class Batch {
public:
    static constexpr std::size_t columns = 10;
    static const char *const statement;

    void clear();
    void add(const Record &record);
    // Valid until the batch changes.
    [[nodiscard]] std::array<const char *, columns> parameters();

private:
    std::array<ArrayLiteral, columns> arrays_;
};

} // namespace gravitas::telemetry
