// Events to measure on: made from a seed, so that they are the same every time, and loaded as a bulk load would.

#pragma once

#include "database.hpp"

#include <string>

namespace bench {

// The moment that the reads ask about: as_of of every question. Off every boundary, so that a window of 24 hours is
// made of minutes and hours, and one of 60 days of all three levels.
inline const std::string as_of = "'2025-06-30 17:42:30+00'::timestamptz";
inline const std::string day_before = "(" + as_of + " - interval '24 hours')";

// The start of the UTC day so many days before that of as_of.
inline std::string utc_day(int days_ago)
{
    return "(date_trunc('day', " + as_of + ", 'UTC') - interval '24 hours' * " + std::to_string(days_ago) + ")";
}

inline const std::string read_efficiency = "SELECT * FROM telemetry.get_aggregated_efficiency(NULL, 24, " + as_of + ")";
inline const std::string read_statistics = "SELECT telemetry.get_60day_statistics(" + as_of + ")";

// The columns of telemetry.event but for id and metadata.
inline const std::string event_columns = "(\"timestamp\", event_type, component, value, duration_ms, first_token_ms, "
                                         "prompt_tokens, tokens_generated, status)";

// A SELECT of these columns: numbers first to last of `count` events at equal
// distances over 24 hours from `start`. Ten models, 1 in 1,000 a load, 1 in 100 failed, lognormal latencies.
std::string generated_events(const std::string &start, long count, long first, long last);

// Fills telemetry.event with `count` events of the 24 hours from `start`, and the rollups from them.
void load_day(Connection &connection, const std::string &start, long count);

// Makes a database whose last 24 hours before as_of hold `count` events, unless it is there already, and returns
// its name. The answers have been compared with brute force.
std::string day_database(long count);

// The same of 60 days with so many events each; the events themselves are gone, only rollups are left.
std::string months_database(long events_a_day);

// Logs `count` events of one statement each, one a millisecond, the last at as_of: as many deltas.
void append_deltas(Connection &connection, long count);

// As maintenance records the days that are over, for the footprint.
void record_days(Connection &connection);

// Throws unless get_aggregated_efficiency() says what the events say.
void check_efficiency(Connection &connection);

// Throws unless the two statements give the same rows.
void must_agree(Connection &connection, const std::string &what, const std::string &answer,
                const std::string &expected);

} // namespace bench
