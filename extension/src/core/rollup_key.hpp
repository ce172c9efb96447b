// The names under which event types and components stand in the rollups.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gravitas::telemetry::core {

// Longest key, in bytes: an index entry of two of them and a timestamp stays far below a third of a page, beyond which
// an index refuses it.
inline constexpr std::size_t max_key_bytes = 512;
// What ends a longer name: '#' and a hash of all of it, as 16 hexadecimal digits.
inline constexpr std::size_t key_hash_bytes = 17;

// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every machine and in every version.
constexpr std::uint64_t fnv1a(std::string_view text) noexcept
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

} // namespace gravitas::telemetry::core
