// What the tests of the HTTP service share: one that serves a database of its own, and somebody who asks.

#pragma once

#include "client/support.hpp"

#include "front.hpp"
#include "routes.hpp"
#include "server.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace gravitas::telemetry::http::test {

using nlohmann::json;
using telemetry::test::Database;
using telemetry::test::Door;
using telemetry::test::eventually;
using telemetry::test::Session;
using telemetry::test::TemporaryDirectory;
using namespace std::chrono_literals;

// What came back; status 0: nothing did.
struct Response {
    int status = 0;
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;

    [[nodiscard]] json parsed() const { return json::parse(body); }
    [[nodiscard]] std::string header(const std::string &name) const;
};

// A socket, and nothing that makes requests proper.
class Caller {
public:
    explicit Caller(int port);
    ~Caller();
    Caller(const Caller &) = delete;
    Caller &operator=(const Caller &) = delete;

    // False where the other side is gone.
    bool send(const std::string &bytes) const;
    // One response; head: whether its body stays away.
    Response receive(bool head = false);
    // Until a response begins, which stays where it is.
    void wait() const;
    [[nodiscard]] bool is_closed(std::chrono::milliseconds within) const;

private:
    bool receive_more();

    int socket_;
    std::string received_;
};

using Headers = std::vector<std::string>;

// A service as the program is, but in this process.
class Service {
public:
    explicit Service(Options options, Limits limits = {});
    ~Service();
    Service(const Service &) = delete;
    Service &operator=(const Service &) = delete;

    [[nodiscard]] int port() const { return server_.port(); }
    void stop() { server_.stop(); }
    void join() { thread_.join(); }

    [[nodiscard]] Response ask(const std::string &method, const std::string &target, const Headers &headers = {},
                               const std::string &body = {}) const;
    [[nodiscard]] Response get(const std::string &target, const Headers &headers = {}) const
    {
        return ask("GET", target, headers);
    }
    // Exactly these bytes.
    [[nodiscard]] Response ask_raw(const std::string &bytes) const;

private:
    Routes routes_;
    Front front_;
    Server server_;
    std::thread thread_;
};

[[nodiscard]] Options options_for(const Database &database);

// As a request has it: what is not plain is %XX.
[[nodiscard]] std::string encoded(const std::string &text);

} // namespace gravitas::telemetry::http::test
