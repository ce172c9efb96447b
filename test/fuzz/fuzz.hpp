// What the fuzz targets share. A target is a libFuzzer entry point; with replay.cpp instead of libFuzzer it runs over
// files.

#pragma once

#include "core/array.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace gravitas::telemetry::core::fuzz {

using Bytes = std::vector<std::uint8_t>;

inline void require(bool holds)
{
    if (!holds)
        std::abort();
}

// Memory in proportion to the input: taking more is a finding.
class Bounded : public std::pmr::memory_resource {
public:
    explicit Bounded(std::size_t limit) : limit_(limit) {}

private:
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        used_ += size;
        require(used_ <= limit_);
        return blocks_.allocate(size, alignment);
    }
    void do_deallocate(void *place, std::size_t size, std::size_t alignment) override
    {
        used_ -= size;
        blocks_.deallocate(place, size, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

    std::pmr::unsynchronized_pool_resource blocks_;
    std::size_t limit_;
    std::size_t used_ = 0;
};

template <typename Encodable>
Bytes encoded(const Encodable &encodable)
{
    Bytes bytes(encodable.encode({}));
    bytes.resize(encodable.encode(bytes));
    return bytes;
}

// Either throws Error or is the decoding of just these bytes, which text keeps exactly.
template <typename Encodable>
void decode_bytes(const std::uint8_t *data, std::size_t size)
{
    const std::span<const std::uint8_t> input{data, size};
    Bounded memory{20 * size + 4096};
    std::pmr::unsynchronized_pool_resource scratch;
    try {
        const Encodable decoded = Encodable::decode(input, memory);
        const Bytes bytes = encoded(decoded);
        require(Bytes(data, data + size) == bytes);
        const Array<char> text = decoded.to_text(scratch);
        require(encoded(Encodable::from_text({text.data(), text.size()}, scratch)) == bytes);
        Encodable doubled = Encodable::decode(input, scratch);
        doubled.merge(decoded);
        doubled.merge_encoded(bytes);
        require(encoded(Encodable::decode(encoded(doubled), scratch)) == encoded(doubled));
    } catch (const Error &error) {
        require(error.position() <= size);
    }
    try { // merging checks less, but must be as safe
        Encodable merged{scratch};
        merged.merge_encoded(input);
        (void)encoded(merged);
    } catch (const Error &) {
    }
}

// Either throws Error or is something that both forms keep exactly.
template <typename Encodable>
void read_text(const std::uint8_t *data, std::size_t size)
{
    Bounded memory{80 * size + 40'000};
    std::pmr::unsynchronized_pool_resource scratch;
    try {
        const Encodable read = Encodable::from_text({reinterpret_cast<const char *>(data), size}, memory);
        const Bytes bytes = encoded(read);
        require(encoded(Encodable::decode(bytes, scratch)) == bytes);
        const Array<char> text = read.to_text(scratch);
        require(encoded(Encodable::from_text({text.data(), text.size()}, scratch)) == bytes);
    } catch (const Error &error) {
        require(error.position() <= size);
    }
}

} // namespace gravitas::telemetry::core::fuzz
