#include "peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace gravitas::telemetry::http {

Peer::~Peer() { close(socket_); }

short Peer::events() const
{
    switch (state_) {
    case State::reading:
    case State::leaving:
        return POLLIN;
    case State::writing:
        return POLLOUT;
    default:
        return 0;
    }
}

void Peer::receive()
{
    char buffer[16384];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0)
        return enter(State::gone);
    if (state_ == State::leaving)
        return;
    if (received_.empty())
        since_ = Clock::now();
    received_.append(buffer, static_cast<std::size_t>(count));
}

void Peer::take(const Frame &frame, std::string &head, std::string &body)
{
    head.assign(received_, 0, frame.head_bytes);
    body.assign(received_, frame.head_bytes, frame.body_bytes);
    received_.erase(0, frame.head_bytes + frame.body_bytes);
    enter(State::answering);
}

void Peer::write(std::string answer, bool is_last)
{
    unsent_ = std::move(answer);
    sent_ = 0;
    is_last_ = is_last;
    enter(State::writing);
    send();
}

void Peer::send()
{
    while (sent_ < unsent_.size()) {
        const ssize_t count = ::send(socket_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            return enter(State::gone);
        sent_ += static_cast<std::size_t>(count);
    }
    unsent_ = {};
    is_last_ ? leave() : enter(State::reading);
}

void Peer::leave()
{
    shutdown(socket_, SHUT_WR);
    enter(State::leaving);
}

void Peer::enter(State state)
{
    state_ = state;
    since_ = Clock::now();
}

} // namespace gravitas::telemetry::http
