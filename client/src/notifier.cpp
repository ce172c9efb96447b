#include "notifier.hpp"

namespace gravitas::telemetry {

bool Notifier::report(Topic topic, const Error &error) noexcept
{
    if (!begin(topic))
        return false;
    try {
        on_error_(error);
    } catch (...) {
        // There is nobody left to tell.
    }
    const std::lock_guard lock(mutex_);
    running_ = false;
    changed_.notify_all();
    return true;
}

bool Notifier::begin(Topic topic) noexcept
{
    if (!is_ready(topic))
        return false;
    const std::lock_guard lock(mutex_);
    if (silenced_)
        return false;
    quiet_until_[static_cast<std::size_t>(topic)] = SteadyClock::now() + std::chrono::seconds(1);
    running_ = true;
    return true;
}

void Notifier::silence() noexcept
{
    std::unique_lock lock(mutex_);
    silenced_ = true;
    changed_.wait(lock, [this] { return !running_; });
}

} // namespace gravitas::telemetry
