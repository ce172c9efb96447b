#include "support.hpp"

#include <cstdlib>
#include <limits>

namespace gravitas::telemetry::test {

namespace {

Clock::time_point at_microseconds(std::int64_t since_1970)
{
    return Clock::time_point(std::chrono::microseconds(since_1970));
}

struct Log : ::testing::Test {
    Database database;
    Client client{{.conninfo = database.conninfo()}};

    std::string stored(const std::string &columns)
    {
        EXPECT_TRUE(client.flush(patience));
        return database.value("SELECT concat_ws('|', " + columns + ") FROM telemetry.system_telemetry");
    }
};

} // namespace

TEST_F(Log, keeps_every_field_of_an_event)
{
    EXPECT_TRUE(client.log({.event_type = "VRAM_CHECK",
                            .component = "gpu0",
                            .value = 8192.5,
                            .metadata = R"({"host": "a", "free": [1, 2]})",
                            .status = "WARNING",
                            .event_time = at_microseconds(1'738'326'896'123'456)}));
    EXPECT_EQ(stored("event_type, component, value, metadata, status, extract(epoch from timestamp)"),
              R"(VRAM_CHECK|gpu0|8192.5|{"free": [1, 2], "host": "a"}|WARNING|1738326896.123456)");
    EXPECT_TRUE(is_account(client, 1, 0, 0, 0));
}

TEST_F(Log, stores_null_for_what_is_not_given)
{
    EXPECT_TRUE(client.log({.event_type = "TICK", .status = ""}));
    EXPECT_EQ(stored("num_nulls(component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated,"
                     " status, metadata)"),
              "8");
}

TEST_F(Log, dates_an_event_when_it_is_logged)
{
    const auto before = Clock::now();
    client.log({.event_type = "TICK"});
    const auto after = Clock::now();
    ASSERT_TRUE(client.flush(patience));
    const auto time = client.get_recent_events(1).at(0).timestamp;
    EXPECT_GE(time, std::chrono::floor<std::chrono::microseconds>(before));
    EXPECT_LE(time, after);
}

// By a handle, the processor's counter says when, where the kernel trusts it.
TEST_F(Log, dates_events_of_a_handle_in_their_order)
{
    const Component model = client.component("m");
    std::vector<Clock::time_point> between = {Clock::now()};
    for (int i = 0; i < 100; ++i) {
        client.log_thought_latency(model, 1, i + 1);
        if (i % 10 == 0) { // some in one batch, some in another
            EXPECT_TRUE(client.flush(patience));
        }
        between.push_back(Clock::now());
    }
    ASSERT_TRUE(client.flush(patience));
    auto session = database.session();
    const auto rows = session.query("SELECT extract(epoch FROM \"timestamp\") * 1000000 FROM telemetry.event ORDER BY "
                                    "tokens_generated");
    ASSERT_EQ(rows.size(), 100u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto time = at_microseconds(static_cast<std::int64_t>(std::stod(rows[i][0].value())));
        EXPECT_GE(time, between[i] - 50us) << i;
        EXPECT_LE(time, between[i + 1] + 50us) << i;
    }
}

TEST_F(Log, keeps_the_microseconds_of_old_and_new_dates)
{
    // Epoch, one microsecond before it, a leap day, the last microsecond of a year, and late in the clock's range.
    const std::vector<std::int64_t> times = {0, -1, 951'782'400'000'001, 1'767'225'599'999'999, 7'258'118'399'999'999};
    for (std::size_t i = 0; i < times.size(); ++i)
        client.log({.event_type = "TICK", .value = static_cast<double>(i), .event_time = at_microseconds(times[i])});
    ASSERT_TRUE(client.flush(patience));
    auto session = database.session();
    for (std::size_t i = 0; i < times.size(); ++i) {
        EXPECT_EQ(session.value("SELECT (extract(epoch from timestamp) * 1000000)::bigint"
                                " FROM telemetry.system_telemetry WHERE value = $1",
                                {std::to_string(i)}),
                  std::to_string(times[i]));
    }
}

TEST_F(Log, keeps_every_digit_of_a_figure)
{
    const std::vector<double> figures = {0.1, -1.0 / 3, 1e300, 5e-324, std::numeric_limits<double>::max(), -0.0};
    for (const double figure : figures)
        EXPECT_TRUE(client.log({.event_type = "TICK", .value = figure}));
    ASSERT_TRUE(client.flush(patience));
    const auto rows = database.session().query("SELECT value FROM telemetry.system_telemetry ORDER BY id");
    ASSERT_EQ(rows.size(), figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i)
        EXPECT_EQ(std::strtod(rows[i][0]->c_str(), nullptr), figures[i]);
}

TEST_F(Log, keeps_any_text)
{
    const std::vector<std::string> names = {"plain",
                                            "it's",
                                            "\"quoted\"",
                                            R"(back\slash)",
                                            R"(\\)",
                                            R"(\")",
                                            "{a,b}",
                                            ",",
                                            "NULL",
                                            "null",
                                            " spaces ",
                                            "line\nbreak",
                                            "tab\there",
                                            "\x01",
                                            "llama3:8b/q4",
                                            "模型",
                                            "Größe",
                                            "🦙 emoji",
                                            "$1",
                                            "'; DROP --",
                                            "%s%n",
                                            "{}",
                                            "\\x00",
                                            "'",
                                            "\"",
                                            "\\",
                                            "{\"a\":1}",
                                            "\xEF\xBB\xBF",
                                            std::string(193, 'x'),
                                            std::string(1000, '"')};
    for (const auto &name : names)
        EXPECT_TRUE(client.log({.event_type = "E" + name, .component = name, .status = name}));
    ASSERT_TRUE(client.flush(patience));
    const auto rows =
        database.session().query("SELECT component, event_type, status FROM telemetry.system_telemetry ORDER BY id");
    ASSERT_EQ(rows.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ(rows[i][0], names[i]);
        EXPECT_EQ(rows[i][1], "E" + names[i]);
        EXPECT_EQ(rows[i][2], names[i]);
    }
}

TEST_F(Log, keeps_a_megabyte_of_name)
{
    const std::string name(1 << 20, 'n');
    for (int i = 0; i < 12; ++i)
        EXPECT_TRUE(client.log({.event_type = "TICK", .component = name}));
    ASSERT_TRUE(client.flush(patience));
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.system_telemetry WHERE component = repeat('n', 1048576)"),
              "12");
}

TEST_F(Log, load_latency_is_in_seconds)
{
    EXPECT_TRUE(client.log_load_latency("m", 2.5));
    EXPECT_EQ(stored("event_type, component, value, duration_ms, status, metadata"),
              R"(LOAD_LATENCY|m|2.5|2500|OK|{"model": "m", "load_time_ms": 2500})");
}

TEST_F(Log, load_latency_that_failed_is_an_error)
{
    EXPECT_TRUE(client.log_load_latency("m", 2.5, false));
    EXPECT_EQ(stored("status"), "ERROR");
}

TEST_F(Log, load_latency_has_a_time_of_its_own)
{
    EXPECT_TRUE(client.log_load_latency({.model_name = "m", .load_time_seconds = 1, .event_time = at_microseconds(1)}));
    EXPECT_EQ(stored("extract(epoch from timestamp)"), "0.000001");
}

TEST_F(Log, thought_latency_is_scored_by_the_server)
{
    EXPECT_TRUE(client.log_thought_latency("m", 1.5, 30, 12));
    EXPECT_EQ(stored("event_type, component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated,"
                     " status"),
              "THOUGHT_LATENCY|m|50|1500|12|30|OK");
    EXPECT_EQ(database.value("SELECT metadata FROM telemetry.system_telemetry"),
              database.value(R"(SELECT jsonb '{"model": "m", "inference_time_ms": 1500, "tokens_generated": 30,
                                 "prompt_tokens": 12, "total_tokens": 42, "latency_per_token_ms": 50}')"));
}

TEST_F(Log, thought_latency_keeps_every_field)
{
    EXPECT_TRUE(client.log_thought_latency({.model_name = "m",
                                            .inference_time_seconds = 2,
                                            .tokens_generated = 8,
                                            .prompt_tokens = 3,
                                            .success = false,
                                            .first_token_seconds = 0.25,
                                            .metadata = R"({"node": "n1"})",
                                            .event_time = at_microseconds(1'700'000'000'000'001)}));
    EXPECT_EQ(stored("duration_ms, first_token_ms, prompt_tokens, tokens_generated, status, metadata->>'node',"
                     " extract(epoch from timestamp)"),
              "2000|250|3|8|ERROR|n1|1700000000.000001");
}

TEST_F(Log, thought_without_tokens_has_no_score)
{
    EXPECT_TRUE(client.log_thought_latency("m", 1.5, 0));
    EXPECT_EQ(stored("event_type, value IS NULL, tokens_generated"), "THOUGHT_LATENCY|t|0");
}

// Each of these settings changes how a careless client's values would be read.
TEST(LogSession, is_immune_to_the_settings_of_the_session)
{
    const Database database;
    for (const char *setting : {"search_path = ''", "TimeZone = 'Asia/Kolkata'", "DateStyle = 'SQL, DMY'",
                                "IntervalStyle = 'sql_standard'", "extra_float_digits = -15", "bytea_output = 'escape'",
                                "standard_conforming_strings = off", "client_encoding = 'LATIN1'"})
        database.session().query("ALTER DATABASE " + database.name() + " SET " + setting);

    Client client{{.conninfo = database.conninfo() + " client_encoding=LATIN1"}};
    const auto time = at_microseconds(1'743'984'000'000'007); // 2025-04-07, which DMY may read as 4 July
    const auto now = std::chrono::floor<std::chrono::microseconds>(Clock::now());
    EXPECT_TRUE(client.log({.event_type = "TICK", .component = R"(模型\)", .value = 0.1, .event_time = time}));
    EXPECT_TRUE(client.log({.event_type = "TICK", .event_time = now}));
    ASSERT_TRUE(client.flush(patience));

    const auto events = client.get_recent_events(1, R"(模型\)");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].timestamp, time);
    EXPECT_EQ(events[0].component, R"(模型\)");
    EXPECT_EQ(events[0].value, 0.1);
    EXPECT_EQ(client.get_60day_statistics().newest_record, now);
}

} // namespace gravitas::telemetry::test
