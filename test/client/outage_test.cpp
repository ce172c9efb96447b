#include "support.hpp"

#include <atomic>
#include <stdexcept>

namespace gravitas::telemetry::test {

TEST(Outage, at_the_start_delays_events_only)
{
    const Database database;
    const Door door(database);
    Errors errors;
    Client client{{.conninfo = door.conninfo(), .reconnect_max = 50ms, .on_error = errors.listener()}};
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(client.log({.event_type = "TICK"}));
    EXPECT_TRUE(eventually([&] { return !errors.all().empty(); }));
    EXPECT_TRUE(errors.all()[0].retryable());
    EXPECT_EQ(errors.all()[0].sqlstate(), "");
    EXPECT_TRUE(is_account(client, 0, 10, 0, 0));
    door.open();
    EXPECT_TRUE(eventually([&] { return client.account().stored == 10; }));
    EXPECT_EQ(database.events(), 10);
}

TEST(Outage, keeps_events_up_to_the_bound)
{
    const Database database;
    const Door door(database);
    Client client{{.conninfo = door.conninfo(), .queue_capacity = 20, .reconnect_max = 50ms}};
    for (int i = 0; i < 30; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_TRUE(is_account(client, 0, 20, 10, 0));
    door.open();
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 20, 0, 10, 0));
    EXPECT_EQ(database.events(), 20);
}

// The pause between attempts grows to reconnect_max; a flush does not wait for its end.
TEST(Outage, is_left_at_once_by_flush)
{
    const Database database;
    const Door door(database);
    Errors errors;
    Client client{{.conninfo = door.conninfo(), .reconnect_max = std::chrono::hours(1), .on_error = errors.listener()}};
    client.log({.event_type = "TICK"});
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(client.flush(20ms));
    door.open();
    EXPECT_TRUE(client.flush(patience));
}

TEST(Outage, is_told_once_a_second)
{
    const TemporaryDirectory nowhere;
    Errors errors;
    Client client{{.conninfo = "host=" + nowhere.path(),
                   .reconnect_max = 1ms,
                   .close_deadline = 0ms,
                   .on_error = errors.listener()}};
    client.log({.event_type = "TICK"});
    const double seconds = seconds_of([&] { EXPECT_TRUE(eventually([&] { return errors.all().size() >= 3; })); });
    EXPECT_GE(seconds, 1.9);
}

TEST(Outage, survives_an_on_error_that_throws)
{
    const Database database;
    const Door door(database);
    std::atomic<int> calls{0};
    Client client{{.conninfo = door.conninfo(), .reconnect_max = 20ms, .on_error = [&](const Error &) {
                       ++calls;
                       throw std::runtime_error("from on_error");
                   }}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return calls > 0; }));
    door.open();
    EXPECT_TRUE(client.flush(patience));
}

TEST(Outage, on_error_may_use_the_client)
{
    const TemporaryDirectory nowhere;
    std::atomic<bool> is_ready{false};
    std::atomic<int> calls{0};
    Client *self = nullptr;
    Client client{{.conninfo = "host=" + nowhere.path(), .close_deadline = 0ms, .on_error = [&](const Error &) {
                       if (!is_ready)
                           return;
                       EXPECT_FALSE(self->flush(patience));
                       EXPECT_GE(self->account().queued, 1u);
                       self->log({.event_type = "ERROR_SEEN"});
                       ++calls;
                   }}};
    self = &client;
    is_ready = true;
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(eventually([&] { return calls > 0; }));
}

TEST(Outage, of_a_connection_loses_nothing)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = 1ms, .reconnect_max = 50ms}};
    for (int round = 1; round <= 5; ++round) {
        client.log({.event_type = "TICK"});
        EXPECT_TRUE(client.flush(patience));
        end_connections(database, "gravitas-telemetry");
    }
    EXPECT_TRUE(is_account(client, 5, 0, 0, 0));
    EXPECT_EQ(database.events(), 5);
}

TEST(Outage, in_the_middle_of_a_statement_loses_nothing)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(), .batch_age = 0ms, .reconnect_max = 50ms}};
    auto blocker = database.session();
    blocker.query("BEGIN");
    blocker.query("LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE");
    client.log({.event_type = "TICK"});
    auto observer = database.session();
    ASSERT_TRUE(eventually([&] {
        return observer.value("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              " WHERE datname = current_database() AND application_name = 'gravitas-telemetry'"
                              " AND wait_event_type = 'Lock') AS t") == "1";
    }));
    blocker.query("ROLLBACK");
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 1, 0, 0, 0));
    EXPECT_EQ(database.events(), 1);
}

TEST(Outage, of_a_reader_is_repaired)
{
    const Database database;
    Client client{{.conninfo = database.conninfo()}};
    EXPECT_TRUE(client.get_recent_events().empty());
    end_connections(database, "gravitas-telemetry");
    EXPECT_TRUE(client.get_recent_events().empty());
}

TEST(MissingExtension, is_told_with_what_to_type)
{
    const Database database(Database::Extension::missing);
    const std::string message = "extension \"gravitas_telemetry\" is not installed in database \"" + database.name() +
                                "\"; run CREATE EXTENSION gravitas_telemetry;";
    Errors errors;
    Client client{{.conninfo = database.conninfo(), .reconnect_max = 50ms, .on_error = errors.listener()}};
    for (int i = 0; i < 10; ++i)
        client.log({.event_type = "TICK"});
    EXPECT_FALSE(client.flush(300ms));
    ASSERT_TRUE(eventually([&] { return !errors.all().empty(); }));
    EXPECT_EQ(errors.all()[0].what(), message);
    EXPECT_TRUE(is_account(client, 0, 10, 0, 0));

    for (const auto &read : std::vector<std::function<void()>>{
             [&] { client.get_recent_events(); }, [&] { client.get_aggregated_efficiency(); },
             [&] { client.get_60day_statistics(); }, [&] { client.get_telemetry_footprint(); }}) {
        try {
            read();
            ADD_FAILURE() << "no error";
        } catch (const Error &error) {
            EXPECT_EQ(error.what(), message);
            EXPECT_FALSE(error.retryable());
        }
    }

    database.session().query("CREATE EXTENSION gravitas_telemetry");
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 10, 0, 0, 0));
    EXPECT_EQ(database.events(), 10);
}

} // namespace gravitas::telemetry::test
