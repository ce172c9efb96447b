#include "support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace gravitas::telemetry::http::test {

namespace {

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

Response parse_head(const std::string &head)
{
    Response response;
    response.status = std::stoi(head.substr(head.find(' ') + 1, 3));
    std::size_t line = head.find("\r\n") + 2;
    while (line < head.size()) {
        const std::size_t end = head.find("\r\n", line);
        const std::size_t colon = head.find(": ", line);
        response.headers[lower(head.substr(line, colon - line))] = head.substr(colon + 2, end - colon - 2);
        line = end + 2;
    }
    return response;
}

} // namespace

std::string Response::header(const std::string &name) const
{
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

Caller::Caller(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
        close(socket_);
        throw std::runtime_error("nobody listens");
    }
}

Caller::~Caller() { close(socket_); }

bool Caller::send(const std::string &bytes) const
{
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        sent += static_cast<std::size_t>(count);
    }
    return true;
}

void Caller::wait() const
{
    pollfd one{socket_, POLLIN, 0};
    const int patience_ms = static_cast<int>(std::chrono::milliseconds(telemetry::test::patience).count());
    if (poll(&one, 1, patience_ms) <= 0)
        throw std::runtime_error("no response");
}

bool Caller::receive_more()
{
    char buffer[65536];
    wait();
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0)
        return false;
    received_.append(buffer, static_cast<std::size_t>(count));
    return true;
}

Response Caller::receive(bool head)
{
    std::size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive_more())
            return {};
    }
    Response response = parse_head(received_.substr(0, end + 2));
    received_.erase(0, end + 4);
    const std::string length = response.header("content-length");
    const std::size_t size = head || length.empty() ? 0 : std::stoul(length);
    while (received_.size() < size) {
        if (!receive_more())
            throw std::runtime_error("the body ends early");
    }
    response.body = received_.substr(0, size);
    received_.erase(0, size);
    return response;
}

bool Caller::is_closed(std::chrono::milliseconds within) const
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd one{socket_, POLLIN, 0};
        char buffer[4096];
        if (left.count() <= 0 || poll(&one, 1, static_cast<int>(left.count())) <= 0)
            return false;
        if (recv(socket_, buffer, sizeof buffer, 0) <= 0)
            return true;
    }
}

Service::Service(Options options, Limits limits)
    : routes_(options), front_([this](const httplib::Request &request) { return routes_.answer(request); }),
      server_(options.listen, options.port, options.connections + 4, front_, limits), thread_([this] { server_.run(); })
{
}

Service::~Service()
{
    stop();
    if (thread_.joinable())
        thread_.join();
}

Response Service::ask(const std::string &method, const std::string &target, const Headers &headers,
                      const std::string &body) const
{
    std::string request = method + ' ' + target + " HTTP/1.1\r\n";
    const bool has_host = std::any_of(headers.begin(), headers.end(),
                                      [](const std::string &header) { return lower(header).starts_with("host:"); });
    if (!has_host)
        request += "Host: localhost\r\n";
    for (const std::string &header : headers)
        request += header + "\r\n";
    if (!body.empty())
        request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    Caller caller(port());
    caller.send(request + "\r\n" + body);
    return caller.receive(method == "HEAD");
}

Response Service::ask_raw(const std::string &bytes) const
{
    Caller caller(port());
    caller.send(bytes);
    return caller.receive();
}

Options options_for(const Database &database)
{
    Options options;
    options.port = 0;
    options.conninfo = database.conninfo();
    return options;
}

std::string encoded(const std::string &text)
{
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte))
            out += c;
        else
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return out;
}

} // namespace gravitas::telemetry::http::test
