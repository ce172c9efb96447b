#include "support.hpp"

#include <limits>
#include <stdexcept>

namespace gravitas::telemetry::test {

TEST(Options, that_cannot_work_are_refused)
{
    EXPECT_THROW(Client({.queue_capacity = 0}), std::invalid_argument);
    EXPECT_THROW(Client({.batch_events = 0}), std::invalid_argument);
    EXPECT_THROW(Client({.batches_in_flight = 0}), std::invalid_argument);
    EXPECT_THROW(Client({.conninfo = "host='unterminated"}), std::invalid_argument);
    EXPECT_THROW(Client({.conninfo = "no_such_option=1"}), std::invalid_argument);
    EXPECT_THROW(Client({.conninfo = "postgresql://[bad"}), std::invalid_argument);
}

TEST(Options, say_what_is_wrong_with_a_conninfo)
{
    try {
        Client client{{.conninfo = "no_such_option=1"}};
        ADD_FAILURE() << "no error";
    } catch (const std::invalid_argument &error) {
        EXPECT_NE(std::string_view(error.what()).find("no_such_option"), std::string_view::npos);
    }
}

TEST(Options, may_be_extreme)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(),
                   .queue_capacity = std::numeric_limits<std::size_t>::max(),
                   .batch_events = std::numeric_limits<std::size_t>::max(),
                   .batch_age = std::chrono::milliseconds::max(),
                   .reconnect_max = std::chrono::milliseconds::max(),
                   .close_deadline = std::chrono::milliseconds::max()}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.flush(std::chrono::milliseconds::max()));
    client.log({.event_type = "TICK"});
}

TEST(Options, may_be_tiny)
{
    const Database database;
    Client client{{.conninfo = database.conninfo(),
                   .queue_capacity = 1,
                   .batch_events = 1,
                   .batch_age = -1ms,
                   .reconnect_max = -1ms,
                   .close_deadline = patience}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, 1, 0, 0, 0));
}

TEST(Options, take_a_uri)
{
    const Database database;
    Client client{{.conninfo = "postgresql:///" + database.name() + "?application_name=my-app"}};
    client.log({.event_type = "TICK"});
    EXPECT_TRUE(client.flush(patience));
    EXPECT_EQ(database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'my-app'"
                             " AND datname = current_database()"),
              "1");
}

} // namespace gravitas::telemetry::test
