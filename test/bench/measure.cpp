#include "measure.hpp"

#include <algorithm>
#include <chrono>

namespace bench {

double Samples::minimum() const { return *std::min_element(values_.begin(), values_.end()); }
double Samples::maximum() const { return *std::max_element(values_.begin(), values_.end()); }

double Samples::median() const
{
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

std::vector<Samples> alternate(int runs, double seconds, const std::vector<Measurement> &measurements)
{
    using Clock = std::chrono::steady_clock;
    constexpr int fewest_runs = 5;
    for (const Measurement &measurement : measurements)
        measurement();
    std::vector<Samples> samples(measurements.size());
    const Clock::time_point start = Clock::now();
    for (int run = 0; run < runs; ++run) {
        if (run >= fewest_runs && Clock::now() - start > std::chrono::duration<double>(seconds))
            break;
        for (std::size_t i = 0; i < measurements.size(); ++i)
            samples[i].add(measurements[i]());
    }
    return samples;
}

} // namespace bench
