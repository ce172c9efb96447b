// What the program can be told, on its command line or in its environment.

#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace gravitas::telemetry::http {

struct Options {
    std::string listen = "127.0.0.1";
    int port = 9464;      // 0: any that is free
    std::string conninfo; // empty: as psql connects
    std::string token;    // empty: none is asked for
    std::vector<std::string> allowed_hosts;
    bool enable_log = false;
    int connections = 4;
    std::chrono::milliseconds statement_timeout{10'000};
};

enum class Action { serve, show_help, show_version };

struct CommandLine {
    Action action = Action::serve;
    Options options;
};

class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

extern const char usage[];

// Looks a variable of the environment up.
using Environment = std::optional<std::string> (*)(const char *name);
std::optional<std::string> process_environment(const char *name);

// The command line wins over the environment. Throws UsageError.
CommandLine read_options(const std::vector<std::string> &arguments, Environment environment = process_environment);

// Throws UsageError where they do not go together, such as an address that others reach and no token.
void check_options(const Options &options);

} // namespace gravitas::telemetry::http
