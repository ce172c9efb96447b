// Who ends, stops and starves the server. One fault at a time, and each is over before the next.

#include "torture/stage.hpp"

#include <csignal>

namespace gravitas::telemetry::torture {

namespace {

class FaultMaker {
public:
    FaultMaker(Stage &stage, std::string name) : stage_(stage), name_(std::move(name)), link_(stage) {}

    void make(Random &random)
    {
        using Make = void (FaultMaker::*)(Random &);
        static constexpr std::pair<const char *, Make> faults[] = {
            {"backend terminated", &FaultMaker::terminate},  {"backend killed", &FaultMaker::kill_backend},
            {"backend stopped", &FaultMaker::stop},          {"postmaster killed", &FaultMaker::kill_postmaster},
            {"all processes killed", &FaultMaker::kill_all}, {"restarted", &FaultMaker::restart},
            {"disk full", &FaultMaker::fill_disk},           {"disk full", &FaultMaker::fill_disk},
        };
        const auto &[what, make] = random.one_of(faults);
        if (make == &FaultMaker::fill_disk && !stage_.disk.problem().empty())
            return;
        stage_.story.tell(name_, what);
        try {
            (this->*make)(random);
        } catch (const SqlError &) {
            link_.drop();
            throw;
        }
        stage_.story.count("fault", what);
        stage_.pause(random, 5'000);
    }

private:
    // One of the database's, our own and background workers among them.
    pid_t any_backend(Random &random)
    {
        const auto rows =
            link_.session().query("SELECT pid FROM pg_stat_activity WHERE datname = current_database() ORDER BY pid");
        return std::stoi(random.one_of(rows)[0].value());
    }

    void terminate(Random &random)
    {
        link_.session().query("SELECT pg_terminate_backend($1)", {std::to_string(any_backend(random))});
    }

    void kill_backend(Random &random)
    {
        const pid_t backend = any_backend(random);
        stage_.story.will_kill(backend);
        ::kill(backend, SIGKILL);
    }

    void stop(Random &random)
    {
        const pid_t backend = any_backend(random);
        ::kill(backend, SIGSTOP);
        stage_.pause(random, 1'500);
        ::kill(backend, SIGCONT);
    }

    template <typename End>
    void end(End end)
    {
        link_.drop();
        const pid_t before = stage_.server.postmaster();
        end();
        if (!at_last([&] { return stage_.server.comes_back_after(before); }))
            throw Difference("the server does not come back");
    }
    void kill_postmaster(Random &)
    {
        end([&] { stage_.server.signal(SIGKILL); });
    }
    void kill_all(Random &random)
    {
        end([&] { stage_.server.kill_all(); });
        if (random.one_in(3)) // also while it recovers
            end([&] { stage_.server.kill_all(); });
    }
    void restart(Random &random)
    {
        end([&] { stage_.server.signal(random.one_in(2) ? SIGINT : SIGQUIT); });
    }

    void fill_disk(Random &random)
    {
        stage_.disk.fill(static_cast<std::size_t>(random.between(0, 512)) << 10);
        stage_.pause(random, 2'000);
        stage_.disk.empty();
    }

    Stage &stage_;
    std::string name_;
    Link link_;
};

} // namespace

void make_faults(Stage &stage, const std::string &name)
{
    FaultMaker maker(stage, name);
    play(stage, name, [&](Random &random) { maker.make(random); });
}

} // namespace gravitas::telemetry::torture
