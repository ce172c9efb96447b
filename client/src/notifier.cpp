#include "notifier.hpp"

namespace gravitas::telemetry {

void Notifier::report(const Error &error) noexcept
{
    if (!begin())
        return;
    try {
        on_error_(error);
    } catch (...) {
        // There is nobody left to tell.
    }
    const std::lock_guard lock(mutex_);
    running_ = false;
    changed_.notify_all();
}

bool Notifier::begin() noexcept
{
    const auto now = SteadyClock::now();
    if (!on_error_ || (quiet_until_ && now < *quiet_until_))
        return false;
    const std::lock_guard lock(mutex_);
    if (silenced_)
        return false;
    quiet_until_ = now + std::chrono::seconds(1);
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
