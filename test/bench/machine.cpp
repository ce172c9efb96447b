#include "machine.hpp"

#include "database.hpp"
#include "hot_path.hpp"

#include <libpq-fe.h>

#include <cstdlib>
#include <fstream>
#include <sys/utsname.h>
#include <thread>

namespace bench {

namespace {

std::string processor()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string gigabytes_of_memory()
{
    std::ifstream file("/proc/meminfo");
    std::string name;
    double kilobytes = 0;
    file >> name >> kilobytes;
    return std::to_string(static_cast<int>(kilobytes / 1048576 + 0.5)) + " GB";
}

// Of the last minute: above 0, somebody else was at work, too.
std::string load_average()
{
    std::ifstream file("/proc/loadavg");
    std::string load;
    file >> load;
    return load;
}

std::string system()
{
    std::string distribution = "Linux";
    std::ifstream file("/etc/os-release");
    constexpr std::string_view key = "PRETTY_NAME=";
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key))
            distribution = line.substr(key.size() + 1, line.size() - key.size() - 2);
    utsname kernel;
    return distribution + (uname(&kernel) == 0 ? ", kernel " + std::string(kernel.release) : "");
}

// Settings of the run that are not those of its mode.
std::string choices()
{
    std::string text;
    for (char **variable = environ; *variable != nullptr; ++variable)
        if (std::string_view(*variable).starts_with("BENCH_"))
            text += (text.empty() ? "" : ", ") + std::string(*variable);
    return text.empty() ? "none" : text;
}

// That the server could create, for the comparisons with them.
std::string extensions(Connection &connection)
{
    std::string text;
    for (const char *const name : {"tdigest", "timescaledb"})
        text += ", " + std::string(name) + " " +
                connection.value("SELECT coalesce((SELECT default_version FROM pg_available_extensions WHERE name = '" +
                                 std::string(name) + "'), 'absent')");
    return text;
}

std::string settings(Connection &connection)
{
    std::string text;
    for (const char *const name : {"shared_buffers", "work_mem", "jit", "autovacuum", "fsync", "max_wal_size",
                                   "max_parallel_workers_per_gather", "shared_preload_libraries"})
        text += (text.empty() ? "" : ", ") + std::string(name) + " " +
                connection.value("SELECT coalesce(nullif(current_setting('" + std::string(name) + "'), ''), '(none)')");
    return text;
}

} // namespace

Machine describe_machine(const Options &options)
{
    Connection connection("postgres");
    return {{
        {"version",
         connection.value("SELECT default_version FROM pg_available_extensions WHERE name = 'gravitas_telemetry'")},
        {"mode", options.full ? "full" : "quick"},
        {"chosen", choices()},
        {"date", connection.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'")},
        {"PostgreSQL", connection.value("SHOW server_version")},
        {"libpq", std::to_string(PQlibVersion() / 10000) + "." + std::to_string(PQlibVersion() % 10000)},
        {"compiler of the client", __VERSION__},
        {"peers", versions_of_peers() + extensions(connection)},
        {"system", system()},
        {"processor", std::to_string(std::thread::hardware_concurrency()) + " cores, " + processor()},
        {"memory", gigabytes_of_memory()},
        {"load average before", load_average()},
        {"settings", settings(connection)},
    }};
}

std::string text_of(const Machine &machine)
{
    std::string text = "# Gravitas Telemetry: make bench\n\n";
    for (const auto &[name, value] : machine.facts)
        text += "- " + name + ": " + value + "\n";
    return text + "\nRound trips over a Unix socket on a persistent connection, statements not prepared, so planning "
                  "counts. The ratio is that of the medians.\n";
}

} // namespace bench
