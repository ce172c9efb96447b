// So many connections, shared by those who answer; made when they are needed, and again when they are lost.

#pragma once

#include "database.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>

namespace gravitas::telemetry::http {

class Pool {
public:
    Pool(std::string conninfo, int connections, std::chrono::milliseconds statement_timeout);

    // What goes wrong becomes a Refusal: 503 while the database is away or all connections stay in use, 504, 400, …
    Result query(const char *sql, const std::vector<Parameter> &parameters = {});
    Result write(const char *sql, const std::vector<Parameter> &parameters);

private:
    using Clock = std::chrono::steady_clock;
    using Use = std::function<Result(Connection &)>;

    // A connection, or an empty place to put one.
    class Lease;
    std::unique_ptr<Connection> take();
    void give_back(std::unique_ptr<Connection> connection) noexcept;
    std::unique_ptr<Connection> connect();
    Result use(const Use &use, bool try_again);

    const std::string conninfo_;
    const std::chrono::milliseconds statement_timeout_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
    int available_; // idle or not made yet
    Clock::time_point refused_until_{};
    std::string refused_because_;
};

} // namespace gravitas::telemetry::http
