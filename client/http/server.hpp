// Sockets. One thread waits for all of them at once, so that whoever is slow to ask or to listen costs a place and no
// thread; the workers only see complete requests.

#pragma once

#include "peer.hpp"
#include "workers.hpp"

#include <atomic>
#include <map>
#include <memory>

namespace gravitas::telemetry::http {

struct Limits {
    std::size_t peers = 512;               // beyond, the one that is slowest to ask has to go
    std::size_t bytes = 128 * 1024 * 1024; // of all that was received or waits to be sent
    std::chrono::milliseconds request{10'000};
    std::chrono::milliseconds idle{30'000}; // between requests
    std::chrono::milliseconds writing{30'000};
    std::chrono::milliseconds leaving{2'000};
    std::chrono::milliseconds stopping{15'000};
};

class Server {
public:
    // Listens from then on. Throws std::runtime_error.
    Server(const std::string &address, int port, int workers, Answerer &answerer, Limits limits = {});
    ~Server();
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

    [[nodiscard]] int port() const { return port_; }
    void run(); // until stop()
    // From any thread or signal handler: takes no new request, and ends once those taken are answered.
    void stop() noexcept;

private:
    using Clock = Peer::Clock;
    using Peers = std::map<std::uint64_t, std::unique_ptr<Peer>>;

    void wait();
    void wake() noexcept;
    void accept_all();
    bool make_room();
    void serve(std::uint64_t id, Peer &peer, short events);
    void dispatch(std::uint64_t id, Peer &peer);
    void write(std::uint64_t id, Peer &peer, std::string answer, bool is_last);
    void end_late_ones();
    void end_greedy_ones();
    template <typename May>
    bool end_longest(May may);
    void begin_stopping();

    Answerer &answerer_;
    const Limits limits_;
    int listener_ = -1;
    int wakes_ = -1;
    int port_ = 0;
    std::atomic<bool> is_stopping_{false};
    bool is_full_ = false; // nobody is let in until something happens
    bool has_begun_stopping_ = false;
    Clock::time_point stop_by_{};
    std::uint64_t last_peer_ = 0;
    Peers peers_;
    std::unique_ptr<Workers> workers_;
};

} // namespace gravitas::telemetry::http
