// What one actor draws. It is that actor's own, so that a run with the same seed makes the same choices, however the
// threads take turns.

#pragma once

#include <initializer_list>
#include <iterator>
#include <random>
#include <string_view>

namespace gravitas::telemetry::torture {

class Random {
public:
    Random(std::uint64_t seed, int chapter, std::string_view actor)
    {
        std::vector<std::uint32_t> words = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                                            static_cast<std::uint32_t>(chapter)};
        words.insert(words.end(), actor.begin(), actor.end());
        std::seed_seq sequence(words.begin(), words.end());
        engine_.seed(sequence);
    }

    // Both ends included.
    int between(int low, int high) { return std::uniform_int_distribution(low, high)(engine_); }
    bool one_in(int count) { return between(1, count) == 1; }
    template <typename Values>
    const auto &one_of(const Values &values)
    {
        return *std::next(std::begin(values), between(0, static_cast<int>(std::size(values)) - 1));
    }
    const char *one_of(std::initializer_list<const char *> values)
    {
        return *(values.begin() + between(0, static_cast<int>(values.size()) - 1));
    }

private:
    std::mt19937_64 engine_;
};

} // namespace gravitas::telemetry::torture
