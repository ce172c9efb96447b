#include "crash/faults.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace gravitas::telemetry::test {

namespace {

int number_from(const char *variable, int otherwise)
{
    const char *const text = std::getenv(variable);
    return text == nullptr || *text == '\0' ? otherwise : std::stoi(text);
}

std::vector<pid_t> children_of(pid_t parent)
{
    std::vector<pid_t> children;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "stat");
        std::string line;
        if (!std::getline(file, line))
            continue;
        // pid (name) state parent …, and the name may hold anything
        const std::size_t end = line.rfind(") ");
        if (end != std::string::npos && std::stoi(line.substr(end + 4)) == parent)
            children.push_back(std::stoi(line));
    }
    return children;
}

} // namespace

int rounds(int usually) { return number_from("GRAVITAS_CRASH_ROUNDS", usually); }

unsigned seed()
{
    const auto seed = static_cast<unsigned>(number_from("GRAVITAS_CRASH_SEED", 1));
    ::testing::Test::RecordProperty("seed", std::to_string(seed));
    std::printf("seed %u\n", seed);
    return seed;
}

Server::Server() : directory_(Session("dbname=postgres").value("SHOW data_directory"))
{
    struct stat status {};
    if (stat(directory_.c_str(), &status) != 0)
        throw std::runtime_error("no " + directory_);
    owner_ = status.st_uid;
}

pid_t Server::postmaster() const
{
    std::ifstream file(directory_ + "/postmaster.pid");
    pid_t pid = 0;
    file >> pid;
    return pid > 0 && ::kill(pid, 0) == 0 ? pid : 0;
}

void Server::kill_all() const
{
    const pid_t parent = postmaster();
    if (parent == 0)
        return;
    ::kill(parent, SIGSTOP); // it makes no more children
    for (const pid_t child : children_of(parent))
        ::kill(child, SIGKILL);
    ::kill(parent, SIGKILL);
}

void Server::signal(int number) const
{
    if (const pid_t pid = postmaster(); pid != 0)
        ::kill(pid, number);
}

bool Server::kill_session(const Database &database)
{
    const std::string pid =
        Session("dbname=postgres")
            .value(
                "SELECT max(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'gravitas-telemetry'",
                {database.name()});
    return pid != "NULL" && ::kill(std::stoi(pid), SIGKILL) == 0;
}

bool Server::comes_back_after(pid_t before) const
{
    return eventually(
        [&] { return postmaster() != 0 && postmaster() != before && PQping("dbname=postgres") == PQPING_OK; });
}

Writers::Writers(Client &client, const std::string &name, int threads)
    : client_(client), kept_(static_cast<std::size_t>(threads))
{
    for (std::size_t thread = 0; thread < kept_.size(); ++thread)
        components_.push_back(name + " " + std::to_string(thread));
    for (std::size_t thread = 0; thread < kept_.size(); ++thread)
        threads_.emplace_back([this, thread] { write(thread); });
}

void Writers::write(std::size_t thread)
{
    int number = 0;
    while (!stopping_) {
        ++number;
        if (client_.log({.event_type = "TICK", .component = components_[thread], .value = static_cast<double>(number)}))
            kept_[thread].push_back(number);
        if (number % 5 == 0)
            std::this_thread::sleep_for(5ms);
    }
}

void Writers::stop()
{
    stopping_ = true;
    for (std::thread &thread : threads_) {
        if (thread.joinable())
            thread.join();
    }
}

std::size_t Writers::kept() const
{
    std::size_t kept = 0;
    for (const auto &numbers : kept_)
        kept += numbers.size();
    return kept;
}

int Writers::wrong_events(const Database &database) const
{
    auto session = database.session();
    int wrong = 0;
    for (std::size_t thread = 0; thread < kept_.size(); ++thread) {
        std::string numbers = "{";
        for (const int number : kept_[thread])
            numbers += (numbers.size() > 1 ? "," : "") + std::to_string(number);
        wrong += std::stoi(session.value(
            "SELECT count(*) FROM (SELECT n FROM (SELECT unnest($2::integer[]) AS n, 1 AS kept, 0 AS found"
            " UNION ALL SELECT value::integer, 0, 1 FROM telemetry.event WHERE component = $1) AS events"
            " GROUP BY n HAVING sum(kept) <> sum(found)) AS wrong",
            {components_[thread], numbers + "}"}));
    }
    return wrong;
}

void make_days(const Database &database)
{
    database.session().query("SELECT telemetry.ensure_partitions(now() - interval '1 day', now() + interval '1 day')");
}

::testing::AssertionResult is_consistent(const Database &database)
{
    auto session = database.session();
    const std::string doubles = session.value("SELECT count(*) - count(DISTINCT id) FROM telemetry.event");
    const std::string wrong =
        session.value("SELECT coalesce(string_agg(c::text, E'\\n'), '') FROM "
                      "telemetry.check_rollups(now() - interval '1 day', now() + interval '1 day') AS c");
    if (doubles == "0" && wrong.empty())
        return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << doubles << " ids twice; check_rollups: " << wrong;
}

} // namespace gravitas::telemetry::test
