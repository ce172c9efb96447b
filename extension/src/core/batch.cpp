#include "core/batch.hpp"

#include "core/bytes.hpp"

#include <zlib.h>

namespace gravitas::telemetry::core {

namespace {

constexpr std::size_t length_at = 4;
constexpr std::size_t checksum_at = 8;
constexpr std::size_t checked_from = 12;

} // namespace

std::uint32_t batch_checksum(std::span<const std::uint8_t> batch) noexcept
{
    const std::span<const std::uint8_t> checked = batch.subspan(checked_from);
    return static_cast<std::uint32_t>(crc32_z(0, checked.data(), checked.size()));
}

void rewrite_header(std::span<std::uint8_t> batch, const BatchHeader &header) noexcept
{
    Writer writer{batch.first(batch_header_bytes)};
    for (const std::uint8_t byte : batch_magic)
        writer.byte(byte);
    writer.skip(checked_from - length_at);
    for (const std::uint8_t byte : header.producer)
        writer.byte(byte);
    writer.fixed(header.sequence, 8);
    writer.fixed(static_cast<std::uint64_t>(header.created_at), 8);
    writer.fixed(static_cast<std::uint64_t>(header.sent_at), 8);
    const ClientAccount &account = header.account;
    for (const std::uint64_t count :
         {account.accepted, account.stored, account.queued, account.spilled, account.dropped, account.refused})
        writer.fixed(count, 8);
    Writer{batch.subspan(length_at, 4)}.fixed(batch.size(), 4);
    Writer{batch.subspan(checksum_at, 4)}.fixed(batch_checksum(batch), 4);
}

} // namespace gravitas::telemetry::core
