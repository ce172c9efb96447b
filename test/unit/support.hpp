// What the tests of the core share: a strict memory resource, random events, encoding in one call.

#pragma once

#include "core/figures.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory_resource>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry::core::test {

using Bytes = std::vector<std::uint8_t>;

// Frees everything at its end, as a memory context does, aligns to 8 bytes and not to 16, as palloc does, and can be
// told to run out.
class Context : public std::pmr::memory_resource {
public:
    ~Context() override
    {
        for (const auto &[place, size] : blocks_)
            std::free(static_cast<char *>(place) - 8);
    }

    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t peak() const { return peak_; }
    [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
    void fail_after(std::size_t allocations) { allowed_ = allocations; }

private:
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        if (alignment > 8 || allowed_ == 0)
            throw std::bad_alloc{};
        --allowed_;
        char *block = static_cast<char *>(std::malloc(size + 8));
        if (block == nullptr)
            throw std::bad_alloc{};
        blocks_[block + 8] = size;
        used_ += size;
        peak_ = std::max(peak_, used_);
        return block + 8;
    }
    void do_deallocate(void *place, std::size_t size, std::size_t) override
    {
        const auto block = blocks_.find(place);
        if (block == blocks_.end() || block->second != size)
            std::abort();
        used_ -= size;
        blocks_.erase(block);
        std::free(static_cast<char *>(place) - 8);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

    std::map<void *, std::size_t> blocks_;
    std::size_t used_ = 0;
    std::size_t peak_ = 0;
    std::size_t allowed_ = static_cast<std::size_t>(-1);
};

// Of a Sketch or a Summary.
template <typename Encodable>
Bytes encoded(const Encodable &encodable)
{
    Bytes bytes(encodable.encode({}));
    bytes.resize(encodable.encode(bytes));
    return bytes;
}

template <typename Encodable>
std::string text_of(const Encodable &encodable)
{
    Context memory;
    const Array<char> text = encodable.to_text(memory);
    return {text.begin(), text.end()};
}

// The kind of the Error that an action throws.
template <typename Action>
ErrorKind error_of(Action action)
{
    try {
        action();
    } catch (const Error &error) {
        return error.kind();
    }
    throw std::logic_error{"no error was thrown"};
}

using Random = std::mt19937_64;

inline std::size_t below(Random &random, std::size_t end) { return static_cast<std::size_t>(random() % end); }

// Lognormal magnitudes of some spread, now and then negative, zero or far away.
inline double random_value(Random &random)
{
    const double magnitude = std::exp(std::normal_distribution<double>{3, 0.8}(random));
    switch (below(random, 40)) {
    case 0:
        return 0;
    case 1:
        return -magnitude;
    case 2:
        return magnitude * 1e-9;
    case 3:
        return magnitude * 1e12;
    default:
        return magnitude;
    }
}

// Any kind of event, with anything absent; a thought mostly.
inline Observation random_observation(Random &random)
{
    Observation event;
    const std::size_t kind = below(random, 10);
    event.kind = kind == 0 ? EventKind::other : kind == 1 ? EventKind::load : EventKind::thought;
    event.is_error = below(random, 12) == 0;
    event.at = static_cast<std::int64_t>(random() % 5'184'000'000'000);
    if (below(random, 20) > 0)
        event.duration_ms = std::abs(random_value(random));
    if (below(random, 3) > 0)
        event.first_token_ms = event.duration_ms.value_or(50) * static_cast<double>(below(random, 110)) / 100;
    if (below(random, 20) > 0)
        event.prompt_tokens = static_cast<std::int32_t>(below(random, 4000));
    if (below(random, 20) > 0)
        event.tokens_generated = static_cast<std::int32_t>(below(random, below(random, 15) == 0 ? 2 : 900));
    if (event.kind == EventKind::thought && event.duration_ms && event.tokens_generated.value_or(0) > 0)
        event.value = *event.duration_ms / *event.tokens_generated;
    else if (below(random, 3) > 0)
        event.value = random_value(random);
    return event;
}

inline std::vector<Observation> random_observations(Random &random, std::size_t count)
{
    std::vector<Observation> events;
    for (std::size_t i = 0; i < count; ++i)
        events.push_back(random_observation(random));
    return events;
}

// A scored thought.
inline Observation thought(double duration_ms, std::int32_t tokens, std::int64_t at = 0)
{
    Observation event;
    event.kind = EventKind::thought;
    event.at = at;
    event.duration_ms = duration_ms;
    event.tokens_generated = tokens;
    event.value = duration_ms / tokens;
    return event;
}

inline Summary summary_of(const std::vector<Observation> &events, std::pmr::memory_resource &memory)
{
    Summary summary{memory};
    for (const Observation &event : events)
        summary.add(event);
    return summary;
}

inline Sketch sketch_of(const std::vector<double> &values, std::pmr::memory_resource &memory)
{
    Sketch sketch{memory};
    for (const double value : values)
        sketch.add(value);
    return sketch;
}

// Applies `check` to every proper prefix of `bytes` and to `bytes` with each single bit flipped.
template <typename Check>
void for_each_damage(const Bytes &bytes, Check check)
{
    for (std::size_t length = 0; length < bytes.size(); ++length)
        check(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)));
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes damaged = bytes;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        check(damaged);
    }
}

} // namespace gravitas::telemetry::core::test
