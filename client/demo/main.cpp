// gravitas-demo: real measurements into a fresh database, through the client. What it stored is printed from SQL by
// report.sql.

#include "database.hpp"
#include "progress.hpp"
#include "replay.hpp"
#include "storing.hpp"
#include "text_models.hpp"
#include "timer_check.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr const char *usage =
    R"(usage: gravitas-demo [--corpus DIR]
       gravitas-demo --trace FILE-or-FOLDER [--trace …]

Stores real measurements with the Gravitas Telemetry client, in the database that
the PG* environment variables name.

  without --trace   builds three small language models on this machine and has them
                    write text; times every load and every answer, then the timer itself
  --corpus DIR      the text files they learn from (default: /usr/share/common-licenses)
  --trace PATH      replays recorded measurements instead, dated so that the last of each
                    file is now; of a folder, everything below it that is a known trace:
                      llmperf       one JSON file a model, named after it
                      Azure         LLM inference trace, CSV
                      GPU memory    log of used and total MB, JSON
  --help            prints this
)";

constexpr double timer_interval_s = 2.5;

struct Arguments {
    bool help = false;
    std::filesystem::path corpus = demo::default_corpus;
    bool corpus_given = false;
    std::vector<std::filesystem::path> traces;
};

class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

Arguments parse(const std::vector<std::string> &given)
{
    Arguments arguments;
    for (auto argument = given.begin(); argument != given.end(); ++argument) {
        const std::size_t equals = argument->find('=');
        const std::string name = argument->substr(0, equals);
        if (*argument == "--help" || *argument == "-h") {
            arguments.help = true;
            continue;
        }
        if (name != "--trace" && name != "--corpus")
            throw UsageError("unknown argument \"" + *argument + "\"");
        if (equals == std::string::npos && argument + 1 == given.end())
            throw UsageError(name + " needs a file or folder");
        const std::string path = equals == std::string::npos ? *++argument : argument->substr(equals + 1);
        if (path.empty())
            throw UsageError(name + " needs a file or folder");
        if (name == "--trace") {
            arguments.traces.emplace_back(path);
        } else {
            arguments.corpus = path;
            arguments.corpus_given = true;
        }
    }
    if (arguments.corpus_given && !arguments.traces.empty())
        throw UsageError("--corpus and --trace exclude each other");
    return arguments;
}

void report_timer(gravitas::telemetry::Client &client)
{
    std::printf("Timing an interval of %.1f s, to check the timer against two other clocks\n", timer_interval_s);
    const demo::TimerCheck check = demo::check_timer(timer_interval_s);
    std::printf("  timer resolution: %.3f µs\n", check.resolution_us);
    std::printf("  timer             %.7f s\n", check.by_timer_s);
    std::printf("  hardware counter  %.7f s  (CLOCK_MONOTONIC_RAW, corrected by nobody)\n", check.by_free_running_s);
    std::printf("  wall clock        %.7f s  (CLOCK_REALTIME%s)\n", check.by_wall_clock_s,
                check.wall_clock_was_set ? ", was set meanwhile: does not count" : "");
    std::printf("  timer error:      %.6f %% (may be 0.1 %%)\n", check.error_percent);
    char metadata[160];
    std::snprintf(metadata, sizeof metadata, R"({"interval_s": %.9f, "resolution_us": %.3f})", check.by_timer_s,
                  check.resolution_us);
    client.log({.event_type = "TIMER_CHECK",
                .component = "steady_clock",
                .value = check.error_percent,
                .metadata = metadata,
                .status = check.error_percent < 0.1 ? "OK" : "WARNING"});
}

void measure_this_machine(const std::filesystem::path &corpus)
{
    demo::prepare_database(gravitas::telemetry::Clock::now());
    demo::StoringClient storing;
    demo::run_text_models(storing.client(), corpus);
    report_timer(storing.client());
    storing.store_all([](std::uint64_t) {});
    std::printf("Stored all %s events\n", demo::grouped(storing.client().account().stored).c_str());
}

} // namespace

int main(int argc, char **argv)
{
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // each line at once, also into a pipe
    try {
        const Arguments arguments = parse({argv + 1, argv + argc});
        if (arguments.help)
            std::fputs(usage, stdout);
        else if (arguments.traces.empty())
            measure_this_machine(arguments.corpus);
        else
            demo::replay(arguments.traces);
        return 0;
    } catch (const UsageError &e) {
        std::fprintf(stderr, "gravitas-demo: %s; --help says what there is\n", e.what());
        return 2;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "gravitas-demo: %s\n", e.what());
        return 1;
    }
}
