#pragma once

#include "deadline.hpp"

#include <gravitas/telemetry.hpp>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

namespace gravitas::telemetry {

// Tells the user of errors: of each topic at most one a second, holding no lock, and whatever the user's function
// throws.
class Notifier {
public:
    // What floods does not drown the rest.
    enum class Topic : std::size_t { server, events, drops, spill_file };

    explicit Notifier(std::function<void(const Error &)> on_error) : on_error_(std::move(on_error)) {}

    // From one thread. False where nobody was told: there is no function, or it was called within the last second.
    bool report(Topic topic, const Error &error) noexcept;
    [[nodiscard]] bool is_ready(Topic topic) const noexcept
    {
        const std::optional<Deadline> &quiet_until = quiet_until_[static_cast<std::size_t>(topic)];
        return on_error_ && !(quiet_until && SteadyClock::now() < *quiet_until);
    }
    // Afterwards the user's function neither runs nor will run.
    void silence() noexcept;

private:
    bool begin(Topic topic) noexcept;

    const std::function<void(const Error &)> on_error_;
    std::array<std::optional<Deadline>, 4> quiet_until_; // by topic
    std::mutex mutex_;
    std::condition_variable changed_;
    bool running_ = false;
    bool silenced_ = false;
};

} // namespace gravitas::telemetry
