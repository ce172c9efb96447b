// A session that stores events by every door of SQL, in transactions of all shapes, and knows what is stored.

#include "torture/doors.hpp"
#include "torture/stage.hpp"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace gravitas::telemetry::torture {

namespace {

// A backend that gets no more memory than it has, but for so much. All its errors must be those of a server that lives.
class Starved {
public:
    Starved(pid_t backend, std::uint64_t more) : backend_(backend)
    {
        std::ifstream file(folder() + "/statm");
        std::uint64_t pages = 0;
        if (file >> pages)
            limit(std::to_string(pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + more));
    }
    ~Starved() { limit("unlimited"); }
    Starved(const Starved &) = delete;
    Starved &operator=(const Starved &) = delete;

private:
    [[nodiscard]] std::string folder() const { return "/proc/" + std::to_string(backend_); }

    // As the backend's own user, since not every root may do it.
    void limit(const std::string &bytes) const
    {
        struct stat owner {};
        if (stat(folder().c_str(), &owner) != 0)
            return; // it was killed
        const std::string as_owner = geteuid() != 0 ? ""
                                                    : "setpriv --clear-groups --reuid=" + std::to_string(owner.st_uid) +
                                                          " --regid=" + std::to_string(owner.st_gid) + " ";
        const std::string command = as_owner + "prlimit --pid=" + std::to_string(backend_) + " --as=" + bytes + ":";
        if (std::system((command + " 2>/dev/null").c_str()) != 0 && stat(folder().c_str(), &owner) == 0)
            std::fprintf(stderr, "could not limit a backend's memory: %s\n", command.c_str());
    }

    pid_t backend_;
};

class SqlWriter {
public:
    SqlWriter(Stage &stage, std::string name, const std::string &role)
        : stage_(stage), name_(std::move(name)), link_(stage, role), asker_(stage), events_(stage.ledger.entry(name_)),
          usage_(stage.ledger.entry("usage " + name_)), history_(stage.ledger.entry("history " + name_))
    {
        name_.copy(reinterpret_cast<char *>(producer_.data()), producer_.size());
    }

    void act(Random &random)
    {
        if (random.one_in(5))
            ingest(random);
        else
            transaction(random);
        stage_.pause(random, 40);
    }

private:
    void execute(const Piece &piece)
    {
        if (!piece.lines.empty()) {
            link_.session().copy(piece.sql, piece.lines);
            return;
        }
        const std::string answer = link_.session().value(piece.sql, piece.parameters);
        if (piece.answer.empty() ? std::stol(answer) <= 0 : answer != piece.answer)
            throw Difference(piece.door + " answers " + answer + ", not " + piece.answer);
    }

    // ---- Transactions ----

    // All that one does, chosen before it begins.
    struct Step {
        Piece piece;
        bool in_savepoint = false;
        bool is_undone = false;
    };
    struct Plan {
        std::vector<Step> steps;
        std::string begin; // empty: one statement alone
        bool commits = true;
        int more_memory = -1; // -1: as much as it wants
        long evidence = 0;    // a value that is there if it has committed
    };

    Plan plan(Random &random)
    {
        Plan plan;
        if (++transactions_ > 10 && random.one_in(8)) // by then its session has loaded what it needs
            plan.more_memory = random.between(0, 4) * random.between(0, 1 << 20);
        const int most = plan.more_memory >= 0 ? 4'000 : random.one_in(10) ? 400 : 15;
        if (random.one_in(2)) {
            plan.steps.push_back({doors_.events(random, most)});
        } else {
            plan.begin = random.one_of(
                {"BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE"});
            plan.commits = !random.one_in(5);
            for (int left = random.between(1, 5); left > 0; --left) {
                const bool in_savepoint = random.one_in(3);
                plan.steps.push_back({doors_.any(random, most), in_savepoint, in_savepoint && random.one_in(2)});
            }
            plan.steps.push_back({doors_.log_one(random)});
        }
        plan.evidence = doors_.highest();
        return plan;
    }

    void take(const Step &step)
    {
        Session &session = link_.session();
        stage_.story.tell(name_, step.piece.door + " of " + std::to_string(step.piece.counts.events) +
                                     (step.is_undone ? ", undone" : ""));
        if (step.in_savepoint)
            session.query("SAVEPOINT torture");
        execute(step.piece);
        if (step.is_undone)
            session.query("ROLLBACK TO torture");
        else if (step.in_savepoint)
            session.query("RELEASE torture");
    }

    void run(const Plan &plan)
    {
        std::optional<Starved> starved;
        if (plan.more_memory >= 0)
            starved.emplace(std::stoi(link_.session().value("SELECT pg_backend_pid()")),
                            static_cast<std::uint64_t>(plan.more_memory));
        if (!plan.begin.empty())
            link_.session().query(plan.begin);
        for (const Step &step : plan.steps)
            take(step);
        if (!plan.begin.empty())
            link_.session().query(plan.commits ? "COMMIT" : "ROLLBACK");
    }

    void transaction(Random &random)
    {
        const Plan made = plan(random);
        const Counts counts = kept(made);
        expect(counts);
        try {
            run(made);
            enter(counts, made.commits);
        } catch (const SqlError &error) {
            stage_.story.tell(name_, error.what());
            const bool is_alive = !error.is_lost();
            if (!is_alive)
                lose_session();
            enter(counts, !is_alive && is_stored(made.evidence));
            if (is_alive && !made.begin.empty())
                link_.session().query("ROLLBACK");
            if (made.more_memory < 0 || !is_alive || error.sqlstate() != "53200")
                throw;
            stage_.story.count("fault", "no memory");
            return;
        }
        if (made.commits)
            count_doors(made);
    }

    static Counts kept(const Plan &plan)
    {
        Counts counts{.events = 0};
        for (const Step &step : plan.steps) {
            if (!plan.commits || step.is_undone)
                continue;
            counts.events += step.piece.counts.events;
            counts.usage += step.piece.counts.usage;
            counts.history += step.piece.counts.history;
        }
        return counts;
    }

    void count_doors(const Plan &plan)
    {
        for (const Step &step : plan.steps) {
            if (!step.is_undone)
                stage_.story.count("door", step.piece.door,
                                   static_cast<std::uint64_t>(std::max(step.piece.counts.events, 1L)));
        }
    }

    void expect(const Counts &counts)
    {
        events_.most += counts.events;
        usage_.most += counts.usage;
        history_.most += counts.history;
    }

    void enter(const Counts &counts, bool is_stored)
    {
        (is_stored ? events_.least : events_.most) += is_stored ? counts.events : -counts.events;
        (is_stored ? usage_.least : usage_.most) += is_stored ? counts.usage : -counts.usage;
        (is_stored ? history_.least : history_.most) += is_stored ? counts.history : -counts.history;
    }

    // Whether the transaction whose answer was lost has committed. Maxima outlive the events.
    bool is_stored(long evidence)
    {
        for (;;) {
            try {
                return asker_.session().value(
                           "SELECT coalesce(max(telemetry.max_value(summary)), 0) > $2::float8 - 0.5"
                           " FROM telemetry.rollups(telemetry.bucket_start(1440, now() - interval '100 days'),"
                           " telemetry.bucket_start(1440, now() + interval '10 days')) WHERE component = $1",
                           {name_, std::to_string(evidence)}) == "t";
            } catch (const SqlError &error) {
                asker_.drop();
                if (!is_trouble(error))
                    throw;
            }
        }
    }

    // ---- Batches of a client ----

    // Sent until it is acknowledged; then again, which stores nothing.
    void ingest(Random &random)
    {
        const auto made = doors_.rows(random, 50);
        const std::string count = std::to_string(made.size());
        const std::string batch = batch_of(made, name_, producer_, ++sequence_);
        stage_.story.tell(name_, "ingest() of " + count);
        events_.most += static_cast<long>(made.size());
        const auto first = send(batch);
        if (!(first.stored == count && first.duplicate == "f") && !(first.is_second_try && first.duplicate == "t"))
            throw Difference("ingest() stores " + first.stored + " of " + count +
                             " events, duplicate: " + first.duplicate);
        events_.least += static_cast<long>(made.size());
        stage_.story.count("door", "ingest()", made.size());
        if (!random.one_in(3))
            return;
        const auto again = send(batch);
        if (again.stored != "0" || again.duplicate != "t")
            throw Difference("ingest() stores " + again.stored + " events of a duplicate: " + again.duplicate);
        stage_.story.count("door", "ingest() again", made.size());
    }

    struct Reply {
        std::string stored;
        std::string duplicate;
        bool is_second_try;
    };
    Reply send(const std::string &batch)
    {
        for (bool is_second_try = false;; is_second_try = true) {
            try {
                const auto row =
                    link_.session().query("SELECT stored, duplicate FROM telemetry.ingest($1)", {batch}).at(0);
                return {row[0].value(), row[1].value(), is_second_try};
            } catch (const SqlError &error) {
                stage_.story.tell(name_, error.what());
                lose_session();
                if (!is_trouble(error))
                    throw;
            }
        }
    }

    void lose_session()
    {
        link_.drop();
        transactions_ = 0;
    }

    Stage &stage_;
    std::string name_;
    Doors doors_{name_};
    Link link_;
    Link asker_;
    Entry &events_;
    Entry &usage_;
    Entry &history_;
    core::ProducerId producer_{};
    std::uint64_t sequence_ = 0;
    int transactions_ = 0; // of this session
};

} // namespace

void write_by_sql(Stage &stage, const std::string &name, const std::string &role)
{
    SqlWriter writer(stage, name, role);
    play(stage, name, [&](Random &random) { writer.act(random); });
}

} // namespace gravitas::telemetry::torture
