#include "framing.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace gravitas::telemetry::http {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

Frame refused(int status, const char *reason) { return {Frame::State::refused, 0, 0, status, reason}; }

bool is_called(std::string_view line, std::string_view name)
{
    return line.size() > name.size() && line[name.size()] == ':' &&
           std::equal(name.begin(), name.end(), line.begin(),
                      [](char wanted, char c) { return wanted == std::tolower(static_cast<unsigned char>(c)); });
}

std::string_view value_of(std::string_view line)
{
    line.remove_prefix(std::min(line.size(), line.find(':') + 1));
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t'))
        line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t'))
        line.remove_suffix(1);
    return line;
}

bool is_plain(std::string_view line)
{
    return std::none_of(line.begin(), line.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

// Calls with each line; false as soon as that says so.
template <typename Call>
bool for_each_line(std::string_view lines, Call call)
{
    while (!lines.empty()) {
        const std::size_t end = lines.find(line_end);
        if (!call(lines.substr(0, end)))
            return false;
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + line_end.size());
    }
    return true;
}

bool read_length(std::string_view text, std::size_t &length)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// What the head says of the body. A body of no stated length is one of those that proxies and servers disagree on.
Frame read_headers(std::string_view headers, std::size_t head_bytes)
{
    Frame frame{Frame::State::complete, head_bytes};
    bool has_length = false;
    for_each_line(headers, [&](std::string_view line) {
        const std::size_t colon = line.find(':');
        if (!is_plain(line) || colon == 0 || colon == std::string_view::npos ||
            line.substr(0, colon).find_first_of(" \t") != std::string_view::npos)
            frame = refused(400, "a header is malformed");
        else if (is_called(line, "transfer-encoding"))
            frame = refused(411, "a body needs a Content-Length");
        else if (is_called(line, "expect"))
            frame = refused(417, "Expect is not served");
        else if (is_called(line, "content-length")) {
            if (has_length || !read_length(value_of(line), frame.body_bytes))
                frame = refused(400, "Content-Length must be given once and be a number");
            else if (frame.body_bytes > most_body_bytes)
                frame = refused(413, "the body is larger than 1 MiB");
            has_length = true;
        }
        return frame.state != Frame::State::refused;
    });
    return frame;
}

} // namespace

Frame frame_of(std::string_view received)
{
    const std::size_t first_line = received.find(line_end);
    if (std::min(first_line, received.size()) > most_line_bytes)
        return refused(414, "the request line is too long");
    if (first_line == std::string_view::npos)
        return {};
    const std::size_t end = received.find(head_end, first_line);
    if (std::min(end, received.size()) - first_line > most_head_bytes)
        return refused(431, "the headers are too long");
    if (end == std::string_view::npos)
        return {};
    if (!is_plain(received.substr(0, first_line)))
        return refused(400, "the request line is malformed");
    Frame frame;
    if (end == first_line)
        frame = {Frame::State::complete, end + head_end.size()};
    else
        frame = read_headers(received.substr(first_line + line_end.size(), end - first_line - line_end.size()),
                             end + head_end.size());
    if (frame.state == Frame::State::complete && received.size() < frame.head_bytes + frame.body_bytes)
        frame.state = Frame::State::incomplete;
    return frame;
}

std::string without_header(std::string_view head, std::string_view name)
{
    std::string kept;
    for_each_line(head, [&](std::string_view line) {
        if (!is_called(line, name))
            kept.append(line).append(line_end);
        return true;
    });
    return kept;
}

} // namespace gravitas::telemetry::http
