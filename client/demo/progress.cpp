#include "progress.hpp"

#include <cstdio>
#include <unistd.h>

namespace demo {

namespace {

constexpr int bar_width = 40;
constexpr auto redraw_every = std::chrono::milliseconds{50};
constexpr auto print_every = std::chrono::seconds{2};

} // namespace

std::string grouped(std::uint64_t number)
{
    std::string digits = std::to_string(number);
    for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
        digits.insert(static_cast<std::size_t>(place), ",");
    return digits;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), on_terminal_(isatty(STDOUT_FILENO) != 0)
{
    if (on_terminal_)
        draw_bar();
}

void Progress::show(std::uint64_t done)
{
    done_ = done;
    const auto now = SteadyClock::now();
    if (now - last_shown_ < (on_terminal_ ? std::chrono::milliseconds{redraw_every} : print_every))
        return;
    last_shown_ = now;
    on_terminal_ ? draw_bar() : print_line();
}

void Progress::finish()
{
    if (on_terminal_) {
        draw_bar();
        std::printf("\n");
    } else {
        print_line();
    }
}

void Progress::draw_bar() const
{
    const int filled = total_ == 0 ? bar_width : static_cast<int>(done_ * bar_width / total_);
    const std::string bar = std::string(filled, '#') + std::string(bar_width - filled, '.');
    std::printf("\r  %s [%s] %s of %s\x1b[K", what_.c_str(), bar.c_str(), grouped(done_).c_str(),
                grouped(total_).c_str());
    std::fflush(stdout);
}

void Progress::print_line() const
{
    std::printf("  %s: %s of %s\n", what_.c_str(), grouped(done_).c_str(), grouped(total_).c_str());
}

} // namespace demo
