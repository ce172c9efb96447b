// A client whose events must all be stored.

#pragma once

#include <gravitas/telemetry.hpp>

#include <functional>
#include <mutex>
#include <string>

namespace demo {

class StoringClient {
public:
    StoringClient();

    gravitas::telemetry::Client &client() noexcept { return client_; }

    // Waits while the queue is so full that the next events could be dropped. `stored` is told how far it is.
    void wait_for_room(const std::function<void(std::uint64_t)> &stored);
    // Waits until everything is stored; throws std::runtime_error, with the last background error, if an event was
    // dropped or refused, or if nothing moves any more.
    void store_all(const std::function<void(std::uint64_t)> &stored);

private:
    void wait_until_queued_is(std::uint64_t at_most, const std::function<void(std::uint64_t)> &stored);
    [[nodiscard]] std::string last_error();

    std::mutex mutex_;
    std::string last_error_;
    gravitas::telemetry::Client client_;
};

} // namespace demo
