// Reading and writing the byte formats of the core: little-endian, independent of the machine.

#pragma once

#include "core/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace gravitas::telemetry::core {

// One pass of an encoder: fills a buffer, as far as that goes, or compares with bytes that are already there. This is
// how decoders refuse what is not in canonical form: what was read, written again, must be what was read.
class Writer {
public:
    explicit Writer(std::span<std::uint8_t> out) noexcept : out_(out) {}
    [[nodiscard]] static Writer comparing(std::span<const std::uint8_t> expected) noexcept
    {
        Writer writer{std::span<std::uint8_t>{}};
        writer.expected_ = expected;
        writer.mismatch_ = none;
        return writer;
    }

    // Bytes written, or that would have been.
    [[nodiscard]] std::size_t size() const noexcept { return position_; }

    // Leaves bytes as they are.
    void skip(std::size_t bytes) noexcept { position_ += bytes; }

    // Throws corrupt where the bytes written differ from the expected ones.
    void expect_equal() const
    {
        if (mismatch_ != none || position_ != expected_.size())
            throw Error{ErrorKind::corrupt, "not in canonical form", mismatch_ != none ? mismatch_ : position_};
    }

    void byte(std::uint8_t value) noexcept
    {
        if (position_ < out_.size())
            out_[position_] = value;
        else if (mismatch_ == none && (position_ >= expected_.size() || expected_[position_] != value))
            mismatch_ = position_;
        ++position_;
    }

    // `width` bytes, least significant first.
    void fixed(std::uint64_t value, unsigned width) noexcept
    {
        for (unsigned i = 0; i < width; ++i)
            byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }

    // LEB128.
    void varint(std::uint64_t value) noexcept
    {
        for (; value >= 0x80; value >>= 7)
            byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }

    void signed_varint(std::int64_t value) noexcept
    {
        varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
    }

    // A double as the number of its bytes and these, most significant first, without trailing zero bytes: round
    // figures take 1 to 4 bytes, any other 9.
    void real(double value) noexcept
    {
        std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
        const int length = bits == 0 ? 0 : 8 - std::countr_zero(bits) / 8;
        byte(static_cast<std::uint8_t>(length));
        for (int i = 0; i < length; ++i, bits <<= 8)
            byte(static_cast<std::uint8_t>(bits >> 56));
    }

private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    std::span<std::uint8_t> out_;
    std::span<const std::uint8_t> expected_;
    std::size_t position_ = 0;
    std::size_t mismatch_ = 0; // none while comparing and equal so far
};

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept
{
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Reads what Writer writes. Every read checks the end of the input; none allocates.
class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> input) noexcept : input_(input) {}

    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    [[nodiscard]] std::size_t remaining() const noexcept { return input_.size() - position_; }

    [[noreturn]] void corrupt(const char *message) const { throw Error{ErrorKind::corrupt, message, position_}; }
    void check(bool good, const char *message) const
    {
        if (!good) [[unlikely]]
            corrupt(message);
    }

    std::uint8_t byte()
    {
        if (position_ >= input_.size()) [[unlikely]]
            throw Error{ErrorKind::truncated, "input ends too early", position_};
        return input_[position_++];
    }

    // The next `count` bytes, uncopied.
    std::span<const std::uint8_t> bytes(std::size_t count)
    {
        if (count > remaining())
            throw Error{ErrorKind::truncated, "input ends too early", input_.size()};
        position_ += count;
        return input_.subspan(position_ - count, count);
    }

    std::uint64_t varint()
    {
        if (position_ < input_.size() && input_[position_] < 0x80) [[likely]]
            return input_[position_++];
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t next = byte();
            check(shift < 63 || next <= 1, "number does not fit in 64 bits");
            value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        corrupt("number does not fit in 64 bits");
    }

    std::int64_t signed_varint()
    {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
    }

    // Any double, NaN and infinities included: what may be one is the caller's to check.
    double real()
    {
        const unsigned length = byte();
        check(length <= 8, "number of more than 8 bytes");
        std::uint64_t bits = 0;
        if (remaining() >= 8 && length > 0) [[likely]] { // eight bytes at once, of which the last are another's
            bits = big_endian(input_.data() + position_) >> (64 - 8 * length) << (64 - 8 * length);
            position_ += length;
            return std::bit_cast<double>(bits);
        }
        for (unsigned i = 0; i < length; ++i)
            bits |= static_cast<std::uint64_t>(byte()) << (56 - 8 * i);
        return std::bit_cast<double>(bits);
    }

    void expect_end() const { check(remaining() == 0, "input goes on after its end"); }

private:
    // In one expression, which compilers turn into one load.
    static std::uint64_t big_endian(const std::uint8_t *b) noexcept
    {
        const auto at = [b](unsigned i) { return std::uint64_t{b[i]} << (56 - 8 * i); };
        return at(0) | at(1) | at(2) | at(3) | at(4) | at(5) | at(6) | at(7);
    }

    std::span<const std::uint8_t> input_;
    std::size_t position_ = 0;
};

} // namespace gravitas::telemetry::core
