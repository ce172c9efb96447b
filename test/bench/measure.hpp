// Repeated measurements: alternating, and told as minimum, median and maximum.

#pragma once

#include <functional>
#include <vector>

namespace bench {

class Samples {
public:
    Samples() = default;
    Samples(std::initializer_list<double> values) : values_(values) {}

    void add(double value) { values_.push_back(value); }
    [[nodiscard]] bool empty() const { return values_.empty(); }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] double minimum() const;
    [[nodiscard]] double median() const;
    [[nodiscard]] double maximum() const;

private:
    std::vector<double> values_;
};

using Measurement = std::function<double()>;

// Takes each measurement once to warm up, then one after the other in turns: `runs` times, or for as many seconds, but
// five times at least.
std::vector<Samples> alternate(int runs, double seconds, const std::vector<Measurement> &measurements);

} // namespace bench
