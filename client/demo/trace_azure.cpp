// Azure LLM inference traces: CSV of TIMESTAMP, ContextTokens, GeneratedTokens. They say when a request came and how
// large it was, not how long it took, so each becomes a REQUEST_ARRIVAL without a value.

#include "trace.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>

namespace demo {

namespace {

struct Arrival {
    Nanoseconds time{}; // since 1970
    std::int32_t prompt_tokens = 0;
    std::int32_t tokens_generated = 0;
};

std::vector<std::string_view> split(std::string_view line)
{
    std::vector<std::string_view> fields;
    for (std::size_t comma; (comma = line.find(',')) != std::string_view::npos; line.remove_prefix(comma + 1))
        fields.push_back(line.substr(0, comma));
    fields.push_back(line);
    return fields;
}

// Takes the next line off `text`, without its LF or CRLF.
std::string_view take_line(std::string_view &text)
{
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

std::string_view without_byte_order_mark(std::string_view text)
{
    return text.substr(text.starts_with("\xef\xbb\xbf") ? 3 : 0);
}

bool recognises(const SourceFile &file)
{
    std::string_view text = without_byte_order_mark(file.text);
    const auto columns = split(take_line(text));
    return std::count(columns.begin(), columns.end(), "ContextTokens") > 0 ||
           std::count(columns.begin(), columns.end(), "GeneratedTokens") > 0;
}

// Reads one unsigned number at the start of `text` and takes it off; -1 where there is none.
std::int64_t take_number(std::string_view &text, std::size_t longest)
{
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(longest, text.size()), number);
    if (error != std::errc{} || text.starts_with('-'))
        return -1;
    text.remove_prefix(end - text.data());
    return number;
}

bool take(std::string_view &text, char expected)
{
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(1);
    return true;
}

// Digits after the point, of any number, as nanoseconds; -1 where there is none.
std::int64_t take_fraction(std::string_view &text)
{
    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    std::size_t digits = 0;
    for (; digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0; ++digits, unit /= 10)
        nanoseconds += unit * (text[digits] - '0');
    text.remove_prefix(digits);
    return digits == 0 ? -1 : nanoseconds;
}

// "2023-11-16 18:17:03.9799600" or "2024-05-10 00:00:00.009930+00:00"; UTC where no zone is given.
bool parse_time(std::string_view text, Nanoseconds &time)
{
    using namespace std::chrono;
    const auto year_number = take_number(text, 4);
    const bool first_dash = take(text, '-');
    const auto month_number = take_number(text, 2);
    const bool second_dash = take(text, '-');
    const auto day_number = take_number(text, 2);
    const bool blank = take(text, ' ') || take(text, 'T');
    const auto hour = take_number(text, 2);
    const bool first_colon = take(text, ':');
    const auto minute = take_number(text, 2);
    const bool second_colon = take(text, ':');
    const auto second = take_number(text, 2);
    const auto fraction = take(text, '.') ? take_fraction(text) : 0;
    if (!first_dash || !second_dash || !blank || !first_colon || !second_colon)
        return false;
    const year_month_day date{year{static_cast<int>(year_number)}, month{static_cast<unsigned>(month_number)},
                              day{static_cast<unsigned>(day_number)}};
    const bool in_range = year_number >= 1970 && year_number <= 2200 && date.ok() && hour >= 0 && hour < 24 &&
                          minute >= 0 && minute < 60 && second >= 0 && second < 60 && fraction >= 0;
    if (!in_range)
        return false;

    const bool west = text.starts_with('-');
    minutes offset{0};
    if (west || text.starts_with('+')) {
        text.remove_prefix(1);
        const auto offset_hours = take_number(text, 2);
        const auto offset_minutes = take(text, ':') ? take_number(text, 2) : 0;
        if (offset_hours < 0 || offset_hours > 15 || offset_minutes < 0 || offset_minutes > 59)
            return false;
        offset = hours{offset_hours} + minutes{offset_minutes};
    }
    time = sys_days{date}.time_since_epoch() + hours{hour} + minutes{minute} + seconds{second} + nanoseconds{fraction} +
           (west ? offset : -offset);
    return text.empty() || text == "Z";
}

struct Columns {
    std::size_t count, time, prompt_tokens, tokens_generated;
};

Columns read_header(std::string_view header, const std::string &where)
{
    const auto names = split(header);
    const auto position = [&](const char *name) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end())
            throw TraceError(where + ": the column \"" + name + "\" is missing");
        return static_cast<std::size_t>(found - names.begin());
    };
    return {names.size(), position("TIMESTAMP"), position("ContextTokens"), position("GeneratedTokens")};
}

std::string quoted(std::string_view field)
{
    constexpr std::size_t longest = 40;
    std::string text{field.substr(0, longest)};
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
    return "\"" + text + (field.size() > longest ? "…\"" : "\"");
}

std::int32_t read_tokens(std::string_view field, const std::string &where, const char *name)
{
    std::string_view rest = field;
    const std::int64_t tokens = take_number(rest, 10);
    if (tokens < 0 || tokens > std::numeric_limits<std::int32_t>::max() || !rest.empty())
        throw TraceError(where + ": " + name + " is not a number of tokens: " + quoted(field));
    return static_cast<std::int32_t>(tokens);
}

Arrival read_arrival(std::string_view line, const Columns &columns, const std::string &where)
{
    const auto fields = split(line);
    if (fields.size() != columns.count)
        throw TraceError(where + ": " + std::to_string(fields.size()) + " fields, not " +
                         std::to_string(columns.count));
    Arrival arrival;
    if (!parse_time(fields[columns.time], arrival.time))
        throw TraceError(where + ": not a time: " + quoted(fields[columns.time]));
    arrival.prompt_tokens = read_tokens(fields[columns.prompt_tokens], where, "ContextTokens");
    arrival.tokens_generated = read_tokens(fields[columns.tokens_generated], where, "GeneratedTokens");
    return arrival;
}

class AzureTrace : public Trace {
public:
    AzureTrace(std::string deployment, std::vector<Arrival> arrivals)
        : Trace(std::move(deployment)), arrivals_(std::move(arrivals))
    {
        for (const Arrival &arrival : arrivals_)
            last_ = std::max(last_, arrival.time);
    }

    std::size_t size() const noexcept override { return arrivals_.size(); }
    std::string_view unit() const noexcept override { return "arrivals"; }
    Nanoseconds age(std::size_t event) const override { return last_ - arrivals_[event].time; }

    void log(gravitas::telemetry::Client &client, std::size_t event, TimePoint end) const override
    {
        const Arrival &arrival = arrivals_[event];
        const std::string metadata = "{\"prompt_tokens\": " + std::to_string(arrival.prompt_tokens) +
                                     ", \"tokens_generated\": " + std::to_string(arrival.tokens_generated) + "}";
        client.log({.event_type = "REQUEST_ARRIVAL",
                    .component = component(),
                    .metadata = metadata,
                    .event_time = end - age(event)});
    }

private:
    std::vector<Arrival> arrivals_;
    Nanoseconds last_{};
};

// AzureLLMInferenceTrace_code.csv → azure-code
std::string deployment_of(const std::filesystem::path &path)
{
    std::string name = path.stem().string();
    if (const std::size_t underscore = name.rfind('_'); underscore != std::string::npos)
        name.erase(0, underscore + 1);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return "azure-" + name;
}

std::unique_ptr<Trace> read(const SourceFile &file)
{
    std::string_view text = without_byte_order_mark(file.text);
    std::size_t line_number = 1;
    const auto where = [&] { return file.path.string() + ":" + std::to_string(line_number); };
    const Columns columns = read_header(take_line(text), where());
    std::vector<Arrival> arrivals;
    while (!text.empty()) {
        ++line_number;
        if (const std::string_view line = take_line(text); !line.empty())
            arrivals.push_back(read_arrival(line, columns, where()));
    }
    if (arrivals.empty())
        throw TraceError(where() + ": no arrival follows the header");
    return std::make_unique<AzureTrace>(deployment_of(file.path), std::move(arrivals));
}

} // namespace

const TraceFormat azure_format{"azure", recognises, read};

} // namespace demo
