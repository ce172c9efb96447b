#pragma once

#include <atomic>
#include <cstdint>

namespace gravitas::telemetry {

// How often this process, or one it comes from, was forked since the library was first used. Free to ask.
class ForkCount {
public:
    ForkCount(); // begins to count
    [[nodiscard]] static std::uint32_t now() noexcept { return count_.load(std::memory_order_relaxed); }

private:
    static inline std::atomic<std::uint32_t> count_{0};
};

} // namespace gravitas::telemetry
