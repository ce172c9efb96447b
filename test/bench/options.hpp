// What to measure, and on how much.

#pragma once

#include <string>
#include <vector>

namespace bench {

// From the environment:
//   BENCH=full             1 and 10 million events and 100 at last, twice ten minutes of real time; else minutes
//   BENCH_ONLY             some of the subjects, which main.cpp lists: "efficiency ingest"
//   BENCH_EVENTS           events in 24 hours, smallest first, of which others than reads take one: "1000000 10000000"
//   BENCH_DAY_EVENTS       events on each of 60 days, of which only rollups are kept
//   BENCH_GROWTH_EVENTS    events of 60 days, smallest first: "1000000 10000000 100000000"
//   BENCH_DELTAS           deltas that were not compacted: "10000 600000"
//   BENCH_INGEST_EVENTS    events that are stored in batches, and by COPY
//   BENCH_INGEST_RUNS      how often by each way
//   BENCH_HOT_PATH_RUNS    how often 200,000 calls of each library
//   BENCH_DROPPED_EVENTS   on each of three days that are dropped
//   BENCH_MISPLACED_EVENTS in the default partition, of 100 missing days and of one
//   BENCH_UNATTENDED_S     seconds of 1,000 statements of one event each, while it maintains itself, twice
struct Options {
    bool full = false;
    std::vector<std::string> only;
    std::vector<long> events;
    long day_events = 0;
    std::vector<long> growth_events;
    std::vector<long> deltas;
    long ingest_events = 0;
    int ingest_runs = 0;
    int hot_path_runs = 0;
    long dropped_events = 0;
    long misplaced_events = 0;
    long unattended_s = 0;

    [[nodiscard]] bool wants(const std::string &subject) const;
    [[nodiscard]] int read_runs() const { return full ? 300 : 100; }
    [[nodiscard]] double seconds_a_row() const { return full ? 10 : 2; }
};

Options options_from_environment();

} // namespace bench
