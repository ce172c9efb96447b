#include "steady_writer.hpp"

#include "database.hpp"

#include <chrono>

namespace bench {

SteadyWriter::SteadyWriter(const std::string &database, const std::string &event_time)
    : thread_([this, database, event_time] {
          try {
              write(database, event_time);
          } catch (...) {
              failure_ = std::current_exception();
          }
      })
{
}

SteadyWriter::~SteadyWriter()
{
    stops_ = true;
    if (thread_.joinable())
        thread_.join();
}

void SteadyWriter::write(const std::string &database, const std::string &event_time)
{
    using Clock = std::chrono::steady_clock;
    Connection connection(database);
    connection.prepare("log",
                       "SELECT telemetry.log_thought_latency($1, 2.5, 100, 100, event_time => " + event_time + ")");
    connection.run_prepared("log", {"model-0"});
    for (Clock::time_point due = Clock::now(); !stops_; due += std::chrono::milliseconds(1)) {
        std::this_thread::sleep_until(due);
        const Clock::time_point start = Clock::now();
        connection.run_prepared("log", {"model-" + std::to_string(waits_.size() % 10)});
        waits_.add(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
}

Samples SteadyWriter::stop()
{
    stops_ = true;
    thread_.join();
    if (failure_)
        std::rethrow_exception(failure_);
    return waits_;
}

double longest_wait_alone(const std::string &database, const std::string &event_time)
{
    SteadyWriter writer(database, event_time);
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return writer.stop().maximum();
}

} // namespace bench
