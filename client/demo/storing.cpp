#include "storing.hpp"

#include "progress.hpp"

#include <chrono>
#include <stdexcept>

namespace demo {

namespace telemetry = gravitas::telemetry;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t queue_capacity = 65'536;
constexpr std::uint64_t queue_full_enough = queue_capacity / 2;
constexpr auto patience = 30s; // without a single event being stored

telemetry::Options options(std::function<void(const telemetry::Error &)> on_error)
{
    telemetry::Options options;
    options.queue_capacity = queue_capacity;
    options.on_error = std::move(on_error);
    return options;
}

} // namespace

StoringClient::StoringClient()
    : client_(options([this](const telemetry::Error &error) {
          const std::lock_guard lock(mutex_);
          last_error_ = error.what();
      }))
{
}

std::string StoringClient::last_error()
{
    const std::lock_guard lock(mutex_);
    return last_error_.empty() ? "" : ": " + last_error_;
}

void StoringClient::wait_until_queued_is(std::uint64_t at_most, const std::function<void(std::uint64_t)> &stored)
{
    auto account = client_.account();
    auto last_moved = std::chrono::steady_clock::now();
    while (account.queued > at_most) {
        (void)client_.flush(50ms);
        const auto now = client_.account();
        if (now.queued != account.queued)
            last_moved = std::chrono::steady_clock::now();
        else if (std::chrono::steady_clock::now() - last_moved > patience)
            throw std::runtime_error("the database takes no more events" + last_error());
        account = now;
        stored(account.stored);
    }
}

void StoringClient::wait_for_room(const std::function<void(std::uint64_t)> &stored)
{
    if (client_.account().queued >= queue_full_enough)
        wait_until_queued_is(queue_full_enough / 2, stored);
}

void StoringClient::store_all(const std::function<void(std::uint64_t)> &stored)
{
    wait_until_queued_is(0, stored);
    const auto account = client_.account();
    stored(account.stored);
    if (account.stored != account.accepted)
        throw std::runtime_error("of " + grouped(account.accepted) + " events, " + grouped(account.dropped) +
                                 " were dropped and " + grouped(account.refused) + " refused" + last_error());
}

} // namespace demo
