// One connection to the database, used by one thread at a time. It never waits for longer than it was told.

#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry::http {

class Result {
public:
    explicit Result(PGresult *result) : result_(result) {}

    [[nodiscard]] int rows() const { return PQntuples(get()); }
    [[nodiscard]] int columns() const { return PQnfields(get()); }
    [[nodiscard]] const char *name(int column) const { return PQfname(get(), column); }
    [[nodiscard]] Oid type(int column) const { return PQftype(get(), column); }
    [[nodiscard]] bool is_null(int row, int column) const { return PQgetisnull(get(), row, column) != 0; }
    [[nodiscard]] std::string_view text(int row, int column) const
    {
        return {PQgetvalue(get(), row, column), static_cast<std::size_t>(PQgetlength(get(), row, column))};
    }
    [[nodiscard]] PGresult *get() const { return result_.get(); }

private:
    struct Clear {
        void operator()(PGresult *result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

// An error of the server, or (without a SQLSTATE) of the way to it.
class DatabaseError : public std::runtime_error {
public:
    DatabaseError(const std::string &message, std::string sqlstate, std::string hint)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)), hint_(std::move(hint))
    {
    }
    [[nodiscard]] const std::string &sqlstate() const { return sqlstate_; }
    [[nodiscard]] const std::string &hint() const { return hint_; }

private:
    std::string sqlstate_;
    std::string hint_;
};

// Bound, never pasted. Absent is NULL.
using Parameter = std::optional<std::string>;

class Connection {
public:
    // Throws DatabaseError.
    Connection(const std::string &conninfo, std::chrono::milliseconds statement_timeout);

    // Whether it is still there, as far as one knows without asking the server.
    [[nodiscard]] bool is_alive();

    // Throws DatabaseError. Where no answer comes in time, not even that of statement_timeout, the connection is lost.
    Result query(const char *sql, const std::vector<Parameter> &parameters = {});
    // In a transaction that may write.
    Result write(const char *sql, const std::vector<Parameter> &parameters);

private:
    struct Finish {
        void operator()(PGconn *connection) const noexcept { PQfinish(connection); }
    };
    [[nodiscard]] PGconn *get() const { return connection_.get(); }
    void wait(short events, std::chrono::steady_clock::time_point deadline);
    void send_all(std::chrono::steady_clock::time_point deadline);
    Result receive(std::chrono::steady_clock::time_point deadline);
    [[noreturn]] void fail_lost(const std::string &message);

    std::unique_ptr<PGconn, Finish> connection_;
    std::chrono::milliseconds statement_timeout_;
};

} // namespace gravitas::telemetry::http
