#include "options.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace gravitas::telemetry::http {

const char usage[] = R"(usage: gravitas-telemetry-http [OPTION]…

Serves what Gravitas Telemetry has in a PostgreSQL database: a page at /, JSON below
/telemetry/, /health, and /metrics for Prometheus. /openapi.json describes it all.

  --listen ADDRESS          numeric address to serve on (127.0.0.1); one that others reach needs --token-file
  --port PORT               0 takes any that is free (9464)
  --conninfo STRING         which database, as libpq is told (the PG* environment)
  --token-file FILE         requests need the token on the first line of FILE: as "Authorization: Bearer TOKEN",
                            or as the password a browser asks for
  --allow-host NAME         also answers requests to this host name; may be repeated (localhost and loopback addresses)
  --enable-log              also stores events: POST /v1/telemetry/log; needs --token-file
  --connections N           connections to the database at the same time, 1 to 100 (4)
  --statement-timeout MS    milliseconds that a question may take, 10 to 600000 (10000)
  --help                    prints this
  --version                 prints the version

Each option can be given as a variable of the environment instead: GRAVITAS_HTTP_ and its
name, such as GRAVITAS_HTTP_TOKEN_FILE; GRAVITAS_HTTP_ENABLE_LOG=1; host names separated by commas.
)";

namespace {

int number(const std::string &name, const std::string &text, int least, int greatest)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > greatest)
        throw UsageError(name + " must be between " + std::to_string(least) + " and " + std::to_string(greatest) +
                         ", not \"" + text + "\"");
    return value;
}

std::string read_token(const std::string &file)
{
    constexpr std::size_t shortest = 16;
    std::ifstream stream(file);
    std::string token;
    if (!stream || !std::getline(stream, token))
        throw UsageError("token file \"" + file + "\" cannot be read");
    while (!token.empty() && (token.back() == '\r' || token.back() == ' '))
        token.pop_back();
    if (token.size() < shortest ||
        token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~+/=") != std::string::npos)
        throw UsageError("the token in \"" + file + "\" must have " + std::to_string(shortest) +
                         " or more letters, digits or any of -._~+/=; try: openssl rand -hex 32 > " + file);
    return token;
}

void add_hosts(Options &options, std::string_view names)
{
    while (!names.empty()) {
        const std::size_t comma = names.find(',');
        if (const std::string_view name = names.substr(0, comma); !name.empty())
            options.allowed_hosts.emplace_back(name);
        names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
    }
}

struct Setting {
    const char *flag;
    const char *variable;
    bool is_switch;
    void (*set)(Options &, const std::string &name, const std::string &value);
};

constexpr Setting settings[] = {
    {"--listen", "GRAVITAS_HTTP_LISTEN", false,
     [](Options &o, const std::string &, const std::string &value) { o.listen = value; }},
    {"--port", "GRAVITAS_HTTP_PORT", false,
     [](Options &o, const std::string &name, const std::string &value) { o.port = number(name, value, 0, 65535); }},
    {"--conninfo", "GRAVITAS_HTTP_CONNINFO", false,
     [](Options &o, const std::string &, const std::string &value) { o.conninfo = value; }},
    {"--token-file", "GRAVITAS_HTTP_TOKEN_FILE", false,
     [](Options &o, const std::string &, const std::string &value) { o.token = read_token(value); }},
    {"--allow-host", "GRAVITAS_HTTP_ALLOW_HOST", false,
     [](Options &o, const std::string &, const std::string &value) { add_hosts(o, value); }},
    {"--enable-log", "GRAVITAS_HTTP_ENABLE_LOG", true,
     [](Options &o, const std::string &name, const std::string &value) {
         o.enable_log = number(name, value, 0, 1) == 1;
     }},
    {"--connections", "GRAVITAS_HTTP_CONNECTIONS", false,
     [](Options &o, const std::string &name, const std::string &value) {
         o.connections = number(name, value, 1, 100);
     }},
    {"--statement-timeout", "GRAVITAS_HTTP_STATEMENT_TIMEOUT", false,
     [](Options &o, const std::string &name, const std::string &value) {
         o.statement_timeout = std::chrono::milliseconds(number(name, value, 10, 600'000));
     }},
};

const Setting &setting_of(const std::string &flag)
{
    for (const Setting &setting : settings) {
        if (flag == setting.flag)
            return setting;
    }
    throw UsageError("unknown option \"" + flag + "\"");
}

bool is_loopback(const std::string &address)
{
    in_addr v4;
    in6_addr v6;
    if (inet_pton(AF_INET, address.c_str(), &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, address.c_str(), &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    throw UsageError("--listen takes a numeric address such as 127.0.0.1, 0.0.0.0 or ::1, not \"" + address + "\"");
}

} // namespace

std::optional<std::string> process_environment(const char *name)
{
    const char *const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

CommandLine read_options(const std::vector<std::string> &arguments, Environment environment)
{
    CommandLine line;
    for (const Setting &setting : settings) {
        if (const std::optional<std::string> value = environment(setting.variable))
            setting.set(line.options, setting.variable, *value);
    }
    for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
        const std::size_t equals = argument->find('=');
        const std::string flag = argument->substr(0, equals);
        if (flag == "--help" || flag == "-h")
            return {Action::show_help, {}};
        if (flag == "--version")
            return {Action::show_version, {}};
        const Setting &setting = setting_of(flag);
        if (equals != std::string::npos)
            setting.set(line.options, flag, argument->substr(equals + 1));
        else if (setting.is_switch)
            setting.set(line.options, flag, "1");
        else if (argument + 1 != arguments.end())
            setting.set(line.options, flag, *++argument);
        else
            throw UsageError(flag + " needs a value");
    }
    return line;
}

void check_options(const Options &options)
{
    if (!is_loopback(options.listen) && options.token.empty())
        throw UsageError("address \"" + options.listen +
                         "\" is reached by others, so a token is needed: --token-file FILE");
    if (options.enable_log && options.token.empty())
        throw UsageError("--enable-log needs a token: --token-file FILE");
}

} // namespace gravitas::telemetry::http
