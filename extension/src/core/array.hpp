// A growable array without a destructor.
//
// The states of aggregates live in a memory context that is dropped as a whole, also by an error that skips
// destructors. So their containers own nothing: memory comes from the resource given to each call and goes
// back when the array grows, by `release`, or with the resource.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <new>
#include <span>
#include <type_traits>

namespace gravitas::telemetry::core {

template <typename T>
class Array {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    Array() = default;
    // A moved-from array still points at the same memory and must not be used. Copies would, too: there are none.
    Array(Array &&) = default;
    Array &operator=(Array &&) = default;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T *data() noexcept { return data_; }
    [[nodiscard]] const T *data() const noexcept { return data_; }
    [[nodiscard]] T *begin() noexcept { return data_; }
    [[nodiscard]] T *end() noexcept { return data_ + size_; }
    [[nodiscard]] const T *begin() const noexcept { return data_; }
    [[nodiscard]] const T *end() const noexcept { return data_ + size_; }
    [[nodiscard]] T &operator[](std::size_t i) noexcept { return data_[i]; }
    [[nodiscard]] const T &operator[](std::size_t i) const noexcept { return data_[i]; }
    [[nodiscard]] std::span<const T> span() const noexcept { return {data_, size_}; }

    // Room for `capacity` elements in all. Throws std::bad_alloc and then changes nothing.
    void reserve(std::size_t capacity, std::pmr::memory_resource &memory)
    {
        if (capacity <= capacity_)
            return;
        if (capacity > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T))
            throw std::bad_alloc{};
        T *grown = static_cast<T *>(memory.allocate(capacity * sizeof(T), alignof(T)));
        if (size_ > 0)
            std::memcpy(static_cast<void *>(grown), data_, size_ * sizeof(T));
        if (data_)
            memory.deallocate(data_, capacity_ * sizeof(T), alignof(T));
        data_ = grown;
        capacity_ = capacity;
    }

    // Inserts before position `at` (at most size()). Capacity doubles.
    void insert(std::size_t at, T element, std::pmr::memory_resource &memory)
    {
        if (size_ == capacity_)
            reserve(std::max<std::size_t>(1, 2 * capacity_), memory);
        if (at < size_)
            std::memmove(static_cast<void *>(data_ + at + 1), data_ + at, (size_ - at) * sizeof(T));
        data_[at] = element;
        ++size_;
    }

    void push_back(T element, std::pmr::memory_resource &memory) { insert(size_, element, memory); }

    // Appends a run of elements that does not lie in this array.
    void append(const T *elements, std::size_t count, std::pmr::memory_resource &memory)
    {
        if (count > capacity_ - size_)
            reserve(std::max(size_ + count, 2 * capacity_), memory);
        if (count > 0)
            std::memcpy(static_cast<void *>(data_ + size_), elements, count * sizeof(T));
        size_ += count;
    }

    // Returns the memory; the array is empty afterwards.
    void release(std::pmr::memory_resource &memory) noexcept
    {
        if (data_)
            memory.deallocate(data_, capacity_ * sizeof(T), alignof(T));
        data_ = nullptr;
        size_ = capacity_ = 0;
    }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace gravitas::telemetry::core
