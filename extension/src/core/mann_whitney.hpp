// Are the values of one sketch larger than those of another? The rank test of Mann and Whitney, on buckets.

#pragma once

#include "core/sketch.hpp"

#include <optional>

namespace gravitas::telemetry::core {

struct RankComparison {
    // P(x > y) + P(x = y) / 2 for an x of the first sketch and a y of the second one: 0.5 where neither is larger.
    // U / (m n) of Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than
    // the Other" (1947); measure A of Vargha and Delaney, "A Critique and Improvement of the CL Common Language Effect
    // Size Statistics" (2000), who call 0.56 a small, 0.64 a medium and 0.71 a large effect.
    double superiority;
    // How many standard deviations of U that is away from 0.5, were both of one distribution; corrected for ties, since
    // values of one bucket are: Lehmann, "Nonparametrics: Statistical Methods Based on Ranks" (1975), section 1.4.
    // Positive where the first one is larger. Good for some 10 values and more of each.
    double z;
};

// Nothing where one of them is empty. Values of one bucket, which are within 1.1 %, are taken for equal.
[[nodiscard]] std::optional<RankComparison> compare_ranks(const Sketch &first, const Sketch &second);

} // namespace gravitas::telemetry::core
