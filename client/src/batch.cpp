#include "batch.hpp"

#include "timestamps.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gravitas::telemetry {

namespace {

enum Column {
    timestamp,
    event_type,
    component,
    value,
    duration_ms,
    first_token_ms,
    prompt_tokens,
    tokens_generated,
    status,
    metadata
};

void add_optional(ArrayLiteral &array, std::string_view text)
{
    if (text.empty())
        array.add_null();
    else
        array.add_text(text);
}

void add_optional(ArrayLiteral &array, double number)
{
    if (std::isnan(number))
        array.add_null();
    else
        array.add_number(number);
}

void add_optional(ArrayLiteral &array, std::int32_t count)
{
    if (count == Record::no_count)
        array.add_null();
    else
        array.add_number(count);
}

} // namespace

// Every name is qualified: the session's search_path is the user's.
const char *const Batch::statement =
    "INSERT INTO telemetry.system_telemetry (timestamp, event_type, component, value, duration_ms, first_token_ms,"
    " prompt_tokens, tokens_generated, status, metadata)"
    " SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10::pg_catalog.jsonb"
    " FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.timestamptz[]), pg_catalog.unnest($2::pg_catalog.text[]),"
    " pg_catalog.unnest($3::pg_catalog.text[]), pg_catalog.unnest($4::pg_catalog.float8[]),"
    " pg_catalog.unnest($5::pg_catalog.float8[]), pg_catalog.unnest($6::pg_catalog.float8[]),"
    " pg_catalog.unnest($7::pg_catalog.int4[]), pg_catalog.unnest($8::pg_catalog.int4[]),"
    " pg_catalog.unnest($9::pg_catalog.text[]), pg_catalog.unnest($10::pg_catalog.text[]))"
    " AS event (c1, c2, c3, c4, c5, c6, c7, c8, c9, c10)";

void ArrayLiteral::clear()
{
    // What one large event needed is not kept for the small ones.
    constexpr std::size_t usual = std::size_t{1} << 20;
    if (text_.capacity() > usual)
        std::string().swap(text_);
    text_.clear();
}

void ArrayLiteral::add_null()
{
    separate();
    text_ += "NULL";
}

void ArrayLiteral::add_text(std::string_view text)
{
    separate();
    text_ += '"';
    while (!text.empty()) {
        const std::size_t plain = std::min(text.find_first_of("\"\\"), text.size());
        text_ += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty())
            break;
        text_ += '\\';
        text_ += text.front();
        text.remove_prefix(1);
    }
    text_ += '"';
}

void ArrayLiteral::add_number(double number)
{
    separate();
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr; // the shortest that reads back
    text_.append(digits, end);
}

void ArrayLiteral::add_number(std::int32_t number)
{
    separate();
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text_.append(digits, end);
}

void ArrayLiteral::add_timestamp(std::int64_t microseconds_since_1970)
{
    separate();
    append_timestamp(text_, microseconds_since_1970);
}

const char *ArrayLiteral::finish()
{
    text_ += text_.empty() ? "{}" : "}";
    return text_.c_str();
}

void Batch::clear()
{
    for (auto &array : arrays_)
        array.clear();
}

void Batch::add(const Record &record)
{
    arrays_[timestamp].add_timestamp(record.time_us);
    arrays_[event_type].add_text(record.event_type());
    add_optional(arrays_[component], record.component());
    add_optional(arrays_[value], record.value);
    add_optional(arrays_[duration_ms], record.duration_ms);
    add_optional(arrays_[first_token_ms], record.first_token_ms);
    add_optional(arrays_[prompt_tokens], record.prompt_tokens);
    add_optional(arrays_[tokens_generated], record.tokens_generated);
    add_optional(arrays_[status], record.status());
    add_optional(arrays_[metadata], record.metadata());
}

std::array<const char *, Batch::columns> Batch::parameters()
{
    std::array<const char *, columns> parameters;
    for (std::size_t i = 0; i < columns; ++i)
        parameters[i] = arrays_[i].finish();
    return parameters;
}

} // namespace gravitas::telemetry
