// Between a client and the server.

#pragma once

#include "support.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace gravitas::telemetry::test {

// Stands between a client and the server, one connection after the other, and cuts one where it is told to.
class CuttingProxy {
public:
    enum Direction { to_server, to_client };

    explicit CuttingProxy(const Database &database);
    ~CuttingProxy();
    CuttingProxy(const CuttingProxy &) = delete;
    CuttingProxy &operator=(const CuttingProxy &) = delete;

    // Cuts after so many more bytes in one direction, once.
    void cut_after(Direction direction, std::int64_t bytes);
    [[nodiscard]] bool was_cut() const { return was_cut_; }
    // Nobody comes through, until somebody may.
    void close_the_way(bool closed) { closed_ = closed; }
    [[nodiscard]] const std::string &conninfo() const { return conninfo_; }

private:
    void run();
    void pass_on(int client, int server);
    bool move_some(int from, int to, Direction direction);

    TemporaryDirectory directory_;
    std::string server_;
    std::string conninfo_;
    int listener_ = -1;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> closed_{false};
    std::atomic<Direction> direction_{to_server};
    std::atomic<std::int64_t> left_{-1};
    std::atomic<bool> was_cut_{false};
    std::thread thread_;
};

} // namespace gravitas::telemetry::test
