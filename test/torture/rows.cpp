#include "torture/rows.hpp"

#include <cmath>

namespace gravitas::telemetry::torture {

using namespace std::chrono_literals;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

template <typename Number>
std::string text_of(const std::optional<Number> &number, const char *none)
{
    if (!number)
        return none;
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", static_cast<double>(*number));
    return text;
}

// All columns of a row, each a text or `none`, with a quote around texts.
std::vector<std::string> fields(const Row &row, const std::string &component, const char *quote, const char *none)
{
    return {quote + sql_time(row.time) + quote, quote + row.event_type + quote,      quote + component + quote,
            text_of(row.value, none),           text_of(row.duration_ms, none),      text_of(row.first_token_ms, none),
            text_of(row.prompt_tokens, none),   text_of(row.tokens_generated, none), quote + row.status + quote};
}

std::string joined(const std::vector<std::string> &texts, const char *between)
{
    std::string all;
    for (const auto &text : texts)
        all += (all.empty() ? "" : between) + text;
    return all;
}

Row thought(Random &random, long number, int tokens, const char *status)
{
    Row row{.event_type = "THOUGHT_LATENCY", .status = status};
    row.duration_ms = static_cast<double>(number) * std::max(tokens, 1);
    row.prompt_tokens = random.between(0, 500);
    row.tokens_generated = tokens;
    if (random.one_in(3))
        row.first_token_ms = *row.duration_ms / random.between(1, 9);
    return row;
}

} // namespace

Clock::time_point random_time(Random &random)
{
    const auto now = std::chrono::floor<microseconds>(Clock::now());
    switch (random.between(0, 9)) {
    case 0:
        return now - seconds(random.between(0, 3 * 3'600));
    case 1:
        return now - minutes(random.between(0, 75 * 24 * 60)) - microseconds(random.between(0, 999'999));
    case 2:
        return now + seconds(random.between(0, 3 * 86'400));
    case 3: // the edges: the last and the first µs
        return std::chrono::floor<std::chrono::days>(now) - hours(24 * random.between(0, 4)) +
               minutes(random.one_of({"0", "1", "60", "1440"})[0] - '0') + microseconds(random.between(-1, 1));
    default:
        return now - microseconds(random.between(0, 999'999));
    }
}

Row counted_row(Random &random, long number)
{
    Row row;
    switch (random.between(0, 2)) {
    case 0:
        row = {.event_type = random.one_of({"TICK", "VRAM_CHECK", "NOTE"}), .status = random.one_of({"OK", "ERROR"})};
        row.value = static_cast<double>(number);
        break;
    case 1:
        row = {.event_type = "LOAD_LATENCY", .status = "OK"};
        row.duration_ms = static_cast<double>(number) * 1'000;
        break;
    default:
        row = thought(random, number, random.between(1, 60), random.one_of({"OK", "WARNING"}));
    }
    row.time = random_time(random);
    return row;
}

Row random_row(Random &random, long number)
{
    if (!random.one_in(5))
        return counted_row(random, number);
    Row row = random.one_in(2) ? thought(random, number, 0, "OK")
                               : thought(random, number, random.between(0, 60), random.one_of({"ERROR", "timeout"}));
    row.time = random_time(random);
    return row;
}

std::string sql_time(Clock::time_point time)
{
    const auto since_1970 = std::chrono::floor<microseconds>(time).time_since_epoch();
    const std::time_t whole = std::chrono::floor<seconds>(since_1970).count();
    std::tm parts{};
    gmtime_r(&whole, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<int>((since_1970 - std::chrono::floor<seconds>(since_1970)).count()));
    return text;
}

std::string as_values(const Row &row, const std::string &component)
{
    return "(" + joined(fields(row, component, "'", "NULL"), ", ") + ")";
}

std::string as_copy(const Row &row, const std::string &component)
{
    return joined(fields(row, component, "", "\\N"), "\t") + "\n";
}

std::string as_json(const Row &row, const std::string &component)
{
    static const std::vector<std::string> names = {"timestamp",     "event_type",       "component",
                                                   "value",         "duration_ms",      "first_token_ms",
                                                   "prompt_tokens", "tokens_generated", "status"};
    std::vector<std::string> texts = fields(row, component, "\"", "null");
    for (std::size_t i = 0; i < names.size(); ++i)
        texts[i] = "\"" + names[i] + "\": " + texts[i];
    return "{" + joined(texts, ", ") + "}";
}

core::BatchEvent as_batch(const Row &row, const std::string &component)
{
    return {.time_us = std::chrono::floor<microseconds>(row.time.time_since_epoch()).count(),
            .event_type = row.event_type,
            .component = component,
            .value = row.value,
            .duration_ms = row.duration_ms,
            .first_token_ms = row.first_token_ms,
            .prompt_tokens = row.prompt_tokens,
            .tokens_generated = row.tokens_generated,
            .status = row.status};
}

std::string batch_of(const std::vector<Row> &rows, const std::string &component, const core::ProducerId &producer,
                     std::uint64_t sequence)
{
    core::BatchHeader header;
    header.producer = producer;
    header.sequence = sequence;
    header.created_at = header.sent_at = std::chrono::floor<microseconds>(Clock::now().time_since_epoch()).count();
    core::BatchWriter writer;
    for (const Row &row : rows)
        writer.add(as_batch(row, component));
    std::string text = "\\x";
    for (const std::uint8_t byte : writer.finish(header)) {
        constexpr char digits[] = "0123456789abcdef";
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

} // namespace gravitas::telemetry::torture
