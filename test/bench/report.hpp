// The table: one row for each work that was measured.

#pragma once

#include "measure.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

// The most that the median may be, and the most that it may be of the reference's; or, where more is better, the least.
struct Target {
    std::optional<double> figure = {};
    std::optional<double> ratio = {};
    std::optional<double> least_ratio = {};
};

struct Row {
    std::string work;
    Samples product;
    std::string reference; // its name, or what else there is to say
    Samples reference_figure;
    Target target;
    std::string unit = "ms";
};

class Report {
public:
    explicit Report(std::string head) : head_(std::move(head)) {}

    void add(const Row &row);
    // A row without figures.
    void say(const std::string &work, const std::string &text);

    [[nodiscard]] std::string text() const; // Markdown that also reads well as it is

private:
    using Cells = std::vector<std::string>;
    std::string head_;
    std::vector<Cells> rows_;
    int targets_ = 0;
    int missed_ = 0;
};

std::string grouped(double number); // 12345.6 → "12,346"

// Tells standard error what is going on, where it takes long.
void progress(const std::string &what);
// The same of a step among many, unless something was told within the last two seconds.
void progress_of_step(const std::string &what);

} // namespace bench
