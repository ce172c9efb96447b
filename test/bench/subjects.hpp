// What is measured; each adds its rows to the report.

#pragma once

#include "options.hpp"
#include "report.hpp"

namespace bench {

void measure_efficiency(const Options &options, Report &report);  // get_aggregated_efficiency() over 24 hours
void measure_statistics(const Options &options, Report &report);  // get_60day_statistics()
void measure_deltas(const Options &options, Report &report);      // both, with deltas that were not compacted
void measure_growth(const Options &options, Report &report);      // reads of 1 M to 100 M events
void measure_aggregates(const Options &options, Report &report);  // summarize() and sketch() over events
void measure_sizes(const Options &options, Report &report);       // bytes of summaries
void measure_writing(const Options &options, Report &report);     // compact(), log_thought_latency()
void measure_ingest(const Options &options, Report &report);      // ingest() and the client against COPY and INSERT
void measure_view(const Options &options, Report &report);        // COPY through the view
void measure_hot_path(const Options &options, Report &report);    // nanoseconds of one log call
void measure_footprint(const Options &options, Report &report);   // the footprint of 70 days
void measure_recent(const Options &options, Report &report);      // the newest events
void measure_retention(const Options &options, Report &report);   // dropping days beside a writer
void measure_maintenance(const Options &options, Report &report); // rounds of it
void measure_unattended(const Options &options, Report &report);  // reads while it maintains itself
void measure_http(const Options &options, Report &report);        // the HTTP service under load
void measure_others(const Options &options, Report &report);      // tdigest, TimescaleDB

} // namespace bench
