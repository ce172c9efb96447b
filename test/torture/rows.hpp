// Events, made at random, and written the way of each door.

#pragma once

#include "core/batch_writer.hpp"
#include "torture/random.hpp"

#include <gravitas/telemetry.hpp>

#include <string>
#include <vector>

namespace gravitas::telemetry::torture {

struct Row {
    std::string event_type;
    std::optional<double> value = {};
    std::optional<double> duration_ms = {};
    std::optional<double> first_token_ms = {};
    std::optional<int> prompt_tokens = {};
    std::optional<int> tokens_generated = {};
    std::string status = {};
    Clock::time_point time = {};
};

// Now, or as by a clock that is wrong or in another month, often just at the edge of a minute, an hour or a day.
Clock::time_point random_time(Random &random);

// Any event. Where it has a value, this is `number`, which its component never had before.
Row random_row(Random &random, long number);
// One that surely has a value.
Row counted_row(Random &random, long number);

std::string sql_time(Clock::time_point time);
std::string as_values(const Row &row, const std::string &component); // (…) of columns
std::string as_copy(const Row &row, const std::string &component);   // a line of columns
std::string as_json(const Row &row, const std::string &component);
core::BatchEvent as_batch(const Row &row, const std::string &component); // of views: keep row and component
inline constexpr char columns[] = R"(("timestamp", event_type, component, value, duration_ms, first_token_ms,)"
                                  " prompt_tokens, tokens_generated, status)";

// A batch of a client as a literal of bytea.
std::string batch_of(const std::vector<Row> &rows, const std::string &component, const core::ProducerId &producer,
                     std::uint64_t sequence);

} // namespace gravitas::telemetry::torture
