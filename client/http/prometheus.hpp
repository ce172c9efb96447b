// The text that Prometheus reads: its own format 0.0.4, or OpenMetrics 1.0.0.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gravitas::telemetry::http {

class Exposition {
public:
    enum class Format { prometheus, open_metrics };
    enum class Type { counter, gauge, histogram, info };
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    explicit Exposition(Format format) : format_(format) {}

    // The samples that follow are of this family; name without a suffix.
    void family(std::string_view name, Type type, std::string_view help, std::string_view unit = {});
    // Suffix: that which the type asks for, or _bucket, _sum or _count of a histogram.
    void sample(std::string_view suffix, Labels labels, double value);
    void sample(std::string_view suffix, Labels labels, std::uint64_t value);

    // All of it; nothing follows.
    std::string finish() &&;
    [[nodiscard]] const char *content_type() const;

private:
    void begin_sample(std::string_view suffix, Labels labels);

    Format format_;
    std::string name_;
    std::string text_;
};

// As a number of a label must look: 1.0, 0.25.
std::string float_text(double value);

} // namespace gravitas::telemetry::http
