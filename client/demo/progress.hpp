// Numbers and progress for people.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace demo {

// 12345 → "12,345"
std::string grouped(std::uint64_t number);

// One line that redraws itself on a terminal; elsewhere a plain line now and then.
class Progress {
public:
    Progress(std::string what, std::uint64_t total);
    void show(std::uint64_t done);
    void finish();

private:
    void draw_bar() const;
    void print_line() const;

    using SteadyClock = std::chrono::steady_clock;
    std::string what_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    bool on_terminal_;
    SteadyClock::time_point last_shown_ = SteadyClock::now();
};

} // namespace demo
