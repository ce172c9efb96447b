#include "database.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

std::runtime_error failure(PGconn *connection)
{
    std::string message = PQerrorMessage(connection);
    while (!message.empty() && message.back() == '\n')
        message.pop_back();
    return std::runtime_error(message);
}

} // namespace

void Connection::Finish::operator()(PGconn *connection) const { PQfinish(connection); }
void Connection::Finish::operator()(PGresult *result) const { PQclear(result); }

Connection::Connection(const std::string &database)
    : connection_(PQconnectdb(("application_name=gravitas-bench dbname=" + database).c_str()))
{
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw failure(connection_.get());
    run("SET client_min_messages = warning");
}

Connection::Result Connection::checked(PGresult *result)
{
    Result owned(result);
    const ExecStatusType status = PQresultStatus(owned.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw failure(connection_.get());
    return owned;
}

void Connection::run(const std::string &sql) { checked(PQexec(connection_.get(), sql.c_str())); }

std::string Connection::value(const std::string &sql)
{
    const Result result = checked(PQexec(connection_.get(), sql.c_str()));
    if (PQntuples(result.get()) == 0)
        throw std::runtime_error("no row: " + sql);
    return PQgetvalue(result.get(), 0, 0);
}

double Connection::number(const std::string &sql) { return std::stod(value(sql)); }

double Connection::milliseconds(const std::string &sql)
{
    const auto start = std::chrono::steady_clock::now();
    const Result result = checked(PQexec(connection_.get(), sql.c_str()));
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Connection::prepare(const std::string &name, const std::string &sql)
{
    checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

void Connection::run_prepared(const std::string &name, const std::vector<std::string> &parameters)
{
    std::vector<const char *> values;
    for (const std::string &parameter : parameters)
        values.push_back(parameter.c_str());
    checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                           nullptr, 0));
}

std::string Connection::run_binary(const std::string &name, const std::vector<std::string_view> &parameters)
{
    std::vector<const char *> values;
    std::vector<int> lengths;
    for (const std::string_view parameter : parameters) {
        values.push_back(parameter.data());
        lengths.push_back(static_cast<int>(parameter.size()));
    }
    const std::vector<int> formats(parameters.size(), 1);
    const Result result = checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                                 values.data(), lengths.data(), formats.data(), 0));
    return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
}

void Connection::start_copy(const std::string &sql)
{
    const Result result(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_IN)
        throw failure(connection_.get());
}

void Connection::copy(std::string_view data)
{
    if (PQputCopyData(connection_.get(), data.data(), static_cast<int>(data.size())) != 1)
        throw failure(connection_.get());
}

void Connection::finish_copy()
{
    if (PQputCopyEnd(connection_.get(), nullptr) != 1)
        throw failure(connection_.get());
    finish();
}

double Connection::copy_milliseconds(const std::string &sql, std::string_view data)
{
    constexpr std::size_t piece = 65'536;
    const auto start = std::chrono::steady_clock::now();
    start_copy(sql);
    for (; !data.empty(); data.remove_prefix(std::min(piece, data.size())))
        copy(data.substr(0, piece));
    finish_copy();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Connection::start(const std::string &sql)
{
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0)
        throw failure(connection_.get());
}

bool Connection::is_running()
{
    if (PQconsumeInput(connection_.get()) == 0)
        throw failure(connection_.get());
    return PQisBusy(connection_.get()) != 0;
}

void Connection::finish()
{
    while (PGresult *const result = PQgetResult(connection_.get()))
        checked(result);
}

std::optional<double> Connection::cpu_milliseconds() { return cpu_milliseconds_of(PQbackendPID(connection_.get())); }

std::optional<double> cpu_milliseconds_of(int process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
    double nanoseconds = 0;
    if (!(file >> nanoseconds))
        return std::nullopt;
    return nanoseconds / 1e6;
}

void create_database(const std::string &name)
{
    Connection("postgres").run("CREATE DATABASE " + name);
    Connection("postgres").run("ALTER DATABASE " + name + " SET synchronous_commit = off");
    Connection(name).run("CREATE EXTENSION gravitas_telemetry");
}

void copy_database(const std::string &original, const std::string &name)
{
    Connection("postgres").run("CREATE DATABASE " + name + " TEMPLATE " + original);
    Connection("postgres").run("ALTER DATABASE " + name + " SET synchronous_commit = off");
}

void drop_database(const std::string &name) { Connection("postgres").run("DROP DATABASE " + name + " WITH (FORCE)"); }

} // namespace bench
