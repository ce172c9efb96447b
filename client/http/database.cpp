#include "database.hpp"

#include <poll.h>

#include <cerrno>
#include <cstdlib>

namespace gravitas::telemetry::http {

namespace {

using Clock = std::chrono::steady_clock;

// What the server has beyond its own timeout to say that it gave up.
constexpr std::chrono::seconds grace{2};

std::string trimmed(const char *message)
{
    std::string text = message != nullptr ? message : "";
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text;
}

PGconn *connect(const std::string &conninfo)
{
    // before dbname: unless the conninfo says otherwise; behind it: whatever it says
    std::vector<const char *> keywords{"tcp_user_timeout", "keepalives_idle", "fallback_application_name"};
    std::vector<const char *> values{"15000", "15", "gravitas-telemetry-http"};
    if (std::getenv("PGCONNECT_TIMEOUT") == nullptr) {
        keywords.push_back("connect_timeout");
        values.push_back("3");
    }
    if (!conninfo.empty()) {
        keywords.push_back("dbname");
        values.push_back(conninfo.c_str());
    }
    keywords.insert(keywords.end(), {"client_encoding", nullptr});
    values.insert(values.end(), {"UTF8", nullptr});
    return PQconnectdbParams(keywords.data(), values.data(), 1);
}

bool is_answer(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

std::string field(const PGresult *result, int code)
{
    const char *const text = PQresultErrorField(result, code);
    return text != nullptr ? text : "";
}

} // namespace

Connection::Connection(const std::string &conninfo, std::chrono::milliseconds statement_timeout)
    : connection_(connect(conninfo)), statement_timeout_(statement_timeout)
{
    if (PQstatus(get()) != CONNECTION_OK)
        fail_lost(trimmed(PQerrorMessage(get())));
    PQsetnonblocking(get(), 1);
    // Only what is needed to read, and answers that look the same whatever the role's settings are.
    query("SELECT set_config(name, setting, false) FROM (VALUES ('default_transaction_read_only', 'on'),"
          " ('statement_timeout', $1), ('idle_in_transaction_session_timeout', '10000'), ('lock_timeout', $1),"
          " ('TimeZone', 'UTC'), ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),"
          " ('bytea_output', 'hex'), ('search_path', 'pg_catalog, pg_temp'), ('jit', 'off')) AS s (name, setting)",
          {std::to_string(statement_timeout.count())});
}

bool Connection::is_alive()
{
    // What arrives unasked is a notice, or the server's farewell.
    pollfd socket{PQsocket(get()), POLLIN, 0};
    if (poll(&socket, 1, 0) == 0)
        return PQstatus(get()) == CONNECTION_OK;
    return PQconsumeInput(get()) == 1 && PQstatus(get()) == CONNECTION_OK && poll(&socket, 1, 0) == 0;
}

Result Connection::query(const char *sql, const std::vector<Parameter> &parameters)
{
    const Clock::time_point deadline = Clock::now() + statement_timeout_ + grace;
    std::vector<const char *> values;
    for (const Parameter &parameter : parameters)
        values.push_back(parameter ? parameter->c_str() : nullptr);
    if (PQsendQueryParams(get(), sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0) !=
        1)
        fail_lost(trimmed(PQerrorMessage(get())));
    send_all(deadline);
    Result result = receive(deadline);
    if (is_answer(result.get()))
        return result;
    const std::string sqlstate = field(result.get(), PG_DIAG_SQLSTATE);
    if (sqlstate.empty())
        fail_lost(trimmed(PQerrorMessage(get())));
    throw DatabaseError(field(result.get(), PG_DIAG_MESSAGE_PRIMARY), sqlstate,
                        field(result.get(), PG_DIAG_MESSAGE_HINT));
}

Result Connection::write(const char *sql, const std::vector<Parameter> &parameters)
{
    query("BEGIN READ WRITE");
    try {
        Result result = query(sql, parameters);
        query("COMMIT");
        return result;
    } catch (const DatabaseError &) {
        if (is_alive())
            query("ROLLBACK");
        throw;
    }
}

void Connection::wait(short events, Clock::time_point deadline)
{
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd socket{PQsocket(get()), events, 0};
        const int ready = left > 0 ? poll(&socket, 1, static_cast<int>(left)) : 0;
        if (ready > 0)
            return;
        if (ready == 0) {
            connection_.reset();
            throw DatabaseError("the database did not answer in time", "57014", "");
        }
        if (errno != EINTR)
            fail_lost("poll failed");
    }
}

void Connection::send_all(Clock::time_point deadline)
{
    for (;;) {
        const int left = PQflush(get());
        if (left == 0)
            return;
        if (left < 0)
            fail_lost(trimmed(PQerrorMessage(get())));
        wait(POLLIN | POLLOUT, deadline);
        if (PQconsumeInput(get()) != 1)
            fail_lost(trimmed(PQerrorMessage(get())));
    }
}

// The first result; there is no other, but for the error that ends a broken connection.
Result Connection::receive(Clock::time_point deadline)
{
    Result first(nullptr);
    for (;;) {
        while (PQisBusy(get()) == 1) {
            wait(POLLIN, deadline);
            if (PQconsumeInput(get()) != 1)
                fail_lost(trimmed(PQerrorMessage(get())));
        }
        Result next(PQgetResult(get()));
        if (next.get() == nullptr)
            return first;
        if (first.get() == nullptr || !is_answer(next.get()))
            first = std::move(next);
    }
}

void Connection::fail_lost(const std::string &message)
{
    connection_.reset();
    throw DatabaseError(message, "", "");
}

} // namespace gravitas::telemetry::http
