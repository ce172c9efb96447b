#pragma once

#include "deadline.hpp"

#include <gravitas/telemetry.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

namespace gravitas::telemetry {

// Tells the user of errors: at most one a second, holding no lock, and whatever the user's function throws.
class Notifier {
public:
    explicit Notifier(std::function<void(const Error &)> on_error) : on_error_(std::move(on_error)) {}

    // From one thread. False where nobody was told: there is no function, or it was called within the last second.
    bool report(const Error &error) noexcept;
    [[nodiscard]] bool is_ready() const noexcept
    {
        return on_error_ && !(quiet_until_ && SteadyClock::now() < *quiet_until_);
    }
    // Afterwards the user's function neither runs nor will run.
    void silence() noexcept;

private:
    bool begin() noexcept;

    const std::function<void(const Error &)> on_error_;
    std::optional<Deadline> quiet_until_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool running_ = false;
    bool silenced_ = false;
};

} // namespace gravitas::telemetry
