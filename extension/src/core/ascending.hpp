// A short sorted list on the stack.

#pragma once

#include <array>
#include <cstddef>

namespace gravitas::telemetry::core {

template <typename T, std::size_t most>
class Ascending {
public:
    // At most `most` times.
    void insert(const T &element) noexcept
    {
        std::size_t place = size_++;
        for (; place > 0 && element < elements_[place - 1]; --place)
            elements_[place] = elements_[place - 1];
        elements_[place] = element;
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
