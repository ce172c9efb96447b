// The report: one row for each work that was measured, in sections, as Markdown and as JSON.

#pragma once

#include "machine.hpp"
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

// Of the medians; nothing without a reference.
std::optional<double> ratio_of(const Row &row);
bool has_target(const Row &row);
bool misses_target(const Row &row);

class Report {
public:
    explicit Report(Machine machine) : machine_(std::move(machine)) {}

    // Rows belong to the section that was begun last.
    void begin(const std::string &subject, const std::string &title);
    void add(Row row);
    // A row without figures: what was absent, for one.
    void say(const std::string &work, const std::string &text);
    // The section came to its end, after so long; with an error, to none.
    void end(double seconds, const std::string &error = "");
    [[nodiscard]] bool has_failed() const;

    [[nodiscard]] std::string text() const; // Markdown that also reads well as it is
    [[nodiscard]] std::string json() const;

private:
    struct Section {
        std::string subject, title;
        std::vector<Row> rows;
        std::string error;
        double seconds = 0;
    };

    Machine machine_;
    std::vector<Section> sections_;
};

std::string grouped(double number); // 12345.6 → "12,346"
std::string in_words(long number);  // 10000000 → "10 M", 20000 → "20,000"

// Tells standard error what is going on, where it takes long.
void progress(const std::string &what);
// The same of a step among many, unless something was told within the last two seconds.
void progress_of_step(const std::string &what);

} // namespace bench
