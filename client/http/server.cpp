#include "server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gravitas::telemetry::http {

namespace {

constexpr int backlog = 128;
constexpr int tick_ms = 100; // how often deadlines are looked at

[[noreturn]] void fail(const std::string &what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

// The length of the address, or 0 where it is none.
socklen_t read_address(const std::string &text, int port, Address &address)
{
    address = {};
    if (inet_pton(AF_INET, text.c_str(), &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(static_cast<std::uint16_t>(port));
        return sizeof address.v4;
    }
    if (inet_pton(AF_INET6, text.c_str(), &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(static_cast<std::uint16_t>(port));
        return sizeof address.v6;
    }
    return 0;
}

int listen_on(const std::string &text, int port)
{
    Address address;
    const socklen_t length = read_address(text, port, address);
    if (length == 0)
        throw std::runtime_error("\"" + text + "\" is no numeric address");
    const int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        fail("cannot make a socket");
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, &address.any, length) != 0 || listen(listener, backlog) != 0) {
        const int error = errno;
        close(listener);
        errno = error;
        fail("cannot listen on " + text + " port " + std::to_string(port));
    }
    return listener;
}

int port_of(int listener)
{
    Address address;
    socklen_t length = sizeof address;
    if (getsockname(listener, &address.any, &length) != 0)
        fail("cannot find the port");
    return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

} // namespace

Server::Server(const std::string &address, int port, int workers, Answerer &answerer, Limits limits)
    : answerer_(answerer), limits_(limits), listener_(listen_on(address, port)),
      wakes_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), port_(port_of(listener_)),
      workers_(std::make_unique<Workers>(workers, answerer, [this] { wake(); }))
{
}

Server::~Server()
{
    workers_.reset();
    if (listener_ >= 0)
        close(listener_);
    close(wakes_);
}

void Server::stop() noexcept
{
    is_stopping_ = true;
    wake();
}

void Server::wake() noexcept
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wakes_, &one, sizeof one);
}

void Server::run()
{
    while (!has_begun_stopping_ || (!peers_.empty() && Clock::now() < stop_by_)) {
        wait();
        for (Workers::Done &done : workers_->take_done()) {
            const auto peer = peers_.find(done.peer);
            if (peer != peers_.end())
                write(done.peer, *peer->second, std::move(done.reply.bytes), done.reply.is_last);
        }
        end_late_ones();
        end_greedy_ones();
        if (is_stopping_ && !has_begun_stopping_)
            begin_stopping();
    }
    peers_.clear();
}

void Server::wait()
{
    std::vector<pollfd> sockets{{wakes_, POLLIN, 0}, {listener_, is_full_ ? short{0} : short{POLLIN}, 0}};
    std::vector<std::uint64_t> ids;
    for (const auto &[id, peer] : peers_) {
        sockets.push_back({peer->socket(), peer->events(), 0});
        ids.push_back(id);
    }
    const int ready = poll(sockets.data(), sockets.size(), tick_ms);
    is_full_ = false;
    if (ready <= 0)
        return;
    if (sockets[0].revents != 0) {
        std::uint64_t count;
        [[maybe_unused]] const ssize_t size = read(wakes_, &count, sizeof count);
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (sockets[i + 2].revents != 0)
            serve(ids[i], *peers_.at(ids[i]), sockets[i + 2].revents);
    }
    if (sockets[1].revents != 0)
        accept_all();
}

void Server::accept_all()
{
    for (int i = 0; i < backlog; ++i) {
        if (peers_.size() >= limits_.peers && !make_room()) {
            is_full_ = true;
            return;
        }
        const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) {
            if (errno == EMFILE || errno == ENFILE)
                make_room();
            return;
        }
        const int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peers_.emplace(++last_peer_, std::make_unique<Peer>(socket));
    }
}

// Ends the one that has been as it is for the longest, of those that may be ended.
template <typename May>
bool Server::end_longest(May may)
{
    auto longest = peers_.end();
    for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
        if (may(*peer->second) && (longest == peers_.end() || peer->second->since() < longest->second->since()))
            longest = peer;
    }
    if (longest == peers_.end())
        return false;
    peers_.erase(longest);
    return true;
}

// Those that are answered stay.
bool Server::make_room()
{
    return end_longest(
        [](const Peer &peer) { return peer.state() == Peer::State::reading || peer.state() == Peer::State::leaving; });
}

void Server::serve(std::uint64_t id, Peer &peer, short events)
{
    if (peer.state() == Peer::State::writing && (events & POLLOUT) != 0) {
        peer.send();
        if (peer.state() == Peer::State::reading)
            dispatch(id, peer);
    } else if ((events & POLLIN) != 0 && peer.events() == POLLIN) {
        peer.receive();
        dispatch(id, peer);
    } else if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        peers_.erase(id);
        return;
    }
    if (peer.state() == Peer::State::gone)
        peers_.erase(id);
}

// Hands what is complete to the workers.
void Server::dispatch(std::uint64_t id, Peer &peer)
{
    if (peer.state() != Peer::State::reading)
        return;
    const Frame frame = peer.frame();
    if (frame.state == Frame::State::refused)
        return peer.write(answerer_.refuse(frame.status, frame.reason), true);
    if (frame.state == Frame::State::incomplete)
        return;
    Workers::Job job{id, {}, {}};
    peer.take(frame, job.head, job.body);
    workers_->add(std::move(job));
}

void Server::write(std::uint64_t id, Peer &peer, std::string answer, bool is_last)
{
    peer.write(std::move(answer), is_last || has_begun_stopping_);
    if (peer.state() == Peer::State::reading)
        dispatch(id, peer);
    else if (peer.state() == Peer::State::gone)
        peers_.erase(id);
}

void Server::end_late_ones()
{
    const Clock::time_point now = Clock::now();
    for (auto next = peers_.begin(); next != peers_.end();) {
        const auto place = next++;
        Peer &peer = *place->second;
        const auto time = now - peer.since();
        const bool is_late = (peer.is_idle() && time > limits_.idle) ||
                             (peer.state() == Peer::State::writing && time > limits_.writing) ||
                             (peer.state() == Peer::State::leaving && time > limits_.leaving);
        if (is_late)
            peers_.erase(place);
        else if (peer.state() == Peer::State::reading && !peer.is_idle() && time > limits_.request)
            peer.write(answerer_.refuse(408, "the request took too long to arrive"), true);
    }
}

// Memory is for those who take what they asked for.
void Server::end_greedy_ones()
{
    const auto bytes = [&] {
        std::size_t sum = 0;
        for (const auto &[id, peer] : peers_)
            sum += peer->bytes();
        return sum;
    };
    while (bytes() > limits_.bytes && end_longest([](const Peer &peer) { return peer.bytes() > 0; })) {
    }
}

void Server::begin_stopping()
{
    has_begun_stopping_ = true;
    stop_by_ = Clock::now() + limits_.stopping;
    close(std::exchange(listener_, -1));
    std::erase_if(peers_, [](const auto &entry) { return entry.second->state() == Peer::State::reading; });
}

} // namespace gravitas::telemetry::http
