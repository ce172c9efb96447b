// Events that a client would log, in this program's memory, and the forms in which they travel.

#pragma once

#include "core/batch_writer.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Inference {
    std::int64_t time_us; // since 1970-01-01 UTC
    int model;
    double value; // ms per token
    double duration_ms;
    double first_token_ms;
    std::int32_t prompt_tokens;
    std::int32_t tokens_generated;
    bool failed;
};

// `count` inferences of ten models at equal distances from start_us on, 1 in 100 failed, lognormal latencies; the same
// every time for the same seed.
std::vector<Inference> make_inferences(long count, std::int64_t start_us, std::chrono::seconds time, unsigned seed = 4);
// The same, of the time up to now.
std::vector<Inference> make_inferences(long count, std::chrono::seconds time = std::chrono::hours(1));

const std::string &model_name(int model);
std::string_view status_of(const Inference &inference);

// As the client gives it to a batch: the server works out the value.
gravitas::telemetry::core::BatchEvent batch_event(const Inference &inference);

// COPY … (event_columns) FROM STDIN WITH (FORMAT binary): the header, rows, the trailer.
inline constexpr std::string_view copy_header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
inline constexpr std::string_view copy_trailer{"\377\377", 2};
void append_binary(std::string &data, const Inference &inference);
// The same in COPY's text format.
void append_text(std::string &data, const Inference &inference);

// Parameters of INSERT … (event_columns) VALUES, in binary.
class BinaryParameters {
public:
    void add(const Inference &inference);
    void clear();
    [[nodiscard]] std::vector<std::string_view> values() const;

private:
    std::string bytes_;
    std::vector<std::size_t> lengths_;
};

} // namespace bench
