// make bench: how fast and how small it is, beside what one would use instead, in one table.

#include "machine.hpp"
#include "options.hpp"
#include "report.hpp"
#include "subjects.hpp"

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>

namespace {

struct Subject {
    const char *name;
    void (*measure)(const bench::Options &, bench::Report &);
};

constexpr Subject subjects[] = {
    {"efficiency", bench::measure_efficiency},
    {"statistics", bench::measure_statistics},
    {"deltas", bench::measure_deltas},
    {"busy", bench::measure_busy},
    {"aggregates", bench::measure_aggregates},
    {"sizes", bench::measure_sizes},
    {"writing", bench::measure_writing},
    {"ingest", bench::measure_ingest},
    {"view", bench::measure_view},
    {"hot_path", bench::measure_hot_path},
    {"footprint", bench::measure_footprint},
    {"recent", bench::measure_recent},
    {"retention", bench::measure_retention},
    {"maintenance", bench::measure_maintenance},
    {"unattended", bench::measure_unattended},
    {"http", bench::measure_http},
    {"others", bench::measure_others},
};

} // namespace

int main()
try {
    const bench::Options options = bench::options_from_environment();
    bench::Report report(bench::head_of_report(options));
    for (const Subject &subject : subjects)
        if (options.wants(subject.name))
            subject.measure(options, report);
    std::cout << '\n' << report.text() << std::flush;
    std::ofstream("build/bench/report.md") << report.text();
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << "bench: " << error.what() << '\n';
    return EXIT_FAILURE;
}
