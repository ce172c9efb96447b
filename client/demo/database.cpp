#include "database.hpp"

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace demo {

namespace {

struct Finish {
    void operator()(PGconn *connection) const { PQfinish(connection); }
    void operator()(PGresult *result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Result = std::unique_ptr<PGresult, Finish>;

// libpq's messages end with a line break and may have several lines; an error here is one.
std::string one_line(std::string message)
{
    while (!message.empty() && message.back() == '\n')
        message.pop_back();
    for (std::size_t at = 0; (at = message.find('\n', at)) != std::string::npos;)
        message.replace(at, 1, "; ");
    return message;
}

void run(PGconn *connection, const std::string &statement)
{
    const Result result(PQexec(connection, statement.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error("could not prepare the database: " + one_line(PQerrorMessage(connection)));
}

} // namespace

void prepare_database(std::chrono::system_clock::time_point oldest_event)
{
    using namespace std::chrono;
    const Connection connection(PQconnectdb("application_name=gravitas-demo"));
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error("could not connect: " + one_line(PQerrorMessage(connection.get())));

    const auto oldest = duration_cast<seconds>(oldest_event.time_since_epoch()).count();
    run(connection.get(), "SET client_min_messages = warning");
    run(connection.get(), "CREATE EXTENSION IF NOT EXISTS gravitas_telemetry");
    run(connection.get(), "SELECT telemetry.ensure_partitions("
                          "least(greatest(to_timestamp(" +
                              std::to_string(oldest) +
                              "), now() - interval '60 days'), "
                              "now() - interval '2 days'), now() + interval '2 days')");
}

} // namespace demo
