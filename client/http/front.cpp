#include "front.hpp"

#include "framing.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace gravitas::telemetry::http {

namespace {

const httplib::Headers security_headers = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Vary", "Accept-Encoding"},
};

// A request that is in memory already, and an answer that stays there.
class MemoryStream : public httplib::Stream {
public:
    explicit MemoryStream(std::string_view input) : input_(input) {}

    // Not one of them is marked "override", since some versions of the library do not ask for all; what one misses, it
    // makes abstract.
    bool is_readable() const { return true; }
    bool is_writable() const { return true; }
    bool wait_readable() const { return true; }
    bool wait_writable() const { return true; }
    time_t duration() const { return 0; }
    ssize_t read(char *to, size_t size)
    {
        const std::size_t count = std::min(size, input_.size());
        std::memcpy(to, input_.data(), count);
        input_.remove_prefix(count);
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char *from, size_t size)
    {
        output_.append(from, size);
        return static_cast<ssize_t>(size);
    }
    void get_remote_ip_and_port(std::string &, int &) const {}
    void get_local_ip_and_port(std::string &, int &) const {}
    socket_t socket() const { return 0; }

    [[nodiscard]] std::string &output() { return output_; }

private:
    std::string_view input_;
    std::string output_;
};

const char *phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 408:
        return "Request Timeout";
    case 411:
        return "Length Required";
    case 413:
        return "Payload Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

void put(const Answer &answer, httplib::Response &response)
{
    response.status = answer.status;
    for (const auto &[name, value] : answer.headers)
        response.set_header(name, value);
    if (answer.status != 304) {
        response.set_header("Cache-Control", response.has_header("ETag") ? "no-cache" : "no-store");
        response.set_content(answer.body, answer.content_type);
    }
}

// Later versions look for a body that nobody has read, lest it be taken for the next request.
template <typename Request>
void give_body(Request &request, std::string &&body)
{
    request.body = std::move(body);
    if constexpr (requires { request.body_consumed_; })
        request.body_consumed_ = true;
}

// Brotli as the library uses it takes a second for what gzip does in ten milliseconds.
void prefer_gzip(httplib::Request &request)
{
    const bool takes_gzip = request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    request.headers.erase("Accept-Encoding");
    if (takes_gzip)
        request.set_header("Accept-Encoding", "gzip");
}

Answer answer_of(const Front::Handler &handler, const httplib::Request &request)
{
    try {
        return handler(request);
    } catch (const Refusal &refusal) {
        return refusal.answer();
    } catch (const std::bad_alloc &) {
        return Refusal(503, "out of memory").answer();
    } catch (const std::exception &error) {
        return Refusal(500, error.what()).answer();
    }
}

} // namespace

// process_request() is what the library offers to servers that bring their own connections.
class Front::Library : public httplib::Server {
public:
    explicit Library(const Front::Handler &handler)
    {
        set_default_headers(security_headers);
        set_pre_routing_handler([&handler](const httplib::Request &request, httplib::Response &response) {
            put(answer_of(handler, request), response);
            return HandlerResponse::Handled;
        });
        // of what it refuses itself, which has a status and no more
        set_error_handler(HandlerWithResponse([](const httplib::Request &, httplib::Response &response) {
            if (response.body.empty())
                put(Refusal(response.status, "the request is malformed").answer(), response);
            return HandlerResponse::Handled;
        }));
        // later versions close after every error, though no byte of the request is left in the connection
        set_post_routing_handler([](const httplib::Request &request, httplib::Response &response) {
            if (request.get_header_value("Connection") != "close")
                response.headers.erase("Connection");
        });
        set_keep_alive_max_count(std::numeric_limits<int>::max());
    }

    Reply answer(std::string_view head, std::string body)
    {
        MemoryStream stream(head);
        bool is_closed = false;
        const bool has_gone_well = process(stream, is_closed, [&](httplib::Request &request) {
            give_body(request, std::move(body));
            prefer_gzip(request);
        });
        return {std::move(stream.output()), is_closed || !has_gone_well};
    }

private:
    // Since 0.18 the library takes the addresses of both ends, too, for which nobody asks here.
    template <typename Setup>
    bool process(httplib::Stream &stream, bool &is_closed, const Setup &setup)
    {
        if constexpr (requires { this->process_request(stream, false, is_closed, setup); })
            return process_request(stream, false, is_closed, setup);
        else
            return process_request(stream, "", 0, "", 0, false, is_closed, setup);
    }
};

Front::Front(Handler handler) : handler_(std::move(handler)), library_(std::make_unique<Library>(handler_)) {}

Front::~Front() = default;

Reply Front::answer(const std::string &head, std::string body)
{
    try {
        // No ranges: what the library does to read one takes stack by its length.
        Reply reply = library_->answer(without_header(head, "range"), std::move(body));
        return reply.bytes.empty() ? Reply{refuse(400, "the request is malformed"), true} : std::move(reply);
    } catch (const std::exception &) {
        return {refuse(503, "the request could not be answered"), true};
    }
}

std::string Front::refuse(int status, const std::string &reason)
{
    const Answer answer = Refusal(status, reason).answer();
    std::string bytes = "HTTP/1.1 " + std::to_string(status) + ' ' + phrase(status) + "\r\n";
    for (const auto &[name, value] : security_headers)
        bytes += name + ": " + value + "\r\n";
    if (status == 503)
        bytes += "Retry-After: 1\r\n";
    return bytes +
           "Cache-Control: no-store\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
}

} // namespace gravitas::telemetry::http
