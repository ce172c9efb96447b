// What all actors of the torture share: how long it goes on, what was done lately, what was counted, and what was
// found.

#pragma once

#include "crash/faults.hpp"
#include "crash/small_disk.hpp"
#include "torture/ledger.hpp"
#include "torture/random.hpp"

#include <deque>
#include <map>
#include <set>

namespace gravitas::telemetry::torture {

using namespace std::chrono_literals;
using test::Database;
using test::Session;
using test::SqlError;

// Something is not as it must be.
struct Difference : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The whole run, in which the first difference counts.
class Story {
public:
    // What an actor does next; the last some hundred are shown with a difference.
    void tell(const std::string &actor, const std::string &what);
    void differ(const std::string &what);
    [[nodiscard]] std::string difference() const;
    void print_recent() const;

    void count(const std::string &kind, const std::string &what, std::uint64_t times = 1);
    [[nodiscard]] std::uint64_t counted(const std::string &kind) const;
    void print_counts() const;

    void will_kill(pid_t process);
    // What the server's log says that the torture has not caused.
    [[nodiscard]] std::string complaint_of_the_log();

private:
    mutable std::mutex mutex_;
    std::deque<std::string> recent_;
    std::map<std::string, std::map<std::string, std::uint64_t>> counts_;
    std::string difference_;
    std::set<pid_t> killed_;
    std::streamoff log_read_ = 0;
};

// A part of the run, in a database of its own.
struct Stage {
    Story &story;
    const test::Server &server;
    const test::SmallDisk &disk;
    const Database &database;
    std::uint64_t seed;
    int chapter;

    Ledger ledger;
    std::atomic<bool> is_over{false};
    std::atomic<bool> needs_update{false};
    std::mutex definitions{}; // of who changes rights or the extension: two at a time fail by Postgres' own rules

    [[nodiscard]] bool goes_on() const { return !is_over && story.difference().empty(); }
    void pause(Random &random, int most_ms) const;
};

// eventually(), with the patience that it takes until backends whose postmaster was killed have ended, and all is
// recovered.
bool at_last(const std::function<bool()> &condition);

// A connection that is made again when it is lost.
class Link {
public:
    Link(const Stage &stage, std::string role = {}) : stage_(stage), role_(std::move(role)) {}

    // Waits until the server lets it in.
    Session &session();
    void drop() { session_.reset(); }

private:
    const Stage &stage_;
    std::string role_;
    std::optional<Session> session_;
};

// Whether it is what our own faults lead to: a server that goes or is away, a disk that is full.
bool is_trouble(const SqlError &error);

// Calls act(random) again and again until the stage is over. Trouble is tolerated, all else is a difference.
template <typename Act>
void play(Stage &stage, const std::string &actor, Act act)
{
    Random random(stage.seed, stage.chapter, actor);
    while (stage.goes_on()) {
        try {
            act(random);
        } catch (const std::exception &error) {
            const auto *const sql = dynamic_cast<const SqlError *>(&error);
            if (sql == nullptr || !is_trouble(*sql))
                stage.story.differ(actor + ": " + error.what());
        }
    }
}

// ---- The actors, each until the stage is over ----

void write_by_sql(Stage &stage, const std::string &name, const std::string &role);
void write_by_client(Stage &stage, const std::string &name);
void kill_applications(Stage &stage, const std::string &name);
void check(Stage &stage, const std::string &name);
void do_chores(Stage &stage, const std::string &name);
void make_faults(Stage &stage, const std::string &name);

// ALTER EXTENSION UPDATE, where it was not done yet.
void update(Stage &stage, Session &session);
// When all the others have ended: everything once more, and to the last event.
void check_all(Stage &stage);

} // namespace gravitas::telemetry::torture
