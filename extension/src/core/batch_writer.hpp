// Writing a batch; see core/batch.hpp. Used by the client, whose memory is the ordinary one.

#pragma once

#include "core/batch.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace gravitas::telemetry::core {

// One event on its way into a batch. Strings are UTF-8; an empty component, status or metadata is none.
struct BatchEvent {
    std::int64_t time_us = 0; // since 1970-01-01 UTC
    std::string_view event_type;
    std::string_view component = {};
    std::optional<double> value = {};
    std::optional<double> duration_ms = {};
    std::optional<double> first_token_ms = {};
    std::optional<std::int32_t> prompt_tokens = {}; // not negative
    std::optional<std::int32_t> tokens_generated = {};
    std::string_view status = {};
    std::string_view metadata = {};
};

// Collects events and writes them as one batch; then ready for the next one. Functions that allocate throw
// std::bad_alloc; the batch is then to be cleared.
class BatchWriter {
public:
    void add(const BatchEvent &event);

    [[nodiscard]] std::size_t events() const noexcept { return events_; }
    // Bytes that the batch will have at the most.
    [[nodiscard]] std::size_t size_bound() const noexcept;

    // The batch of all events since the last clear(); of none, an empty one that carries the header only.
    [[nodiscard]] std::vector<std::uint8_t> finish(const BatchHeader &header) const;
    void clear() noexcept;

private:
    struct Column {
        std::vector<std::uint8_t> values;
        std::vector<std::uint8_t> bitmap;
        std::size_t present = 0;
    };

    Column &column(BatchColumn column) noexcept { return columns_[static_cast<std::size_t>(column)]; }
    std::vector<std::uint8_t> &start_value(BatchColumn column);
    std::uint32_t place_of(std::string_view text);
    void add_text(BatchColumn column, std::string_view text);
    void add_real(BatchColumn column, const std::optional<double> &real);
    void add_count(BatchColumn column, const std::optional<std::int32_t> &count);

    std::array<Column, batch_columns> columns_;
    std::deque<std::string> dictionary_; // elements stay where they are: the map refers to them
    std::unordered_map<std::string_view, std::uint32_t> places_;
    std::size_t dictionary_bytes_ = 0;
    std::size_t events_ = 0;
    std::int64_t last_time_us_ = 0;
};

} // namespace gravitas::telemetry::core
