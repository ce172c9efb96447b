#include "core/sketch.hpp"

#include <algorithm>
#include <cmath>

namespace gravitas::telemetry::core {

namespace {

void check_room(std::uint64_t present, std::uint64_t added)
{
    if (added > largest_count - present)
        throw Error{ErrorKind::overflow, "sketch would count more than 2^63 - 1 values"};
}

void merge_extent(Extent &extent, const Extent &other) noexcept
{
    if (other.count == 0)
        return;
    extent.minimum = extent.count == 0 ? other.minimum : std::min(extent.minimum, other.minimum);
    extent.maximum = extent.count == 0 ? other.maximum : std::max(extent.maximum, other.maximum);
    extent.count += other.count;
}

} // namespace

void Sketch::add(double value, std::uint64_t count)
{
    if (!std::isfinite(value))
        throw Error{ErrorKind::out_of_range, "value is not a finite number"};
    check_room(extent_.count, count);
    if (count > 0)
        add_unchecked(value + 0.0, count); // -0 becomes 0
}

void Sketch::merge(const Sketch &other)
{
    check_room(extent_.count, other.extent_.count);
    negative_.merge(other.negative_, *memory_);
    positive_.merge(other.positive_, *memory_);
    zeros_ += other.zeros_;
    merge_extent(extent_, other.extent_);
}

void Sketch::merge(const EncodedSketch &other)
{
    check_room(extent_.count, other.extent.count);
    negative_.merge(other.negative, *memory_);
    positive_.merge(other.positive, *memory_);
    zeros_ += other.zeros;
    merge_extent(extent_, other.extent);
}

std::uint64_t percentile_rank(double p, std::uint64_t count)
{
    if (!(p >= 0 && p <= 1))
        throw Error{ErrorKind::out_of_range, "percentile is not between 0 and 1"};
    const double rank = std::ceil(p * static_cast<double>(count));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count);
}

std::optional<double> Sketch::percentile(double p) const
{
    const std::uint64_t rank = percentile_rank(p, std::max<std::uint64_t>(1, count()));
    if (count() == 0)
        return std::nullopt;
    if (rank == 1)
        return extent_.minimum;
    if (rank == count())
        return extent_.maximum;
    const std::uint64_t negatives = negative_.total();
    double estimate = 0;
    if (rank <= negatives) // the smallest value has the largest magnitude
        estimate = -grid::representative(negative_.at_rank(negatives - rank + 1));
    else if (rank > negatives + zeros_)
        estimate = grid::representative(positive_.at_rank(rank - negatives - zeros_));
    return std::clamp(estimate, extent_.minimum, extent_.maximum);
}

std::optional<double> Sketch::rank(double x) const
{
    if (std::isnan(x))
        throw Error{ErrorKind::out_of_range, "value is not a number"};
    if (count() == 0)
        return std::nullopt;
    if (x < extent_.minimum)
        return 0.0;
    if (x >= extent_.maximum)
        return 1.0;
    std::uint64_t reached = negative_.total();
    if (x < 0)
        reached -= negative_.count_through(grid::index_of(-x) - 1);
    else
        reached += zeros_;
    if (x > 0)
        reached += positive_.count_through(grid::index_of(x));
    return static_cast<double>(reached) / static_cast<double>(count());
}

bool consistent(const Extent &extent, std::uint64_t zeros, const BucketRange &negative,
                const BucketRange &positive) noexcept
{
    if (extent.count == 0)
        return zeros == 0 && negative.total == 0 && positive.total == 0;
    if (extent.count - zeros - negative.total != positive.total || !(extent.minimum <= extent.maximum))
        return false;
    if (extent.count == 1 && extent.minimum != extent.maximum)
        return false;
    // The occupied bucket that an end of the range must lie in, or zero, by the signs that occur.
    const auto lies_in = [](double value, const BucketRange &range, bool at_top) {
        return range.total > 0 && grid::index_of(std::abs(value)) == (at_top ? range.highest : range.lowest);
    };
    const bool minimum_fits = extent.minimum < 0 ? lies_in(extent.minimum, negative, true)
                              : extent.minimum == 0
                                  ? negative.total == 0 && zeros > 0
                                  : negative.total == 0 && zeros == 0 && lies_in(extent.minimum, positive, false);
    const bool maximum_fits = extent.maximum > 0 ? lies_in(extent.maximum, positive, true)
                              : extent.maximum == 0
                                  ? positive.total == 0 && zeros > 0
                                  : positive.total == 0 && zeros == 0 && lies_in(extent.maximum, negative, false);
    return minimum_fits && maximum_fits;
}

void Sketch::release() noexcept
{
    negative_.release(*memory_);
    positive_.release(*memory_);
    *this = Sketch{*memory_};
}

} // namespace gravitas::telemetry::core
