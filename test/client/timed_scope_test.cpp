#include "support.hpp"

#include <stdexcept>
#include <type_traits>

namespace gravitas::telemetry::test {

static_assert(!std::is_copy_constructible_v<TimedScope>);
static_assert(std::is_nothrow_move_constructible_v<TimedScope>);

namespace {

struct TimedScopes : ::testing::Test {
    Database database;
    Client client{{.conninfo = database.conninfo()}};

    std::string stored(const std::string &columns)
    {
        EXPECT_TRUE(client.flush(patience));
        return database.value("SELECT concat_ws('|', " + columns + ") FROM telemetry.system_telemetry");
    }
};

} // namespace

TEST_F(TimedScopes, logs_a_load_at_its_end)
{
    double elapsed = 0;
    {
        const auto scope = client.time_load("m");
        EXPECT_TRUE(is_account(client, 0, 0, 0, 0));
        elapsed = scope.seconds();
    }
    EXPECT_EQ(stored("event_type, component, status"), "LOAD_LATENCY|m|OK");
    const double value = std::stod(stored("value"));
    EXPECT_GE(value, elapsed);
    EXPECT_LT(value, 5);
}

TEST_F(TimedScopes, logs_a_thought_with_its_tokens)
{
    {
        auto scope = client.time_thought("m", 7);
        scope.first_token();
        scope.first_token(); // only the first counts
        scope.tokens(42);
    }
    EXPECT_EQ(stored("event_type, component, status, prompt_tokens, tokens_generated, first_token_ms <= duration_ms"),
              "THOUGHT_LATENCY|m|OK|7|42|t");
}

TEST_F(TimedScopes, that_an_exception_unwinds_is_an_error)
{
    try {
        auto scope = client.time_thought("m");
        throw std::runtime_error("out of VRAM");
    } catch (const std::runtime_error &) {
    }
    EXPECT_EQ(stored("event_type, status"), "THOUGHT_LATENCY|ERROR");
}

// The exception was there before the scope, and does not leave it.
TEST_F(TimedScopes, inside_a_destructor_that_unwinds_is_no_error)
{
    struct Cleanup {
        Client &client;
        ~Cleanup() { const auto scope = client.time_load("m"); }
    };
    try {
        const Cleanup cleanup{client};
        throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error &) {
    }
    EXPECT_EQ(stored("status"), "OK");
}

TEST_F(TimedScopes, that_fails_is_an_error)
{
    {
        auto scope = client.time_load("m");
        scope.fail();
    }
    EXPECT_EQ(stored("event_type, status"), "LOAD_LATENCY|ERROR");
}

TEST_F(TimedScopes, that_moves_logs_once)
{
    {
        auto scope = client.time_thought("m");
        scope.tokens(3);
        const auto moved = std::move(scope);
    }
    EXPECT_EQ(stored("event_type, tokens_generated"), "THOUGHT_LATENCY|3");
    EXPECT_TRUE(is_account(client, 1, 0, 0, 0));
}

TEST(Timer, measures_seconds)
{
    const auto start = start_timer();
    const double first = measure_latency(start);
    const double second = measure_latency(start);
    EXPECT_GE(first, 0);
    EXPECT_GE(second, first);
    EXPECT_LT(second, 5);
}

} // namespace gravitas::telemetry::test
