#include "support.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

extern "C" void __gcov_dump() __attribute__((weak));

namespace gravitas::telemetry::test {

bool eventually(const std::function<bool()> &condition)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

double seconds_of(const std::function<void()> &call)
{
    const auto start = start_timer();
    call();
    return measure_latency(start);
}

void end_child(bool is_good)
{
    if (__gcov_dump != nullptr) // for make coverage
        __gcov_dump();
    _exit(is_good ? 0 : 1);
}

Session::Session(const std::string &conninfo) : connection_(PQconnectdb(conninfo.c_str()))
{
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw SqlError(PQerrorMessage(connection_.get()), "", true);
    PQsetNoticeProcessor(
        connection_.get(), [](void *, const char *) {}, nullptr); // a server that goes says so
    query("SET client_min_messages = warning");
}

namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Result owned(PGresult *result) { return {result, &PQclear}; }

} // namespace

void Session::fail(const std::string &sql, const PGresult *result) const
{
    const char *const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string sqlstate = field == nullptr ? "" : field;
    // libpq itself has no SQLSTATE, and what the server says as it goes comes before the end of the connection is seen
    const bool is_lost =
        sqlstate.empty() || sqlstate.starts_with("57P") || PQstatus(connection_.get()) != CONNECTION_OK;
    throw SqlError(sql.substr(0, 300) + ": " + sqlstate + " " + PQerrorMessage(connection_.get()), sqlstate, is_lost);
}

Session::Rows Session::query(const std::string &sql, const std::vector<std::string> &parameters)
{
    std::vector<const char *> values;
    for (const auto &parameter : parameters)
        values.push_back(parameter.c_str());
    const Result result = owned(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                             values.data(), nullptr, nullptr, 0));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail(sql, result.get());

    Rows rows(static_cast<std::size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            rows[static_cast<std::size_t>(row)].push_back(
                PQgetisnull(result.get(), row, column) ? Value() : Value(PQgetvalue(result.get(), row, column)));
        }
    }
    return rows;
}

std::string Session::value(const std::string &sql, const std::vector<std::string> &parameters)
{
    return query(sql, parameters).at(0).at(0).value_or("NULL");
}

void Session::copy(const std::string &sql, const std::string &lines)
{
    const Result started = owned(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(started.get()) != PGRES_COPY_IN)
        fail(sql, started.get());
    PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())); // its failure shows in the end
    PQputCopyEnd(connection_.get(), nullptr);
    const Result ended = owned(PQgetResult(connection_.get()));
    while (owned(PQgetResult(connection_.get())) != nullptr)
        ;
    if (PQresultStatus(ended.get()) != PGRES_COMMAND_OK)
        fail(sql, ended.get());
}

Database::Database(Extension extension)
{
    static std::atomic<int> number{0};
    name_ = "gravitas_client_" + std::to_string(getpid()) + "_" + std::to_string(++number);
    Session("dbname=postgres").query("CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
    if (extension == Extension::installed)
        session().query("CREATE EXTENSION gravitas_telemetry");
}

Database::~Database()
{
    try {
        Session("dbname=postgres").query("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception &error) {
        ADD_FAILURE() << error.what();
    }
}

TemporaryDirectory::TemporaryDirectory() : path_("/tmp/gravitas-client-XXXXXX")
{
    if (mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error("mkdtemp failed");
}

TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

Door::Door(const Database &database)
{
    Session session = database.session();
    const std::string port = session.value("SHOW port");
    std::string directory = session.value("SHOW unix_socket_directories");
    directory = directory.substr(0, directory.find(','));
    if (const char *host = std::getenv("PGHOST"); host != nullptr && host[0] == '/')
        directory = host;
    socket_ = directory + "/.s.PGSQL." + port;
    path_ = directory_.path() + "/.s.PGSQL." + port;
    conninfo_ = "host=" + directory_.path() + " port=" + port + " " + database.conninfo();
}

void Door::open() const { std::filesystem::create_symlink(socket_, path_); }
void Door::shut() const { std::filesystem::remove(path_); }

void end_connections(const Database &database, const std::string &application_name)
{
    Session session = database.session();
    session.query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                  " WHERE datname = current_database() AND application_name = $1",
                  {application_name});
}

SilentServer::SilentServer() : socket_(socket(AF_UNIX, SOCK_STREAM, 0))
{
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    (directory_.path() + "/.s.PGSQL.5432").copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 || listen(socket_, 8) != 0)
        throw std::runtime_error("could not listen");
}

SilentServer::~SilentServer() { close(socket_); }

std::function<void(const Error &)> Errors::listener()
{
    return [this](const Error &error) {
        const std::lock_guard lock(mutex_);
        errors_.push_back(error);
    };
}

std::vector<Error> Errors::all() const
{
    const std::lock_guard lock(mutex_);
    return errors_;
}

bool Errors::contain(std::string_view text) const
{
    for (const auto &error : all()) {
        if (std::string_view(error.what()).find(text) != std::string_view::npos)
            return true;
    }
    return false;
}

::testing::AssertionResult is_account(const Client &client, std::uint64_t stored, std::uint64_t queued,
                                      std::uint64_t dropped, std::uint64_t refused, std::uint64_t spilled)
{
    const Account account = client.account();
    if (account.stored == stored && account.queued == queued && account.dropped == dropped &&
        account.refused == refused && account.spilled == spilled &&
        account.accepted == stored + queued + spilled + dropped + refused)
        return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "accepted " << account.accepted << ", stored " << account.stored
                                         << ", queued " << account.queued << ", spilled " << account.spilled
                                         << ", dropped " << account.dropped << ", refused " << account.refused;
}

std::string wrong_events(const Database &database, int count)
{
    return database.value(
        "SELECT count(*) FROM (SELECT n FROM generate_series(1, " + std::to_string(count) +
        ") AS n LEFT JOIN telemetry.event ON value = n GROUP BY n HAVING count(event.id) <> 1) AS wrong");
}

} // namespace gravitas::telemetry::test
