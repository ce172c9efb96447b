#pragma once

#include "deadline.hpp"

#include <atomic>

namespace gravitas::telemetry {

// Wakes one thread out of poll(). A signal given before the wait is not lost; several count as one.
class Waker {
public:
    Waker();
    ~Waker();
    Waker(const Waker &) = delete;
    Waker &operator=(const Waker &) = delete;

    void signal() noexcept;
    void wait_until(Deadline deadline) noexcept;
    void clear() noexcept;
    [[nodiscard]] int descriptor() const noexcept { return read_end_; }

private:
    int read_end_;
    int write_end_;
};

// What may cut a wait for the server short: a deadline that another thread sets, and then signals.
struct Interrupt {
    Waker waker;
    std::atomic<Deadline> stop_at{never};
};

} // namespace gravitas::telemetry
