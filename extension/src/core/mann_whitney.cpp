#include "core/mann_whitney.hpp"

#include <cmath>
#include <map>

namespace gravitas::telemetry::core {

namespace {

// Counts of both sketches in one bucket.
struct Tied {
    double first = 0;
    double second = 0;
};

// By a key that orders buckets as their values are ordered: negative ones by falling magnitude, zero, positive ones.
using Ties = std::map<std::int64_t, Tied>;

constexpr std::int64_t past_all_indexes = std::int64_t{1} << 20; // indexes lie within ±69,000

void collect(const Sketch &sketch, double Tied::*side, Ties &ties)
{
    sketch.negative().for_each([&](std::int32_t index, std::uint64_t count) {
        ties[-past_all_indexes - index].*side += static_cast<double>(count);
    });
    if (sketch.zero_count() > 0)
        ties[0].*side += static_cast<double>(sketch.zero_count());
    sketch.positive().for_each([&](std::int32_t index, std::uint64_t count) {
        ties[past_all_indexes + index].*side += static_cast<double>(count);
    });
}

} // namespace

std::optional<RankComparison> compare_ranks(const Sketch &first, const Sketch &second)
{
    if (first.count() == 0 || second.count() == 0)
        return std::nullopt;
    Ties ties;
    collect(first, &Tied::first, ties);
    collect(second, &Tied::second, ties);

    const double m = static_cast<double>(first.count());
    const double n = static_cast<double>(second.count());
    const double all = m + n;
    double below = 0; // values of the second one in the buckets so far
    double wins = 0;  // U / (m n)
    double tied = 0;  // sum of (t³ - t) / (all³ - all)
    for (const auto &[key, tie] : ties) {
        wins += tie.first / m * ((below + tie.second / 2) / n);
        below += tie.second;
        const double t = tie.first + tie.second;
        tied += all > 1 ? (t / all) * ((t * t - 1) / (all * all - 1)) : 0;
    }
    const double variance = (all + 1) / (12 * m * n) * (1 - tied); // of wins
    return RankComparison{wins, variance > 0 ? (wins - 0.5) / std::sqrt(variance) : 0};
}

} // namespace gravitas::telemetry::core
