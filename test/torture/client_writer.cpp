// Applications: clients of all kinds in this process, which come and go, and programs that are killed.

#include "torture/rows.hpp"
#include "torture/stage.hpp"

#include <csignal>
#include <filesystem>

namespace gravitas::telemetry::torture {

namespace {

// Clients one after the other, each of the name's component, with one folder to spill to.
class ClientWriter {
public:
    ClientWriter(Stage &stage, std::string name)
        : stage_(stage), name_(std::move(name)), entry_(stage.ledger.entry(name_))
    {
    }

    // A client's life: some bursts of events, then one of its ends.
    void live(Random &random)
    {
        Client client(options(random));
        logged_ = 0;
        for (int bursts = random.between(1, 40); bursts > 0 && stage_.goes_on(); --bursts) {
            burst(client, random);
            note_stored(client);
            stage_.pause(random, 200);
        }
        end(client, random);
    }

    // What was spilled is stored now, and so every event that was not dropped.
    void settle()
    {
        Client client({.conninfo = stage_.database.conninfo(),
                       .on_full = OnFull::spill,
                       .spill_directory = directory_.path(),
                       .reconnect_max = 100ms});
        if (!at_last([&] { return std::filesystem::is_empty(directory_.path()); }))
            throw Difference(name_ + ": what was spilled is not stored");
        require_account(client);
        entry_.least = entry_.most - dropped_;
    }

private:
    Options options(Random &random)
    {
        Options options{.conninfo = stage_.database.conninfo(),
                        .queue_capacity = static_cast<std::size_t>(random.between(50, 3'000)),
                        .on_full = std::array{OnFull::block, OnFull::drop_newest,
                                              OnFull::spill}[static_cast<std::size_t>(random.between(0, 2))],
                        .batch_events = static_cast<std::size_t>(random.between(1, 300)),
                        .batch_age = std::chrono::milliseconds(random.between(1, 200)),
                        .batches_in_flight = static_cast<std::size_t>(random.between(1, 6)),
                        .reconnect_max = 100ms,
                        .close_deadline = 200ms,
                        .on_error = [this](const Error &error) { hear(error); }};
        if (options.on_full == OnFull::spill)
            options.spill_directory = directory_.path();
        stage_.story.tell(name_, "a client with a queue of " + std::to_string(options.queue_capacity) + ", when full " +
                                     std::to_string(static_cast<int>(options.on_full)));
        return options;
    }

    // Whatever it is told must come of our own faults.
    void hear(const Error &error)
    {
        stage_.story.tell(name_, "hears " + error.sqlstate() + " " + error.what());
        if (!error.retryable() && !error.sqlstate().empty() && error.sqlstate() != "53100")
            stage_.story.differ(name_ + " hears " + error.sqlstate() + " " + error.what());
    }

    bool log(Client &client, const Row &row)
    {
        const bool is_timed = row.time < Clock::now() - 1s || row.time > Clock::now();
        const auto time = is_timed ? std::optional(row.time) : std::nullopt;
        if (row.event_type == "LOAD_LATENCY")
            return client.log_load_latency({.model_name = name_,
                                            .load_time_seconds = *row.duration_ms / 1'000,
                                            .success = row.status == "OK",
                                            .event_time = time});
        if (row.event_type == "THOUGHT_LATENCY")
            return client.log_thought_latency({.model_name = name_,
                                               .inference_time_seconds = *row.duration_ms / 1'000,
                                               .tokens_generated = *row.tokens_generated,
                                               .prompt_tokens = *row.prompt_tokens,
                                               .success = row.status == "OK",
                                               .event_time = time});
        return client.log({.event_type = row.event_type,
                           .component = name_,
                           .value = row.value,
                           .status = row.status,
                           .event_time = time});
    }

    void burst(Client &client, Random &random)
    {
        for (int left = random.between(1, 100); left > 0; --left) {
            logged_ += 1;
            entry_.most += 1;
            if (!log(client, random_row(random, ++number_)))
                entry_.most -= 1;
        }
        if (random.one_in(5))
            (void)client.flush(100ms);
    }

    void require_account(const Client &client)
    {
        const Account a = client.account();
        if (a.accepted != a.stored + a.queued + a.spilled + a.dropped + a.refused || a.refused > 0)
            throw Difference(name_ + ": the account does not close: accepted " + std::to_string(a.accepted) +
                             ", stored " + std::to_string(a.stored) + ", queued " + std::to_string(a.queued) +
                             ", spilled " + std::to_string(a.spilled) + ", dropped " + std::to_string(a.dropped) +
                             ", refused " + std::to_string(a.refused));
    }

    // Without those of its orphans, of which somebody may have stored and counted some before.
    void note_stored(const Client &client)
    {
        const Account account = client.account();
        const long adopted = static_cast<long>(account.accepted) - logged_;
        entry_.least = std::max<long>(entry_.least, stored_ + static_cast<long>(account.stored) - adopted);
    }

    // Closed in time or not. What is dropped only then may be stored or not: an answer may have been under way.
    void end(Client &client, Random &random)
    {
        if (random.one_in(2))
            (void)client.flush(5s);
        const std::uint64_t dropped = client.account().dropped;
        client.close(std::chrono::milliseconds(random.between(0, 300)));
        require_account(client);
        const Account account = client.account();
        note_stored(client);
        stored_ = entry_.least;
        dropped_ += static_cast<long>(account.dropped - dropped);
        stage_.story.count("door", "client", account.stored);
        stage_.story.count("client", "closed", 1);
        stage_.story.count("client", "events dropped at the end", account.dropped - dropped);
    }

    Stage &stage_;
    std::string name_;
    Entry &entry_;
    test::TemporaryDirectory directory_;
    long number_ = 0;
    long logged_ = 0;  // to the client of now
    long stored_ = 0;  // by clients that are closed
    long dropped_ = 0; // when they were closed
};

} // namespace

void write_by_client(Stage &stage, const std::string &name)
{
    ClientWriter writer(stage, name);
    play(stage, name, [&](Random &random) { writer.live(random); });
    try {
        if (stage.story.difference().empty())
            writer.settle();
    } catch (const std::exception &error) {
        stage.story.differ(error.what());
    }
}

// What they were told is stored must be there.
void kill_applications(Stage &stage, const std::string &name)
{
    const test::TemporaryDirectory directory;
    const std::string program = std::filesystem::canonical("/proc/self/exe").parent_path().string() + "/exit_client";
    int number = 0;
    play(stage, name, [&](Random &random) {
        const std::string component = name + " " + std::to_string(++number);
        Entry &entry = stage.ledger.entry(component);
        entry.most = no_bound;
        stage.story.tell(name, "starts " + component);
        FILE *const pipe = popen(("exec '" + program + "' killed '" + stage.database.conninfo() + "' '" + component +
                                  (random.one_in(2) ? "' '" + directory.path() : "") + "' 2>/dev/null")
                                     .c_str(),
                                 "r");
        char line[32];
        if (pipe == nullptr || std::fgets(line, sizeof line, pipe) == nullptr)
            throw Difference("could not start " + program);
        const pid_t process = std::stoi(line);
        stage.pause(random, 2'000);
        stage.story.tell(name, "kills " + component);
        kill(process, SIGKILL);
        while (std::fgets(line, sizeof line, pipe) != nullptr)
            entry.least = std::stol(line);
        pclose(pipe);
        stage.story.count("fault", "application killed");
        stage.pause(random, 2'000);
    });
}

} // namespace gravitas::telemetry::torture
