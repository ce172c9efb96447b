// gravitas-telemetry-http: shows what is in the database, to people, scripts and Prometheus.

#include "front.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "server.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

using namespace gravitas::telemetry::http;

Server *running = nullptr;

void stop_running(int) { running->stop(); }

// The first signal ends it gracefully, the second at once.
void stop_at_signals(Server &server)
{
    running = &server;
    struct sigaction action = {};
    action.sa_handler = stop_running;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGTERM, SIGINT})
        sigaction(signal, &action, nullptr);
}

std::string url_of(const Options &options, int port)
{
    const bool is_v6 = options.listen.find(':') != std::string::npos;
    return "http://" + (is_v6 ? '[' + options.listen + ']' : options.listen) + ':' + std::to_string(port) + '/';
}

void serve(const Options &options)
{
    check_options(options);
    Routes routes(options);
    Front front([&](const httplib::Request &request) { return routes.answer(request); });
    // Some to wait for a connection to the database, so that others can give what needs none.
    Server server(options.listen, options.port, options.connections + 4, front);
    stop_at_signals(server);
    std::printf("serving on %s\n", url_of(options, server.port()).c_str());
    std::fflush(stdout);
    server.run();
}

} // namespace

int main(int count, char *arguments[])
{
    try {
        const CommandLine line = read_options({arguments + 1, arguments + count});
        if (line.action == Action::show_help)
            std::fputs(usage, stdout);
        else if (line.action == Action::show_version)
            std::puts("gravitas-telemetry-http " GRAVITAS_HTTP_VERSION);
        else
            serve(line.options);
        return 0;
    } catch (const UsageError &error) {
        std::fprintf(stderr, "gravitas-telemetry-http: %s\n(--help lists the options)\n", error.what());
        return 2;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "gravitas-telemetry-http: %s\n", error.what());
        return 1;
    }
}
