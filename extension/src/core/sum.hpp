// Sums that hardly depend on the order of their parts.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace gravitas::telemetry::core {

// A compensated sum of doubles (Neumaier; the error term by Knuth's TwoSum): what rounding takes from `high` is
// kept in `low`. Far within 1e-9 of the sum of magnitudes for any number of terms; differently ordered sums and merges
// agree but for a last bit, rarely. A sum that has left the range of doubles is unknown from then on.
class Sum {
public:
    Sum() = default;
    // Of two parts as high() and low() gave them.
    Sum(double high, double low) noexcept : high_(high), low_(low) {}

    void add(double x) noexcept
    {
        const double total = high_ + x;
        const double taken = total - high_;
        low_ += (high_ - (total - taken)) + (x - taken);
        high_ = total;
    }
    void add(Sum other) noexcept
    {
        add(other.high_);
        low_ += other.low_;
    }

    [[nodiscard]] bool known() const noexcept { return std::isfinite(high_ + low_); }
    [[nodiscard]] std::optional<double> value() const noexcept
    {
        return known() ? std::optional{high_ + low_} : std::nullopt;
    }

    // The sum in its one normal form: high is the sum as a double, low what that leaves over; an unknown one is NaN, 0.
    // Neither is ever -0.
    [[nodiscard]] Sum normal() const noexcept
    {
        if (!known())
            return {std::numeric_limits<double>::quiet_NaN(), 0};
        const double total = high_ + low_;
        const double taken = total - high_;
        return {total + 0.0, (high_ - (total - taken)) + (low_ - taken) + 0.0};
    }
    [[nodiscard]] double high() const noexcept { return high_; }
    [[nodiscard]] double low() const noexcept { return low_; }

    // Equal in normal form.
    [[nodiscard]] friend bool operator==(const Sum &a, const Sum &b) noexcept
    {
        const Sum left = a.normal();
        const Sum right = b.normal();
        return (left.high_ == right.high_ && left.low_ == right.low_) || (!left.known() && !right.known());
    }

private:
    double high_ = 0;
    double low_ = 0;
};

// An unsigned 128-bit integer for sums of products of token counts: 2^62 each, so 64 bits overflow after four.
// Two words rather than __int128, which palloc would not align.
struct WideCount {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    void add(std::uint64_t x) noexcept
    {
        low += x;
        high += low < x ? 1 : 0;
    }
    void add(WideCount other) noexcept
    {
        add(other.low);
        high += other.high;
    }
    [[nodiscard]] friend bool operator==(const WideCount &, const WideCount &) = default;
};

} // namespace gravitas::telemetry::core
