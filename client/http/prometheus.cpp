#include "prometheus.hpp"

#include "parameters.hpp"

#include <charconv>
#include <cmath>

namespace gravitas::telemetry::http {

namespace {

std::string_view suffix_of(Exposition::Type type)
{
    switch (type) {
    case Exposition::Type::counter:
        return "_total";
    case Exposition::Type::info:
        return "_info";
    default:
        return {};
    }
}

// Prometheus' own format has no type for facts.
std::string_view name_of(Exposition::Type type, Exposition::Format format)
{
    switch (type) {
    case Exposition::Type::counter:
        return "counter";
    case Exposition::Type::histogram:
        return "histogram";
    case Exposition::Type::info:
        return format == Exposition::Format::open_metrics ? "info" : "gauge";
    default:
        return "gauge";
    }
}

// What is not UTF-8 (a database may have the encoding SQL_ASCII) would make the scrape fail as a whole.
void append_label_value(std::string &out, std::string_view value)
{
    const bool is_valid = is_utf8(value);
    for (const char c : value) {
        if (c == '\\' || c == '"')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += is_valid || static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
}

std::string number_text(double value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

} // namespace

std::string float_text(double value)
{
    const std::string text = number_text(value);
    return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

void Exposition::family(std::string_view name, Type type, std::string_view help, std::string_view unit)
{
    const bool is_open = format_ == Format::open_metrics;
    const std::string family = std::string(name) + std::string(is_open ? "" : suffix_of(type));
    text_.append("# HELP ").append(family).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(family).append(" ").append(name_of(type, format_)).append("\n");
    if (is_open && !unit.empty())
        text_.append("# UNIT ").append(family).append(" ").append(unit).append("\n");
    name_ = name;
    name_ += suffix_of(type);
}

void Exposition::begin_sample(std::string_view suffix, Labels labels)
{
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto &[name, value] : labels) {
        text_ += before;
        text_.append(name).append("=\"");
        append_label_value(text_, value);
        text_ += '"';
        before = ',';
    }
    text_ += labels.size() > 0 ? "} " : " ";
}

void Exposition::sample(std::string_view suffix, Labels labels, double value)
{
    begin_sample(suffix, labels);
    text_ += number_text(value) + '\n';
}

void Exposition::sample(std::string_view suffix, Labels labels, std::uint64_t value)
{
    begin_sample(suffix, labels);
    text_ += std::to_string(value) + '\n';
}

std::string Exposition::finish() &&
{
    if (format_ == Format::open_metrics)
        text_ += "# EOF\n";
    return std::move(text_);
}

const char *Exposition::content_type() const
{
    return format_ == Format::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                           : "text/plain; version=0.0.4; charset=utf-8";
}

} // namespace gravitas::telemetry::http
