#include "json.hpp"

#include <nlohmann/json.hpp>

namespace gravitas::telemetry::http {

namespace {

// Of pg_type, where they never change.
enum Type : Oid {
    boolean = 16,
    int8 = 20,
    int2 = 21,
    int4 = 23,
    json = 114,
    float4 = 700,
    float8 = 701,
    timestamptz = 1184,
    numeric = 1700,
    jsonb = 3802
};

// Of "2026-11-25 20:30:33.5+00", as a session in UTC writes it.
void append_time(std::string &out, std::string_view text)
{
    constexpr std::string_view utc = "+00";
    if (!text.ends_with(utc))
        return append_string(out, text); // a year before Christ
    text.remove_suffix(utc.size());
    out += '"';
    out += text;
    out[out.size() - text.size() + text.find(' ')] = 'T';
    out += "Z\"";
}

bool is_finite(std::string_view text) { return text.find_first_of("NI") == std::string_view::npos; }

} // namespace

void append_string(std::string &out, std::string_view text)
{
    using nlohmann::json;
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void append_value(std::string &out, const Result &result, int row, int column)
{
    if (result.is_null(row, column)) {
        out += "null";
        return;
    }
    const std::string_view text = result.text(row, column);
    switch (result.type(column)) {
    case boolean:
        out += text == "t" ? "true" : "false";
        break;
    case int2:
    case int4:
    case int8:
    case json:
    case jsonb:
        out += text;
        break;
    case float4:
    case float8:
    case numeric:
        out += is_finite(text) ? text : "null";
        break;
    case timestamptz:
        if (text == "infinity" || text == "-infinity")
            out += "null";
        else
            append_time(out, text);
        break;
    default:
        append_string(out, text);
    }
}

Keys::Keys(const Result &result)
{
    for (int column = 0; column < result.columns(); ++column) {
        std::string &key = keys_.emplace_back(column == 0 ? "{" : ",");
        append_string(key, result.name(column));
        key += ':';
    }
}

void Keys::append_row(std::string &out, const Result &result, int row) const
{
    for (int column = 0; column < result.columns(); ++column) {
        out += keys_[static_cast<std::size_t>(column)];
        append_value(out, result, row, column);
    }
    out += '}';
}

void append_rows(std::string &out, const Result &result)
{
    const Keys keys(result);
    out += '[';
    for (int row = 0; row < result.rows(); ++row) {
        if (row > 0)
            out += ',';
        keys.append_row(out, result, row);
    }
    out += ']';
}

} // namespace gravitas::telemetry::http
