#include "support.hpp"

#include <thread>

namespace gravitas::telemetry::test {

namespace {

struct Readers : ::testing::Test {
    Database database;
    Client client{{.conninfo = database.conninfo()}};

    Error error_of(const std::function<void()> &call)
    {
        try {
            call();
        } catch (const Error &error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return {"", "", false};
    }
};

} // namespace

TEST_F(Readers, recent_events_are_newest_first)
{
    const auto now = std::chrono::floor<std::chrono::microseconds>(Clock::now());
    for (int i = 0; i < 15; ++i)
        client.log({.event_type = "TICK", .component = "a", .value = i * 1.0, .event_time = now + i * 1us});
    client.log({.event_type = "OTHER",
                .component = "b",
                .metadata = R"({"k": "ü"})",
                .status = "WARNING",
                .event_time = now - 1h});
    client.log({.event_type = "BARE", .status = "", .event_time = now - 2h});
    ASSERT_TRUE(client.flush(patience));

    const auto ten = client.get_recent_events();
    ASSERT_EQ(ten.size(), 10u);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(ten[static_cast<std::size_t>(i)].value, 14 - i);
        EXPECT_EQ(ten[static_cast<std::size_t>(i)].timestamp, now + (14 - i) * 1us);
    }

    const auto all = client.get_recent_events(100);
    ASSERT_EQ(all.size(), 17u);
    EXPECT_EQ(all[16].event_type, "BARE");
    EXPECT_EQ(all[16].component, std::nullopt);
    EXPECT_EQ(all[16].value, std::nullopt);
    EXPECT_EQ(all[16].status, std::nullopt);
    EXPECT_EQ(all[16].metadata, "null");

    const auto of_b = client.get_recent_events(100, "b");
    ASSERT_EQ(of_b.size(), 1u);
    EXPECT_EQ(of_b[0].event_type, "OTHER");
    EXPECT_EQ(of_b[0].component, "b");
    EXPECT_EQ(of_b[0].status, "WARNING");
    EXPECT_EQ(of_b[0].metadata, R"({"k": "ü"})");
    EXPECT_TRUE(client.get_recent_events(100, "nobody").empty());
}

TEST_F(Readers, aggregated_efficiency_weighs_by_tokens)
{
    client.log_thought_latency("slow", 1.0, 10); // 100 ms/token
    client.log_thought_latency("slow", 1.0, 40); // 25
    client.log_thought_latency({.model_name = "slow", .inference_time_seconds = 9, .success = false});
    client.log_thought_latency("fast", 0.5, 100); // 5
    ASSERT_TRUE(client.flush(patience));

    const auto models = client.get_aggregated_efficiency();
    ASSERT_EQ(models.size(), 2u);
    EXPECT_EQ(models[0].component, "fast");
    EXPECT_EQ(models[1].component, "slow");
    EXPECT_EQ(models[1].measurement_count, 2);
    EXPECT_EQ(models[1].error_count, 1);
    EXPECT_DOUBLE_EQ(models[1].avg_efficiency_score.value(), 62.5);
    EXPECT_DOUBLE_EQ(models[1].weighted_efficiency_score.value(), 40);
    EXPECT_DOUBLE_EQ(models[1].best_efficiency.value(), 25);
    EXPECT_DOUBLE_EQ(models[1].worst_efficiency.value(), 100);
    EXPECT_GE(models[1].p50_efficiency.value(), 25);
    EXPECT_GE(models[1].p95_efficiency.value(), models[1].p50_efficiency.value());
    EXPECT_LE(models[1].p99_efficiency.value(), 100);
    EXPECT_EQ(models[1].total_tokens, 50);
    EXPECT_LT(models[1].window_start, Clock::now() - 23h);
    EXPECT_GT(models[1].window_end, Clock::now() - 1min);

    const auto only = client.get_aggregated_efficiency("slow", 1);
    ASSERT_EQ(only.size(), 1u);
    EXPECT_EQ(only[0].total_tokens, 50);
    EXPECT_GT(only[0].window_start, Clock::now() - 2h);
}

TEST_F(Readers, sixty_day_statistics_of_nothing)
{
    const auto statistics = client.get_60day_statistics();
    EXPECT_EQ(statistics.total_measurements, 0);
    EXPECT_EQ(statistics.unique_models, 0);
    EXPECT_EQ(statistics.oldest_record, std::nullopt);
    EXPECT_EQ(statistics.newest_record, std::nullopt);
    EXPECT_TRUE(statistics.model_trends.empty());
    EXPECT_EQ(statistics.retention_window_days, 60);
}

TEST_F(Readers, sixty_day_statistics_follow_the_models)
{
    const auto now = std::chrono::floor<std::chrono::microseconds>(Clock::now());
    client.log_load_latency({.model_name = "m", .load_time_seconds = 3, .event_time = now - 48h});
    client.log_thought_latency({.model_name = "m",
                                .inference_time_seconds = 1,
                                .tokens_generated = 20,
                                .prompt_tokens = 5,
                                .event_time = now - 1us});
    client.log_thought_latency(
        {.model_name = "m", .inference_time_seconds = 1, .success = false, .event_time = now - 2us});
    client.log({.event_type = "VRAM_CHECK", .component = "gpu0", .value = 1, .event_time = now - 24h});
    ASSERT_TRUE(client.flush(patience));

    const auto statistics = client.get_60day_statistics();
    EXPECT_EQ(statistics.total_measurements, 4);
    EXPECT_EQ(statistics.unique_models, 1);
    EXPECT_EQ(statistics.oldest_record, now - 48h);
    EXPECT_EQ(statistics.newest_record, now - 1us);
    ASSERT_EQ(statistics.model_trends.size(), 1u);
    const auto &trend = statistics.model_trends[0];
    EXPECT_EQ(trend.component, "m");
    EXPECT_EQ(trend.measurement_count, 1);
    EXPECT_EQ(trend.error_count, 1);
    EXPECT_EQ(trend.avg_efficiency_score, 50);
    EXPECT_EQ(trend.weighted_efficiency_score, 50);
    EXPECT_EQ(trend.best_efficiency, 50);
    EXPECT_EQ(trend.worst_efficiency, 50);
    EXPECT_EQ(trend.total_tokens_processed, 25);
    EXPECT_EQ(trend.load_count, 1);
    EXPECT_EQ(trend.avg_load_time_seconds, 3);
}

TEST_F(Readers, footprint_names_the_three_tables)
{
    const auto time = std::chrono::floor<std::chrono::microseconds>(Clock::now());
    for (int i = 0; i < 3; ++i)
        client.log({.event_type = "TICK", .event_time = time});
    ASSERT_TRUE(client.flush(patience));
    const auto tables = client.get_telemetry_footprint();
    ASSERT_EQ(tables.size(), 3u);
    EXPECT_EQ(tables[0].table, "system_telemetry");
    EXPECT_GT(tables[0].size_bytes, 0);
    EXPECT_EQ(tables[0].row_count, 3);
    EXPECT_FALSE(tables[0].row_count_is_estimate);
    EXPECT_EQ(tables[0].oldest_record, time);
    EXPECT_EQ(tables[1].table, "usage_stats");
    EXPECT_EQ(tables[1].row_count, 0);
    EXPECT_EQ(tables[1].oldest_record, std::nullopt);
    EXPECT_EQ(tables[2].table, "history");
}

TEST_F(Readers, pass_the_error_of_the_server_on)
{
    const Error error = error_of([&] { client.get_recent_events(-1); });
    EXPECT_EQ(error.sqlstate().substr(0, 2), "22");
    EXPECT_NE(std::string_view(error.what()).find("\nHINT: "), std::string_view::npos);
    EXPECT_FALSE(error.retryable());
    EXPECT_TRUE(client.get_recent_events().empty());
}

TEST_F(Readers, refuse_a_component_with_a_nul)
{
    EXPECT_EQ(error_of([&] { client.get_recent_events(1, std::string_view("a\0b", 3)); }).sqlstate(), "22021");
}

TEST_F(Readers, take_a_component_as_it_is)
{
    const std::string name = R"(it's "a\b" {c}, $1; --)";
    client.log_thought_latency(name, 1, 10);
    ASSERT_TRUE(client.flush(patience));
    EXPECT_EQ(client.get_recent_events(10, name).size(), 1u);
    EXPECT_EQ(client.get_aggregated_efficiency(name).size(), 1u);
}

TEST_F(Readers, work_from_many_threads)
{
    client.log_thought_latency("m", 1, 10);
    ASSERT_TRUE(client.flush(patience));
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i)
                EXPECT_EQ(client.get_recent_events().size(), 1u);
        });
    }
}

TEST(ReadersWithoutServer, throw)
{
    const TemporaryDirectory nowhere;
    Client client{{.conninfo = "host=" + nowhere.path()}};
    try {
        client.get_recent_events();
        ADD_FAILURE() << "no error";
    } catch (const Error &error) {
        EXPECT_EQ(error.sqlstate(), "");
        EXPECT_TRUE(error.retryable());
    }
}

} // namespace gravitas::telemetry::test
