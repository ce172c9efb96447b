// What the client's tests share. They need a server, where the PG* environment says, on which they may create
// databases and the extension.

#pragma once

#include <gravitas/telemetry.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry::test {

using namespace std::chrono_literals;

// Plenty for what should happen at once, also under a sanitizer on a busy machine.
inline constexpr std::chrono::seconds patience{30};

// True as soon as the condition holds; false if it does not within the patience.
bool eventually(const std::function<bool()> &condition);

// Seconds that a call takes.
double seconds_of(const std::function<void()> &call);

// Ends the child of a fork, which runs nothing that its parent had to do at its end.
[[noreturn]] void end_child(bool is_good);

// What the server said of a statement, or that it is not to be reached.
class SqlError : public std::runtime_error {
public:
    SqlError(const std::string &message, std::string sqlstate, bool is_lost)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)), is_lost_(is_lost)
    {
    }
    [[nodiscard]] const std::string &sqlstate() const { return sqlstate_; } // empty where the server said nothing
    [[nodiscard]] bool is_lost() const { return is_lost_; }                 // the connection is of no more use

private:
    std::string sqlstate_;
    bool is_lost_;
};

// Plain SQL, beside the client. What fails is thrown as SqlError.
class Session {
public:
    explicit Session(const std::string &conninfo);

    using Value = std::optional<std::string>;
    using Rows = std::vector<std::vector<Value>>;
    Rows query(const std::string &sql, const std::vector<std::string> &parameters = {});
    std::string value(const std::string &sql, const std::vector<std::string> &parameters = {}); // NULL is "NULL"
    // COPY … FROM STDIN of these lines.
    void copy(const std::string &sql, const std::string &lines);

private:
    [[noreturn]] void fail(const std::string &sql, const PGresult *result) const;

    struct Finish {
        void operator()(PGconn *connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Finish> connection_;
};

// A database that lives as long as the object.
class Database {
public:
    enum class Extension { installed, missing };
    explicit Database(Extension extension = Extension::installed);
    ~Database();
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;

    [[nodiscard]] const std::string &name() const { return name_; }
    [[nodiscard]] std::string conninfo() const { return "dbname=" + name_; }
    [[nodiscard]] Session session() const { return Session(conninfo()); }
    [[nodiscard]] std::string value(const std::string &sql, const std::vector<std::string> &parameters = {}) const
    {
        return session().value(sql, parameters);
    }
    [[nodiscard]] int events() const { return std::stoi(value("SELECT count(*) FROM telemetry.system_telemetry")); }

private:
    std::string name_;
};

// A directory that lives as long as the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    [[nodiscard]] const std::string &path() const { return path_; }

private:
    std::string path_;
};

// The server's socket, under another name that comes and goes; at first it is not there.
class Door {
public:
    explicit Door(const Database &database);

    void open() const;
    void shut() const;
    [[nodiscard]] const std::string &conninfo() const { return conninfo_; }

private:
    TemporaryDirectory directory_;
    std::string socket_;
    std::string path_;
    std::string conninfo_;
};

// Ends a program's connections to the database, as an administrator or a restart does.
void end_connections(const Database &database, const std::string &application_name);

// Accepts connections and never says a word.
class SilentServer {
public:
    SilentServer();
    ~SilentServer();
    SilentServer(const SilentServer &) = delete;
    SilentServer &operator=(const SilentServer &) = delete;
    [[nodiscard]] std::string conninfo() const { return "host=" + directory_.path() + " port=5432"; }

private:
    TemporaryDirectory directory_;
    int socket_;
};

// Keeps what on_error is told.
class Errors {
public:
    [[nodiscard]] std::function<void(const Error &)> listener();
    [[nodiscard]] std::vector<Error> all() const;
    [[nodiscard]] bool contain(std::string_view text) const;

private:
    mutable std::mutex mutex_;
    std::vector<Error> errors_;
};

// The account closes, and says this.
::testing::AssertionResult is_account(const Client &client, std::uint64_t stored, std::uint64_t queued,
                                      std::uint64_t dropped, std::uint64_t refused, std::uint64_t spilled = 0);

// Events have the values from 1 on: how many of the first `count` are stored twice, or not at all.
std::string wrong_events(const Database &database, int count);

} // namespace gravitas::telemetry::test
