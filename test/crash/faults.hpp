// What the tests of faults share: a server that may be killed, and writers that remember what they logged.

#pragma once

#include "client/support.hpp"

#include <atomic>
#include <sys/types.h>
#include <thread>

namespace gravitas::telemetry::test {

// How many rounds a test goes: `usually`, or what make torture says.
int rounds(int usually);
// Where the random numbers begin; told, so that a run can be repeated.
unsigned seed();

// The server of the PG* environment, which somebody starts again when it ends.
class Server {
public:
    Server();

    [[nodiscard]] pid_t postmaster() const; // 0 where there is none
    // As when the machine loses power: no process says good-bye to any other.
    void kill_all() const;
    // SIGINT and SIGQUIT end it, fast and at once, SIGKILL lets its children find out.
    void signal(int number) const;
    // Kills one session of the client in the database; the server then restarts by itself. False if there was none.
    static bool kill_session(const Database &database);
    // True once another postmaster than that one lets sessions in.
    [[nodiscard]] bool comes_back_after(pid_t postmaster) const;
    [[nodiscard]] unsigned owner() const { return owner_; }

private:
    std::string directory_;
    unsigned owner_;
};

// Threads that log numbered events, each of a component of its own, and know which the client has kept.
class Writers {
public:
    Writers(Client &client, const std::string &name, int threads);
    ~Writers() { stop(); }
    Writers(const Writers &) = delete;
    Writers &operator=(const Writers &) = delete;

    void stop();
    [[nodiscard]] std::size_t kept() const;
    // How many events are in the table otherwise than once, or were not kept and are there.
    [[nodiscard]] int wrong_events(const Database &database) const;

private:
    void write(std::size_t thread);

    Client &client_;
    std::atomic<bool> stopping_{false};
    std::vector<std::string> components_;
    std::vector<std::vector<int>> kept_;
    std::vector<std::thread> threads_;
};

// The database has its days, so that events go where they belong.
void make_days(const Database &database);
// No id twice, and rollups are those of the events.
::testing::AssertionResult is_consistent(const Database &database);

} // namespace gravitas::telemetry::test
