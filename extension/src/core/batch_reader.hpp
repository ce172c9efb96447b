// Reading a batch that may be anything; see core/batch.hpp. Nothing is copied, and nothing allocated but what the
// caller gives a memory resource for.

#pragma once

#include "core/array.hpp"
#include "core/batch.hpp"
#include "core/bytes.hpp"

namespace gravitas::telemetry::core {

// One event of a batch. Strings are places in the dictionary; nothing of it is checked for what it means.
struct BatchRow {
    std::int64_t time_us = 0; // since 1970-01-01 UTC
    std::uint32_t event_type = 0;
    std::optional<std::uint32_t> component = {};
    std::optional<std::uint32_t> status = {};
    std::optional<double> value = {}; // NaN and infinities included
    std::optional<double> duration_ms = {};
    std::optional<double> first_token_ms = {};
    std::optional<std::int32_t> prompt_tokens = {};
    std::optional<std::int32_t> tokens_generated = {};
    std::optional<std::string_view> metadata = {};
};

// The beginning of a batch in a file or a stream, where its end may be missing: the length of the whole. Throws
// truncated for fewer than 8 bytes, unknown_version, or corrupt where it is no batch or one longer than
// max_batch_bytes.
[[nodiscard]] std::size_t batch_length(std::span<const std::uint8_t> start);

// Not copyable and without a destructor. The bytes and the memory must live as long.
class BatchReader {
public:
    // Throws truncated, unknown_version or corrupt, with the position, for whatever is not one whole batch. After
    // that, `next` finds nothing wrong.
    BatchReader(std::span<const std::uint8_t> batch, std::pmr::memory_resource &memory);
    BatchReader(BatchReader &&) = default;

    [[nodiscard]] const BatchHeader &header() const noexcept { return header_; }
    [[nodiscard]] std::size_t events() const noexcept { return events_; }
    [[nodiscard]] std::span<const std::string_view> dictionary() const noexcept { return dictionary_.span(); }

    // The next event; false after the last.
    [[nodiscard]] bool next(BatchRow &row);

private:
    // A column, and how far it is read.
    struct Column {
        Presence presence = Presence::none;
        std::span<const std::uint8_t> bitmap;
        Reader values{{}};
    };

    void read_header(Reader &reader);
    void read_dictionary(Reader &reader, std::pmr::memory_resource &memory);
    void read_column(Reader &reader, BatchColumn place);
    void check_value(Reader &reader, BatchColumn place) const;
    // The values of a column where the event being read has one; nullptr otherwise.
    Reader *value_of(BatchColumn place) noexcept;
    std::optional<std::uint32_t> place_in(BatchColumn place);
    std::optional<double> real_in(BatchColumn place);
    std::optional<std::int32_t> count_in(BatchColumn place);

    BatchHeader header_;
    std::uint32_t checksum_ = 0;
    std::size_t events_ = 0;
    std::size_t position_ = 0; // of the next event
    std::int64_t last_time_us_ = 0;
    Array<std::string_view> dictionary_;
    std::array<Column, batch_columns> columns_;
};

} // namespace gravitas::telemetry::core
