// The header for C, from a program in C.

#include "c_program.h"
#include "support.hpp"

namespace gravitas::telemetry::test {

TEST(C, logs_as_cpp_does)
{
    const Database database;
    c_program_result result;
    c_program(database.conninfo().c_str(), &result);
    EXPECT_STREQ(result.error, "");
    EXPECT_TRUE(result.same_handle);
    EXPECT_TRUE(result.no_handle);
    EXPECT_EQ(result.logged, 6);
    EXPECT_EQ(result.refused, 3);
    EXPECT_TRUE(result.flushed);
    EXPECT_TRUE(result.closed);
    EXPECT_EQ(result.account.accepted, 9U);
    EXPECT_EQ(result.account.stored, 5U);
    EXPECT_EQ(result.account.refused, 4U);
    EXPECT_EQ(result.account.queued + result.account.spilled + result.account.dropped, 0U);
    EXPECT_NE(std::string(result.told).find("event refused: "), std::string::npos);
    EXPECT_STREQ(result.sqlstate, "22P02");
    EXPECT_FALSE(result.retryable);
    EXPECT_EQ(
        database.value("SELECT string_agg(concat_ws(' ', event_type, component, value, duration_ms, first_token_ms,"
                       " prompt_tokens, tokens_generated, status, e.metadata), '; ' ORDER BY id)"
                       " FROM telemetry.event AS e"),
        "LOAD_LATENCY gemma2:27b 2.5 2500 OK; "
        "THOUGHT_LATENCY gemma2:27b 15.012 3002.4 250 50 200 OK; "
        "THOUGHT_LATENCY gemma2:27b 100 1000 0 10 ERROR; "
        "VRAM_CHECK gpu0 8192 OK {\"free\": true}; "
        "NOTE");
}

TEST(C, says_why_options_cannot_work)
{
    char error[40] = "?";
    const auto open = [&](gravitas_telemetry_options options) {
        return gravitas_telemetry_open(&options, error, sizeof error);
    };
    EXPECT_EQ(open({}), nullptr);
    EXPECT_STREQ(error, "struct_size must be sizeof(gravitas_tel"); // cut to its room
    gravitas_telemetry_options options{};
    options.struct_size = sizeof options;
    options.on_full = 7;
    EXPECT_EQ(open(options), nullptr);
    EXPECT_STREQ(error, "on_full is not one of GRAVITAS_TELEMETR");
    options.on_full = GRAVITAS_TELEMETRY_SPILL;
    EXPECT_EQ(open(options), nullptr);
    EXPECT_STREQ(error, "on_full is spill, but spill_directory i");
    EXPECT_EQ(gravitas_telemetry_open(&options, nullptr, 0), nullptr);
    gravitas_telemetry_free(nullptr);
}

// A program that was compiled with a header of fewer members.
TEST(C, serves_an_older_program)
{
    const TemporaryDirectory nowhere;
    const std::string conninfo = "host=" + nowhere.path();
    gravitas_telemetry_options options{};
    options.struct_size = offsetof(gravitas_telemetry_options, on_full);
    options.conninfo = conninfo.c_str();
    options.queue_capacity = 1;
    options.on_full = 7; // beyond its end
    gravitas_telemetry_client *const client = gravitas_telemetry_open(&options, nullptr, 0);
    ASSERT_NE(client, nullptr);
    EXPECT_TRUE(gravitas_telemetry_log(client, "TICK", nullptr, 1, nullptr, nullptr));
    EXPECT_FALSE(gravitas_telemetry_log(client, "TICK", nullptr, 1, nullptr, nullptr));
    EXPECT_FALSE(gravitas_telemetry_close(client, 0));
    EXPECT_EQ(gravitas_telemetry_get_account(client).dropped, 2U);
    gravitas_telemetry_free(client);
}

} // namespace gravitas::telemetry::test
