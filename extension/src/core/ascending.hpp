// A short sorted list on the stack.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace gravitas::telemetry::core {

template <typename T, std::size_t most>
class Ascending {
public:
    // At most `most` times.
    void insert(const T &element) noexcept
    {
        const auto end = elements_.begin() + static_cast<std::ptrdiff_t>(size_++);
        const auto place = std::upper_bound(elements_.begin(), end, element);
        std::move_backward(place, end, end + 1);
        *place = element;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const T *begin() const noexcept { return elements_.data(); }
    [[nodiscard]] const T *end() const noexcept { return elements_.data() + size_; }
    [[nodiscard]] const T &operator[](std::size_t i) const noexcept { return elements_[i]; }

private:
    std::array<T, most> elements_;
    std::size_t size_ = 0;
};

} // namespace gravitas::telemetry::core
