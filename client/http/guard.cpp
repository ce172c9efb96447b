#include "guard.hpp"

#include "answers.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace gravitas::telemetry::http {

namespace {

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

// "Name:9464" → "name", "[::1]:9464" → "::1"
std::string host_of(const std::string &header)
{
    if (header.starts_with('[')) {
        const std::size_t end = header.find(']');
        return end == std::string::npos ? std::string() : lower(header.substr(1, end - 1));
    }
    return lower(header.substr(0, header.find(':')));
}

int value_of_base64(char c)
{
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t place = digits.find(c);
    return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

// Up to the first character that is none of its digits.
std::string decode_base64(std::string_view text)
{
    std::string bytes;
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = value_of_base64(c);
        if (value < 0)
            break;
        bits = (bits << 6) | static_cast<unsigned>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>((bits >> count) & 0xFF);
        }
    }
    return bytes;
}

// What follows the scheme in the only Authorization header, or nothing.
std::string credentials(const httplib::Request &request, const std::string &scheme)
{
    if (request.get_header_value_count("Authorization") != 1)
        return {};
    const std::string given = request.get_header_value("Authorization");
    return lower(given.substr(0, scheme.size() + 1)) == scheme + " " ? given.substr(scheme.size() + 1) : std::string();
}

Refusal unauthorized(const char *scheme)
{
    return Refusal(401, "this needs the token", "Send the header: Authorization: Bearer TOKEN")
        .with("WWW-Authenticate", scheme);
}

} // namespace

Guard::Guard(const Options &options) : token_(options.token), hosts_{"localhost", "127.0.0.1", "::1"}
{
    hosts_.insert(lower(options.listen));
    for (const std::string &host : options.allowed_hosts)
        hosts_.insert(lower(host));
}

void Guard::check_host(const httplib::Request &request) const
{
    if (request.get_header_value_count("Host") != 1)
        throw Refusal(400, "a request needs one Host header");
    const std::string host = request.get_header_value("Host");
    if (!hosts_.contains(host_of(host)))
        throw Refusal(403, "host \"" + host + "\" is not served here", "Start with --allow-host to serve it.");
}

void Guard::check_token(const httplib::Request &request) const
{
    if (token_.empty() || is_token(credentials(request, "bearer")))
        return;
    const std::string user_and_password = decode_base64(credentials(request, "basic"));
    const std::size_t colon = user_and_password.find(':');
    if (colon == std::string::npos || !is_token(user_and_password.substr(colon + 1)))
        throw unauthorized(R"(Basic realm="Gravitas Telemetry: the token is the password", charset="UTF-8")");
}

void Guard::check_bearer(const httplib::Request &request) const
{
    if (token_.empty() || !is_token(credentials(request, "bearer")))
        throw unauthorized("Bearer");
}

// In a time that says nothing about the token: it depends on what was given only.
bool Guard::is_token(const std::string &given) const
{
    unsigned char difference = given.size() == token_.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i)
        difference |= static_cast<unsigned char>(given[i] ^ token_[i % token_.size()]);
    return difference == 0;
}

} // namespace gravitas::telemetry::http
