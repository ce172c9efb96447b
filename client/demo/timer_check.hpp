// How good is the timer that every latency is measured with: start_timer() and measure_latency()?

#pragma once

namespace demo {

struct TimerCheck {
    double resolution_us = 0;        // smallest step ever seen between two readings
    double by_timer_s = 0;           // the same interval, by the timer …
    double by_free_running_s = 0;    // … by CLOCK_MONOTONIC_RAW: the hardware counter, which nobody corrects …
    double by_wall_clock_s = 0;      // … and by CLOCK_REALTIME: set right from outside, where NTP runs
    bool wall_clock_was_set = false; // it jumped meanwhile and says nothing about the interval
    double error_percent = 0;        // the timer against the one of the two that differs more
};

// Takes `interval_s` seconds.
TimerCheck check_timer(double interval_s);

} // namespace demo
