#include "machine.hpp"

#include "database.hpp"

#include <fstream>
#include <thread>

namespace bench {

namespace {

std::string processor()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    return "unknown processor";
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

} // namespace

std::string head_of_report(const Options &options)
{
    Connection connection("postgres");
    const std::string release =
        connection.value("SELECT default_version FROM pg_available_extensions WHERE name = 'gravitas_telemetry'");
    std::string settings;
    for (const char *const name : {"shared_buffers", "work_mem", "jit", "autovacuum", "fsync", "max_wal_size",
                                   "max_parallel_workers_per_gather", "shared_preload_libraries"})
        settings +=
            (settings.empty() ? "" : ", ") + std::string(name) + " " +
            connection.value("SELECT coalesce(nullif(current_setting('" + std::string(name) + "'), ''), '(none)')");
    return "# Gravitas Telemetry " + release + ", make bench" + (options.full ? " BENCH=full" : "") + "\n\n" +
           connection.value("SELECT to_char(now(), 'YYYY-MM-DD HH24:MI') || ' UTC, PostgreSQL ' || "
                            "current_setting('server_version')") +
           "; " + std::to_string(std::thread::hardware_concurrency()) + " cores, " + processor() + ", " +
           gigabytes_of_memory() + ", load average before " + load_average() + "\n" + settings +
           "\nRound trips over a Unix socket on a persistent connection, statements not prepared, so planning counts. "
           "The ratio is that of the medians.\n";
}

} // namespace bench
