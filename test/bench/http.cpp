// The HTTP service under 100 connections that ask without a pause, beside the same questions asked by SQL.

#include "database.hpp"
#include "subjects.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

namespace {

const std::string database = "http";
constexpr const char *program = "build/http/gravitas-telemetry-http";
constexpr int connections = 4; // of the service to the database

// 60 days of 20 models, as the page's tests have them; the service asks about now.
void make_database()
{
    progress("filling 60 days of 20 models");
    create_database(database);
    const std::string fill = "psql -X -q -v ON_ERROR_STOP=1 -o /dev/null -d " + database + " -f test/web/sample.sql";
    if (std::system(fill.c_str()) != 0)
        throw std::runtime_error("\"" + fill + "\" failed");
    Connection(database).run("VACUUM ANALYZE");
}

// What a command prints.
std::string output_of(const std::string &command)
{
    FILE *const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr)
        throw std::runtime_error("cannot run \"" + command + "\"");
    std::string output;
    char buffer[4096];
    for (std::size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
        output.append(buffer, size);
    if (pclose(pipe) != 0)
        throw std::runtime_error("\"" + command + "\" failed: " + output);
    return output;
}

// The text behind `name`, up to the next blank.
std::string word_behind(const std::string &output, const std::string &name)
{
    const std::size_t place = output.find(name);
    if (place == std::string::npos)
        throw std::runtime_error("no \"" + name + "\" in: " + output);
    std::istringstream rest(output.substr(place + name.size()));
    std::string word;
    rest >> word;
    return word;
}

// "1.50ms", "980.00us", "2.10s"
double milliseconds_of(const std::string &time)
{
    std::size_t digits = 0;
    const double number = std::stod(time, &digits);
    const std::string unit = time.substr(digits);
    return unit == "us" ? number / 1000 : unit == "s" ? number * 1000 : unit == "m" ? number * 60'000 : number;
}

class Service {
public:
    Service()
    {
        int ends[2];
        if (pipe(ends) != 0 || (process_ = fork()) < 0)
            throw std::runtime_error("cannot start the HTTP service");
        if (process_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            close(ends[0]);
            execl(program, program, "--port", "0", "--conninfo", ("dbname=" + database).c_str(), "--connections",
                  std::to_string(connections).c_str(), static_cast<char *>(nullptr));
            _exit(127);
        }
        close(ends[1]);
        FILE *const said = fdopen(ends[0], "r");
        char line[200] = "";
        if (fgets(line, sizeof line, said) == nullptr)
            throw std::runtime_error("the HTTP service does not start");
        url_ = word_behind(line, "serving on ");
        fclose(said);
    }
    ~Service()
    {
        kill(process_, SIGTERM);
        waitpid(process_, nullptr, 0);
    }
    Service(const Service &) = delete;
    Service &operator=(const Service &) = delete;

    [[nodiscard]] const std::string &url() const { return url_; }
    [[nodiscard]] double resident_mb() const
    {
        std::ifstream statm("/proc/" + std::to_string(process_) + "/statm");
        double pages = 0;
        statm >> pages >> pages;
        return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
    }

private:
    pid_t process_ = 0;
    std::string url_;
};

struct Load {
    double a_second;
    double p99_ms;
    double requests;
};

Load load(const Service &service, const std::string &path, int seconds)
{
    const std::string output = output_of("wrk -t2 -c100 --timeout 60s --latency -d" + std::to_string(seconds) + "s '" +
                                         service.url() + path + "' 2>&1");
    for (const char *const trouble : {"Non-2xx", "Socket errors"})
        if (output.find(trouble) != std::string::npos)
            throw std::runtime_error("/" + path + " under load: " + output);
    return {std::stod(word_behind(output, "Requests/sec:")), milliseconds_of(word_behind(output, "99%")),
            std::stod(output.substr(output.rfind('\n', output.find(" requests in ")) + 1))};
}

// The same question on as many connections as the service has; none where it asks several.
Samples by_sql(const std::string &question, int seconds)
{
    if (question.empty())
        return {};
    std::ofstream("build/bench/question.sql") << question << ";\n";
    const std::string output =
        output_of("pgbench -n -M extended -c " + std::to_string(connections) + " -j 2 -T " + std::to_string(seconds) +
                  " -f build/bench/question.sql " + database + " 2>&1");
    return {std::stod(word_behind(output, "tps ="))};
}

struct Endpoint {
    const char *path;
    const char *question;
};

constexpr Endpoint endpoints[] = {
    {"", ""},
    {"health", ""},
    {"telemetry/efficiency", "SELECT * FROM telemetry.get_aggregated_efficiency()"},
    {"telemetry/trend", ""},
    {"telemetry/series?event_type=LOAD_LATENCY", ""},
    {"telemetry/60day", "SELECT telemetry.get_60day_statistics()"},
    {"telemetry/footprint", ""},
    {"telemetry/events", "SELECT * FROM telemetry.get_events()"},
    {"telemetry/alerts", ""},
    {"metrics", ""},
};

void measure_memory(const Service &service, int seconds, Report &report)
{
    progress("memory");
    const double before = service.resident_mb();
    const double requests = load(service, "", seconds).requests;
    report.add({"  memory after " + grouped(requests) + " requests more",
                {service.resident_mb()},
                "before",
                {before},
                {},
                "MB"});
}

} // namespace

void measure_http(const Options &options, Report &report)
{
    if (access(program, X_OK) != 0 || std::system("type wrk > /dev/null 2>&1") != 0) {
        report.say("the HTTP service", "absent, or wrk is");
        return;
    }
    make_database();
    const int seconds = options.full ? 20 : 2;
    {
        const Service service;
        for (const Endpoint &endpoint : endpoints) {
            progress(std::string("GET /") + endpoint.path);
            const Load measured = load(service, endpoint.path, seconds);
            report.add({std::string("GET /") + endpoint.path + ", 100 connections",
                        {measured.a_second},
                        *endpoint.question != '\0' ? "the same by SQL, 4 connections" : "",
                        by_sql(endpoint.question, seconds),
                        {},
                        "/s"});
            report.add({"  99 %", {measured.p99_ms}, "", {}, {}, "ms"});
        }
        measure_memory(service, options.full ? 120 : 5, report);
    }
    drop_database(database);
}

} // namespace bench
