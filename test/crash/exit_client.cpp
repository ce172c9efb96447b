// An application that ends without close(), in the way that its first argument says; the second is the conninfo. One
// that is killed may be given a component for its events, and a folder to spill to.

#include <gravitas/telemetry.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <unistd.h>

using namespace gravitas::telemetry;

namespace {

Client &client(const char *conninfo = nullptr, const char *spill_directory = nullptr)
{
    static Client client{{.conninfo = conninfo,
                          .on_full = spill_directory != nullptr ? OnFull::spill : OnFull::drop_newest,
                          .spill_directory = spill_directory != nullptr ? spill_directory : "",
                          .batch_events = 10,
                          .close_deadline = std::chrono::seconds(10),
                          .on_error = [](const Error &) {
                              if (std::getenv("EXIT_ON_ERROR") != nullptr)
                                  std::exit(0); // on the client's own thread
                          }}};
    return client;
}

void log_some()
{
    for (int i = 1; i <= 1'000; ++i)
        client().log({.event_type = "TICK", .value = static_cast<double>(i)});
}

// Made after the client, it goes before it.
struct LogsAtTheEnd {
    ~LogsAtTheEnd() { client().log({.event_type = "TICK", .value = 1'001}); }
};

// Says what is acknowledged, until it is killed.
[[noreturn]] void log_until_killed(const char *component)
{
    std::printf("%d\n", static_cast<int>(getpid()));
    for (int i = 1;; ++i) {
        client().log({.event_type = "TICK", .component = component, .value = static_cast<double>(i)});
        if (i % 25 == 0 && client().flush(std::chrono::seconds(10)))
            std::printf("%d\n", i);
        std::fflush(stdout);
    }
}

} // namespace

int main(int count, char **arguments)
{
    const std::string_view way = arguments[1];
    client(arguments[2], count > 4 ? arguments[4] : nullptr);
    if (way == "killed")
        log_until_killed(count > 3 ? arguments[3] : "");
    log_some();
    if (way == "late destructor") {
        static const LogsAtTheEnd last;
        static_cast<void>(last);
        return 0;
    }
    if (way == "another thread") {
        std::thread([] { std::exit(0); }).detach();
        for (;;)
            pause();
    }
    if (way == "child") { // it ends as its parent does, with a copy of all objects
        if (fork() == 0)
            std::exit(0);
    }
    if (way == "on_error") {
        for (;;)
            pause();
    }
    return 0;
}
