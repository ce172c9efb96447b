// One connection of somebody who asks.

#pragma once

#include "framing.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace gravitas::telemetry::http {

class Peer {
public:
    using Clock = std::chrono::steady_clock;
    enum class State {
        reading,   // a request, or waiting for the first byte of one
        answering, // somebody is at it
        writing,
        leaving, // all is said; what still comes is thrown away, so that the answer is not lost with it
        gone
    };

    explicit Peer(int socket) : socket_(socket) {}
    ~Peer();
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;

    [[nodiscard]] int socket() const { return socket_; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] Clock::time_point since() const { return since_; } // in this state, or reading this request
    [[nodiscard]] bool is_idle() const { return state_ == State::reading && received_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return received_.size() + unsent_.size(); }
    [[nodiscard]] short events() const; // that poll() is to wait for

    void receive();
    [[nodiscard]] Frame frame() const { return frame_of(received_); }
    // Takes a complete request out of what was received.
    void take(const Frame &frame, std::string &head, std::string &body);
    void write(std::string answer, bool is_last);
    void send();
    void leave();

private:
    void enter(State state);

    int socket_;
    State state_ = State::reading;
    Clock::time_point since_ = Clock::now();
    std::string received_;
    std::string unsent_;
    std::size_t sent_ = 0;
    bool is_last_ = false;
};

} // namespace gravitas::telemetry::http
