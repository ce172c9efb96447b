#pragma once

#include "deadline.hpp"

#include <atomic>
#include <functional>

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

// What may cut a wait for the server short: a deadline that another thread sets, and then signals. And what else the
// waiting thread has to do meanwhile: `look_after` runs, on that thread, after a signal and at `look_at`.
struct Interrupt {
    Waker waker;
    std::atomic<Deadline> stop_at{never};
    std::function<void()> look_after = [] {};
    Deadline look_at = never;
};

} // namespace gravitas::telemetry
