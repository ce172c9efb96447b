// Somebody who logs while something else is going on, and how long that makes them wait.

#pragma once

#include "measure.hpp"

#include <atomic>
#include <exception>
#include <string>
#include <thread>

namespace bench {

// Logs 1,000 events a second from a thread of its own, each in a statement of its own, until it is stopped.
class SteadyWriter {
public:
    // `event_time` is an expression of SQL.
    SteadyWriter(const std::string &database, const std::string &event_time);
    ~SteadyWriter();
    SteadyWriter(const SteadyWriter &) = delete;
    SteadyWriter &operator=(const SteadyWriter &) = delete;

    // Milliseconds of each statement. Throws what the writer failed with.
    Samples stop();

private:
    void write(const std::string &database, const std::string &event_time);

    std::atomic<bool> stops_ = false;
    std::exception_ptr failure_;
    Samples waits_;
    std::thread thread_;
};

// The longest statement of such a writer while nothing else is going on.
double longest_wait_alone(const std::string &database, const std::string &event_time);

} // namespace bench
