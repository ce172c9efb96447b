// make bench: how fast and how small it is, beside what one would use instead, in one report.

#include "machine.hpp"
#include "options.hpp"
#include "report.hpp"
#include "subjects.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

struct Subject {
    const char *name;
    const char *title;
    void (*measure)(const bench::Options &, bench::Report &);
};

constexpr Subject subjects[] = {
    {"efficiency", "the day's efficiency of ten models", bench::measure_efficiency},
    {"statistics", "60 days", bench::measure_statistics},
    {"deltas", "both beside deltas that were not compacted", bench::measure_deltas},
    {"growth", "filling, and how the time of each read grows with the number of events", bench::measure_growth},
    {"aggregates", "summarize() and sketch() over events", bench::measure_aggregates},
    {"sizes", "bytes of summaries", bench::measure_sizes},
    {"writing", "compact(), one log_thought_latency()", bench::measure_writing},
    {"ingest", "batches and the client, to committed and summarised", bench::measure_ingest},
    {"view", "COPY through the view", bench::measure_view},
    {"hot_path", "one call of the client", bench::measure_hot_path},
    {"footprint", "the footprint of 70 days", bench::measure_footprint},
    {"recent", "the newest events", bench::measure_recent},
    {"retention", "dropping days beside a writer", bench::measure_retention},
    {"maintenance", "rounds of maintenance beside a writer", bench::measure_maintenance},
    {"unattended", "reads while it maintains itself", bench::measure_unattended},
    {"http", "the HTTP service", bench::measure_http},
    {"others", "other extensions for the same purpose", bench::measure_others},
};

// After each subject, so that a run that is cut off leaves what it has measured.
void write(const bench::Report &report)
{
    std::ofstream("build/bench/report.md") << report.text();
    std::ofstream("build/bench/report.json") << report.json();
}

// One subject that fails is told, and keeps no other from being measured.
void measure(const Subject &subject, const bench::Options &options, bench::Report &report)
{
    report.begin(subject.name, subject.title);
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    try {
        subject.measure(options, report);
        report.end(seconds());
    } catch (const std::exception &error) {
        report.end(seconds(), error.what());
    }
    write(report);
}

} // namespace

int main()
try {
    const bench::Options options = bench::options_from_environment();
    for (const std::string &name : options.only)
        if (std::none_of(std::begin(subjects), std::end(subjects), [&](const Subject &s) { return s.name == name; }))
            throw std::runtime_error("BENCH_ONLY names \"" + name +
                                     "\", which is no subject; test/bench/main.cpp lists them");
    bench::Report report(bench::describe_machine(options));
    for (const Subject &subject : subjects)
        if (options.wants(subject.name))
            measure(subject, options, report);
    std::cout << '\n' << report.text() << "\nIn build/bench: report.md, report.json" << std::endl;
    return report.has_failed() ? EXIT_FAILURE : EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << "bench: " << error.what() << '\n';
    return EXIT_FAILURE;
}
