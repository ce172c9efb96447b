// The batch format: what a client sends to telemetry.ingest() and writes to its spill file. docs/batch-format.md is the
// description from which a client in another language can be written.
//
// Columnar: each column of telemetry.event follows the other, strings are looked up in one dictionary. The header is
// of fixed size, so that what changes with every attempt to send is replaced in place.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gravitas::telemetry::core {

using ProducerId = std::array<std::uint8_t, 16>; // a random UUID

// What became of all events that a producer was given, as its client counts; accepted is the sum of the others.
struct ClientAccount {
    std::uint64_t accepted = 0;
    std::uint64_t stored = 0;
    std::uint64_t queued = 0; // in memory, in flight included
    std::uint64_t spilled = 0;
    std::uint64_t dropped = 0;
    std::uint64_t refused = 0;

    friend bool operator==(const ClientAccount &, const ClientAccount &) = default;
};

struct BatchHeader {
    ProducerId producer = {};
    std::uint64_t sequence = 0;  // 1 for the first batch of a producer, then one more for each
    std::int64_t created_at = 0; // µs since 1970-01-01 UTC, by the client's clock, as all times of a batch
    std::int64_t sent_at = 0;    // of this attempt
    ClientAccount account = {};  // when it was sent

    friend bool operator==(const BatchHeader &, const BatchHeader &) = default;
};

inline constexpr std::array<std::uint8_t, 4> batch_magic = {'G', 'T', 'B', 1}; // the last is the version
inline constexpr std::size_t batch_header_bytes = 100;
// A longer batch is refused. One event of the largest size that is stored fits.
inline constexpr std::size_t max_batch_bytes = std::size_t{128} << 20;

// The position of the columns in a batch, and what each holds.
enum class BatchColumn : std::uint8_t {
    timestamp,        // signed varint: µs since the event before, of the first since 1970-01-01; never absent
    event_type,       // varint: place in the dictionary; never absent
    component,        // varint: place in the dictionary
    value,            // 8 bytes: IEEE 754 double, little-endian
    duration_ms,      // 8 bytes
    first_token_ms,   // 8 bytes
    prompt_tokens,    // varint, at most 2^31 - 1
    tokens_generated, // varint, at most 2^31 - 1
    status,           // varint: place in the dictionary
    metadata,         // varint: length in bytes, then a JSON object as text
};
inline constexpr std::size_t batch_columns = 10;
inline constexpr std::size_t text_columns = 3; // those whose strings are in the dictionary

// How a column says which events have a value in it.
enum class Presence : std::uint8_t {
    none = 0,   // no event has one; nothing follows
    all = 1,    // each event has one; the values follow
    bitmap = 2, // one bit for each event, least significant first, then the values of those whose bit is set
};

// CRC-32 (zlib's, IEEE 802.3) of all that follows the checksum.
[[nodiscard]] std::uint32_t batch_checksum(std::span<const std::uint8_t> batch) noexcept;

// Replaces what may change between two attempts to send a whole batch: sent_at, the account, the checksum; and the
// producer and the sequence, where a client goes on under another identity.
void rewrite_header(std::span<std::uint8_t> batch, const BatchHeader &header) noexcept;

} // namespace gravitas::telemetry::core
