#pragma once

#include "deadline.hpp"

#include <gravitas/telemetry.hpp>

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry {

struct Interrupt;

// A conninfo, read once, with what a telemetry client adds to it.
class ConnectionParameters {
public:
    explicit ConnectionParameters(const std::string &conninfo); // throws std::invalid_argument

    [[nodiscard]] std::vector<const char *> keywords() const; // ended by a null pointer, as libpq wants it
    [[nodiscard]] std::vector<const char *> values() const;

private:
    struct Parameter {
        std::string keyword;
        std::string value;
    };

    [[nodiscard]] bool has(std::string_view keyword) const;
    void set_default(const char *keyword, const char *value);

    std::vector<Parameter> parameters_;
};

// The rows of an answer.
class Result {
public:
    explicit Result(PGresult *result) : result_(result) {}

    [[nodiscard]] int rows() const { return PQntuples(get()); }
    [[nodiscard]] bool is_null(int row, int column) const { return PQgetisnull(get(), row, column) != 0; }
    [[nodiscard]] std::string_view text(int row, int column) const;
    explicit operator bool() const noexcept { return result_ != nullptr; }

private:
    friend class Connection;
    struct Clear {
        void operator()(PGresult *result) const noexcept { PQclear(result); }
    };
    [[nodiscard]] PGresult *get() const noexcept { return result_.get(); }

    std::unique_ptr<PGresult, Clear> result_;
};

// A connection that never waits in libpq: every wait is a poll(), which an Interrupt can cut short. (One wait is
// out of reach, that for a host name to be resolved.) Used by one thread at a time.
class Connection {
public:
    // The interrupt, if there is one, must outlive the connection.
    explicit Connection(ConnectionParameters parameters, Interrupt *interrupt = nullptr)
        : parameters_(std::move(parameters)), interrupt_(interrupt)
    {
    }

    // Connects if there is no connection, or if there was one and the server has closed it meanwhile. Whether it is a
    // new one. Not while an answer is awaited.
    bool ensure_open();
    [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }
    void close() noexcept { connection_.reset(); }

    // Throws Error; afterwards there may be no connection any more. The strings end with a NUL, or are null.
    Result execute(const char *statement, std::span<const char *const> parameters = {});

    // Several statements under way at once, each a transaction of its own: prepare() one, start_pipeline(), then any
    // number of send() before the same number of receive_answer(), which throws the error of that statement and keeps
    // the connection where it can. After that, no execute().
    void prepare(const char *name, const char *statement);
    void start_pipeline();
    void send(const char *prepared, std::span<const std::uint8_t> binary_parameter);
    Result receive_answer();

private:
    struct Finish {
        void operator()(PGconn *connection) const noexcept { PQfinish(connection); }
    };
    [[nodiscard]] PGconn *get() const noexcept { return connection_.get(); }

    void open();
    [[nodiscard]] bool is_alive() const;
    void send_all();
    Result receive();
    void check(const Result &result);
    void wait_for_socket(short events, Deadline deadline);
    [[noreturn]] void fail_lost(std::string_view what);
    [[noreturn]] void fail(const Result &result);

    ConnectionParameters parameters_;
    Interrupt *interrupt_;
    std::unique_ptr<PGconn, Finish> connection_;
};

} // namespace gravitas::telemetry
