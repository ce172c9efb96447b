#include "support.hpp"

#include <limits>
#include <ostream>

namespace gravitas::telemetry::test {

namespace {

using namespace std::string_view_literals;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// An event that no database can store, and who can tell.
struct BadEvent {
    const char *name;
    std::function<bool(Client &)> log;
    bool is_refused_at_once;
};

std::ostream &operator<<(std::ostream &out, const BadEvent &bad) { return out << bad.name; }

struct Refusal : ::testing::TestWithParam<BadEvent> {};

constexpr bool at_once = true;
constexpr bool by_the_server = false;

std::function<bool(Client &)> event(Event event)
{
    return [event](Client &client) { return client.log(event); };
}

std::function<bool(Client &)> load(std::string_view model, double seconds)
{
    return [=](Client &client) { return client.log_load_latency(model, seconds); };
}

std::function<bool(Client &)> thought(ThoughtLatency thought)
{
    return [thought](Client &client) { return client.log_thought_latency(thought); };
}

const BadEvent bad_events[] = {
    {"no_event_type", event({.event_type = ""}), at_once},
    {"value_nan", event({.event_type = "E", .value = not_a_number}), at_once},
    {"value_infinite", event({.event_type = "E", .value = -infinity}), at_once},
    {"nul_in_event_type", event({.event_type = "a\0b"sv}), at_once},
    {"nul_in_component", event({.event_type = "E", .component = "a\0b"sv}), at_once},
    {"nul_in_status", event({.event_type = "E", .status = "a\0b"sv}), at_once},
    {"nul_in_metadata", event({.event_type = "E", .metadata = "{\"a\": \"\0\"}"sv}), at_once},
    {"load_without_model", load("", 1), at_once},
    {"load_negative", load("m", -1), at_once},
    {"load_nan", load("m", not_a_number), at_once},
    {"load_infinite", load("m", infinity), at_once},
    {"thought_without_model", thought({.model_name = "", .inference_time_seconds = 1}), at_once},
    {"thought_negative", thought({.model_name = "m", .inference_time_seconds = -1}), at_once},
    {"thought_nan", thought({.model_name = "m", .inference_time_seconds = not_a_number}), at_once},
    {"thought_too_long_for_milliseconds", thought({.model_name = "m", .inference_time_seconds = 1e308}), at_once},
    {"thought_negative_tokens", thought({.model_name = "m", .tokens_generated = -1}), at_once},
    {"thought_negative_prompt", thought({.model_name = "m", .prompt_tokens = -1}), at_once},
    {"thought_negative_first_token", thought({.model_name = "m", .first_token_seconds = -0.1}), at_once},
    {"thought_nan_first_token", thought({.model_name = "m", .first_token_seconds = not_a_number}), at_once},
    {"component_not_utf8", event({.event_type = "E", .component = "a\xff"}), by_the_server},
    {"event_type_not_utf8", event({.event_type = "\xc3\x28"}), by_the_server},
    {"status_not_utf8", event({.event_type = "E", .status = "\xed\xa0\x80"}), by_the_server},
    {"metadata_not_json", event({.event_type = "E", .metadata = "{oops"}), by_the_server},
    {"metadata_nul_escape", event({.event_type = "E", .metadata = R"({"a": "\u0000"})"}), by_the_server},
    {"load_event_negative", event({.event_type = "LOAD_LATENCY", .component = "m", .value = -1}), by_the_server},
};

} // namespace

TEST_P(Refusal, is_of_the_bad_event_alone)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    for (int i = 0; i < 37; ++i)
        EXPECT_TRUE(client.log({.event_type = "GOOD"}));
    EXPECT_EQ(GetParam().log(client), !GetParam().is_refused_at_once);
    for (int i = 0; i < 62; ++i)
        EXPECT_TRUE(client.log({.event_type = "GOOD"}));
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 99, 0, 0, 1));
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.system_telemetry WHERE event_type = 'GOOD'"), "99");
    EXPECT_EQ(database.events(), 99);
}

INSTANTIATE_TEST_SUITE_P(Each, Refusal, ::testing::ValuesIn(bad_events),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(RefusalOfMany, finds_each_bad_event_of_a_batch)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = std::chrono::hours(1)}};
    for (int i = 0; i < 300; ++i) {
        const bool is_bad = i == 0 || i % 17 == 3 || i == 299 || (i > 100 && i < 110);
        client.log({.event_type = is_bad ? "BAD" : "GOOD", .metadata = is_bad ? "{" : "{}"});
    }
    EXPECT_TRUE(client.flush(patience));
    const Account account = client.account();
    EXPECT_EQ(account.stored + account.refused, 300u);
    EXPECT_EQ(account.refused, 28u);
    EXPECT_EQ(database.value("SELECT count(*) FROM telemetry.system_telemetry WHERE event_type = 'GOOD'"), "272");
    EXPECT_EQ(database.events(), 272);
}

TEST(RefusalOfMany, survives_a_batch_of_bad_events_only)
{
    const Database database;
    Client client{{.conninfo = database.conninfo()}};
    for (int i = 0; i < 64; ++i)
        client.log({.event_type = "BAD", .metadata = "{"});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 0, 0, 0, 64));
    client.log({.event_type = "GOOD"});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 1, 0, 0, 64));
}

TEST(RefusalOfMany, is_told_to_on_error)
{
    const Database database;
    Errors errors;
    Client client{{.conninfo = database.conninfo(), .on_error = errors.listener()}};
    client.log({.event_type = "BAD", .metadata = "{"});
    EXPECT_TRUE(client.flush(patience));
    ASSERT_TRUE(eventually([&] { return !errors.all().empty(); }));
    EXPECT_EQ(errors.all()[0].sqlstate(), "22P02");
    EXPECT_FALSE(errors.all()[0].retryable());
    EXPECT_TRUE(errors.contain("event refused: "));
}

// A server that takes no batch at all, for a reason that will not pass.
class RefusalOfAll : public ::testing::Test {
protected:
    Client client(const char *sqlstate)
    {
        session_.query("ALTER FUNCTION telemetry.ingest RENAME TO real_ingest");
        session_.query("CREATE FUNCTION telemetry.ingest(bytea) RETURNS telemetry.ingest_reply LANGUAGE plpgsql"
                       " AS $$ BEGIN RAISE SQLSTATE '" +
                       std::string(sqlstate) + "' USING MESSAGE = 'no'; END $$");
        return Client{{.conninfo = database_.conninfo(), .on_error = errors_.listener()}};
    }

    void goes_on(Client &client)
    {
        session_.query("DROP FUNCTION telemetry.ingest(bytea)");
        session_.query("ALTER FUNCTION telemetry.real_ingest RENAME TO ingest");
        EXPECT_TRUE(client.log({.event_type = "GOOD"}));
        EXPECT_TRUE(client.flush(patience));
        EXPECT_EQ(database_.events(), 1);
    }

    const Database database_;
    Session session_ = database_.session();
    Errors errors_;
};

TEST_F(RefusalOfAll, of_the_data_refuses_each_event)
{
    Client telemetry = client("22023");
    telemetry.log({.event_type = "A"});
    telemetry.log({.event_type = "B"});
    EXPECT_TRUE(telemetry.flush(patience));
    EXPECT_TRUE(is_account(telemetry, 0, 0, 0, 2));
    EXPECT_TRUE(eventually([&] { return errors_.contain("batch refused: "); }));
    goes_on(telemetry);
    EXPECT_TRUE(is_account(telemetry, 1, 0, 0, 2));
}

TEST_F(RefusalOfAll, of_what_is_too_old_drops_each_event)
{
    Client telemetry = client("GT002");
    telemetry.log({.event_type = "A"});
    telemetry.log({.event_type = "B"});
    static_cast<void>(telemetry.flush(patience));
    EXPECT_TRUE(eventually([&] { return errors_.contain("batch dropped: "); }));
    EXPECT_TRUE(is_account(telemetry, 0, 0, 2, 0));
    goes_on(telemetry);
    EXPECT_TRUE(is_account(telemetry, 1, 0, 2, 0));
}

} // namespace gravitas::telemetry::test
