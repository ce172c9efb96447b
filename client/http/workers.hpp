// The threads that answer, and what waits for them.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gravitas::telemetry::http {

struct Reply {
    std::string bytes;
    bool is_last = false; // the connection ends with it
};

// Makes a reply of a request. Called by several threads at once; throws nothing.
class Answerer {
public:
    virtual ~Answerer() = default;
    virtual Reply answer(const std::string &head, std::string body) = 0;
    // To what is no request; the last reply.
    virtual std::string refuse(int status, const std::string &reason) = 0;
};

class Workers {
public:
    struct Job {
        std::uint64_t peer;
        std::string head;
        std::string body;
    };
    struct Done {
        std::uint64_t peer;
        Reply reply;
    };

    // Tells whoever waits for replies that there is one.
    Workers(int threads, Answerer &answerer, std::function<void()> notify);
    ~Workers(); // those at work come to their end
    Workers(const Workers &) = delete;
    Workers &operator=(const Workers &) = delete;

    void add(Job job);
    std::vector<Done> take_done();

private:
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        Job job;
        Clock::time_point since;
    };
    void work();

    Answerer &answerer_;
    std::function<void()> notify_;
    std::mutex mutex_;
    std::condition_variable added_;
    std::deque<Waiting> waiting_;
    std::vector<Done> done_;
    bool is_ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace gravitas::telemetry::http
