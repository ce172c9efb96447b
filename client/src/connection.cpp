#include "connection.hpp"

#include "sqlstate.hpp"
#include "waker.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <poll.h>

namespace gravitas::telemetry {

namespace {

// All hosts of the conninfo together. An address that does not answer at all is given up earlier, by
// tcp_user_timeout, so that the next one has its turn.
constexpr std::chrono::seconds connect_patience{30};

std::string trimmed(const char *message)
{
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text;
}

std::string field(const PGresult *result, int code) { return trimmed(PQresultErrorField(result, code)); }

} // namespace

// ---- ConnectionParameters ------------------------------------------------------------------------------

ConnectionParameters::ConnectionParameters(const std::string &conninfo)
{
    char *message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
    if (!options) {
        const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
        throw std::invalid_argument(message == nullptr ? "out of memory" : trimmed(message));
    }

    for (const PQconninfoOption *option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        if (option->val != nullptr && keyword != "client_encoding")
            parameters_.push_back({option->keyword, option->val});
    }
    // The strings of this library are UTF-8, whatever else the process sends to the server.
    parameters_.push_back({"client_encoding", "UTF8"});
    set_default("fallback_application_name", "gravitas-telemetry");
    // A peer that vanishes is noticed within a minute, not within hours.
    set_default("tcp_user_timeout", "10000");
    set_default("keepalives_idle", "30");
    set_default("keepalives_interval", "10");
    set_default("keepalives_count", "3");
}

std::vector<const char *> ConnectionParameters::keywords() const
{
    std::vector<const char *> keywords;
    for (const auto &parameter : parameters_)
        keywords.push_back(parameter.keyword.c_str());
    keywords.push_back(nullptr);
    return keywords;
}

std::vector<const char *> ConnectionParameters::values() const
{
    std::vector<const char *> values;
    for (const auto &parameter : parameters_)
        values.push_back(parameter.value.c_str());
    values.push_back(nullptr);
    return values;
}

bool ConnectionParameters::has(std::string_view keyword) const
{
    for (const auto &parameter : parameters_) {
        if (parameter.keyword == keyword)
            return true;
    }
    return false;
}

void ConnectionParameters::set_default(const char *keyword, const char *value)
{
    if (!has(keyword))
        parameters_.push_back({keyword, value});
}

// ---- Result --------------------------------------------------------------------------------------------

std::string_view Result::text(int row, int column) const
{
    return {PQgetvalue(get(), row, column), static_cast<std::size_t>(PQgetlength(get(), row, column))};
}

// ---- Connection ----------------------------------------------------------------------------------------

bool Connection::ensure_open()
{
    if (connection_ && is_alive())
        return false;
    connection_.reset();
    open();
    return true;
}

void Connection::open()
{
    connection_.reset(PQconnectStartParams(parameters_.keywords().data(), parameters_.values().data(), 0));
    if (!connection_)
        throw std::bad_alloc();
    PQsetNoticeProcessor(
        get(), [](void *, const char *) {}, nullptr); // by default they go to stderr

    const Deadline deadline = from_now(connect_patience);
    auto state = PQstatus(get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            fail_lost(PQerrorMessage(get()));
        wait_for_socket(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
        state = PQconnectPoll(get());
    }
    if (PQsetnonblocking(get(), 1) != 0)
        fail_lost(PQerrorMessage(get()));
}

// An idle connection has nothing to read, unless the server has said good-bye. (It may also have a new setting to
// tell; then the connection is made anew for nothing.)
bool Connection::is_alive() const
{
    pollfd fd{.fd = PQsocket(get()), .events = POLLIN, .revents = 0};
    return PQstatus(get()) == CONNECTION_OK && poll(&fd, 1, 0) == 0;
}

Result Connection::execute(const char *statement, std::span<const char *const> parameters)
{
    if (PQsendQueryParams(get(), statement, static_cast<int>(parameters.size()), nullptr, parameters.data(), nullptr,
                          nullptr, 0) == 0)
        fail_lost(PQerrorMessage(get()));
    send_all();

    Result result = receive();
    while (receive()) {
        // Only the first can be ours; the rest say that the connection ended.
    }
    check(result);
    return result;
}

void Connection::check(const Result &result)
{
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(result);
}

void Connection::prepare(const char *name, const char *statement)
{
    if (PQsendPrepare(get(), name, statement, 0, nullptr) == 0)
        fail_lost(PQerrorMessage(get()));
    send_all();
    const Result result = receive();
    while (receive()) {
    }
    check(result);
}

void Connection::start_pipeline()
{
    if (PQenterPipelineMode(get()) == 0)
        fail_lost(PQerrorMessage(get()));
}

void Connection::send(const char *prepared, std::span<const std::uint8_t> binary_parameter)
{
    const auto *const value = reinterpret_cast<const char *>(binary_parameter.data());
    const int length = static_cast<int>(binary_parameter.size());
    constexpr int binary = 1;
    if (PQsendQueryPrepared(get(), prepared, 1, &value, &length, &binary, 0) == 0 || PQpipelineSync(get()) == 0)
        fail_lost(PQerrorMessage(get()));
    send_all();
}

Result Connection::receive_answer()
{
    Result answer = receive();
    // Behind each answer come a null, and what the sync point says.
    if (PQstatus(get()) == CONNECTION_OK && answer && !receive()) {
        if (const Result sync = receive(); PQresultStatus(sync.get()) == PGRES_PIPELINE_SYNC) {
            check(answer);
            return answer;
        }
    }
    if (answer)
        check(answer);
    fail_lost(PQerrorMessage(get()));
}

void Connection::send_all()
{
    for (;;) {
        const int rest = PQflush(get());
        if (rest == 0)
            return;
        if (rest < 0)
            fail_lost(PQerrorMessage(get()));
        // The server may have to be read before it goes on reading.
        wait_for_socket(POLLIN | POLLOUT, never);
        if (PQconsumeInput(get()) == 0)
            fail_lost(PQerrorMessage(get()));
    }
}

Result Connection::receive()
{
    while (PQisBusy(get()) != 0) {
        wait_for_socket(POLLIN, never);
        if (PQconsumeInput(get()) == 0)
            fail_lost(PQerrorMessage(get()));
    }
    return Result(PQgetResult(get()));
}

void Connection::wait_for_socket(short events, Deadline deadline)
{
    for (;;) {
        const Deadline until = interrupt_ == nullptr ? deadline : std::min(deadline, interrupt_->stop_at.load());
        if (SteadyClock::now() >= until)
            fail_lost("the server did not answer in time");

        pollfd fds[2] = {{.fd = PQsocket(get()), .events = events, .revents = 0}};
        if (interrupt_ != nullptr)
            fds[1] = {.fd = interrupt_->waker.descriptor(), .events = POLLIN, .revents = 0};
        const Deadline wake = interrupt_ == nullptr ? until : std::min(until, interrupt_->look_at);
        if (poll(fds, interrupt_ == nullptr ? 1 : 2, poll_timeout(wake)) < 0 && errno != EINTR)
            fail_lost("poll() failed");
        if (interrupt_ != nullptr && (fds[1].revents != 0 || SteadyClock::now() >= interrupt_->look_at)) {
            interrupt_->waker.clear();
            interrupt_->look_after(); // also where the socket is ready: the signal is gone
        }
        if (fds[0].revents != 0)
            return;
    }
}

void Connection::fail_lost(std::string_view what)
{
    const Error error(trimmed(std::string(what).c_str()), {}, true);
    connection_.reset();
    throw error;
}

void Connection::fail(const Result &result)
{
    const std::string sqlstate = field(result.get(), PG_DIAG_SQLSTATE);
    if (sqlstate.empty())
        fail_lost(PQerrorMessage(get()));
    if (PQstatus(get()) == CONNECTION_BAD) {
        const Error error(field(result.get(), PG_DIAG_MESSAGE_PRIMARY), sqlstate, is_transient(sqlstate));
        connection_.reset();
        throw error;
    }
    std::string message = field(result.get(), PG_DIAG_MESSAGE_PRIMARY);
    if (is_missing_object(sqlstate) && message.find("telemetry") != std::string::npos) {
        throw Error("extension \"gravitas_telemetry\" is not installed in database \"" + std::string(PQdb(get())) +
                        "\"; run CREATE EXTENSION gravitas_telemetry;",
                    sqlstate, false);
    }
    if (const auto detail = field(result.get(), PG_DIAG_MESSAGE_DETAIL); !detail.empty())
        message += "\nDETAIL: " + detail;
    if (const auto hint = field(result.get(), PG_DIAG_MESSAGE_HINT); !hint.empty())
        message += "\nHINT: " + hint;
    throw Error(message, sqlstate, is_transient(sqlstate));
}

} // namespace gravitas::telemetry
