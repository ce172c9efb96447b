#include "pool.hpp"

#include "answers.hpp"

#include <string_view>
#include <utility>

namespace gravitas::telemetry::http {

namespace {

constexpr std::chrono::seconds patience{1};
// So that a database that is away is not asked by every request.
constexpr std::chrono::seconds pause_after_failure{1};

Refusal unavailable(const std::string &message, const std::string &hint, const std::string &sqlstate = {})
{
    return Refusal(503, message, hint, sqlstate).with("Retry-After", "1");
}

bool is_of(const std::string &sqlstate, std::string_view code) { return sqlstate.starts_with(code); }

Refusal refusal_of(const DatabaseError &error)
{
    const std::string &state = error.sqlstate();
    if (state.empty() || is_of(state, "08") || is_of(state, "53") || is_of(state, "57P"))
        return unavailable(std::string("the database is away: ") + error.what(),
                           "It is tried again with every request.", state);
    if (state == "57014" || state == "55P03")
        return Refusal(504, error.what(), "Ask for fewer hours, or start with a longer --statement-timeout.", state);
    if (state == "42501")
        return Refusal(403, error.what(),
                       "SELECT telemetry.grant_reader('ROLE'); to log: telemetry.grant_writer('ROLE')", state);
    if (state == "42883" || state == "42P01" || state == "3F000" || state == "42703" || state == "42704")
        return unavailable("this database has no Gravitas Telemetry that this program knows: " +
                               std::string(error.what()),
                           "CREATE EXTENSION gravitas_telemetry; or: ALTER EXTENSION gravitas_telemetry UPDATE", state);
    if (is_of(state, "22"))
        return Refusal(400, error.what(), error.hint(), state);
    return Refusal(500, error.what(), error.hint(), state);
}

} // namespace

// Takes a connection for as long as it lives.
class Pool::Lease {
public:
    explicit Lease(Pool &pool) : pool_(pool), connection_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(connection_)); }
    Lease(const Lease &) = delete;
    Lease &operator=(const Lease &) = delete;

    // Whether the connection is one that was used before.
    bool ensure_open()
    {
        if (connection_ && connection_->is_alive())
            return true;
        connection_.reset();
        connection_ = pool_.connect();
        return false;
    }
    [[nodiscard]] Connection &connection() { return *connection_; }

private:
    Pool &pool_;
    std::unique_ptr<Connection> connection_;
};

Pool::Pool(std::string conninfo, int connections, std::chrono::milliseconds statement_timeout)
    : conninfo_(std::move(conninfo)), statement_timeout_(statement_timeout), available_(connections)
{
    idle_.reserve(static_cast<std::size_t>(connections));
}

Result Pool::query(const char *sql, const std::vector<Parameter> &parameters)
{
    return use([&](Connection &connection) { return connection.query(sql, parameters); }, true);
}

Result Pool::write(const char *sql, const std::vector<Parameter> &parameters)
{
    return use([&](Connection &connection) { return connection.write(sql, parameters); }, false);
}

Result Pool::use(const Use &use, bool try_again)
{
    Lease lease(*this);
    for (;;) {
        bool was_used = false;
        try {
            was_used = lease.ensure_open();
            return use(lease.connection());
        } catch (const DatabaseError &error) {
            // The server may have ended the connection since its last use, and be back.
            if (was_used && try_again && !lease.connection().is_alive() && error.sqlstate() != "57014")
                continue;
            throw refusal_of(error);
        }
    }
}

std::unique_ptr<Connection> Pool::take()
{
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, patience, [&] { return available_ > 0; }))
        throw unavailable("all connections to the database are in use", "Ask again, or start with more --connections.");
    --available_;
    if (idle_.empty())
        return nullptr;
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

void Pool::give_back(std::unique_ptr<Connection> connection) noexcept
{
    const std::lock_guard lock(mutex_);
    ++available_;
    if (connection)
        idle_.push_back(std::move(connection));
    returned_.notify_one();
}

std::unique_ptr<Connection> Pool::connect()
{
    {
        const std::lock_guard lock(mutex_);
        if (Clock::now() < refused_until_)
            throw DatabaseError(refused_because_, "", "");
    }
    try {
        return std::make_unique<Connection>(conninfo_, statement_timeout_);
    } catch (const DatabaseError &error) {
        const std::lock_guard lock(mutex_);
        refused_until_ = Clock::now() + pause_after_failure;
        refused_because_ = error.what();
        throw;
    }
}

} // namespace gravitas::telemetry::http
