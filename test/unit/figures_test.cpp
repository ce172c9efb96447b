#include "core/figures.hpp"

#include "oracle.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gravitas::telemetry::core {
namespace {

using test::error_of;
using test::Oracle;
using test::random_observations;
using test::summary_of;
using test::thought;

constexpr Metric all_metrics[] = {Metric::value, Metric::duration_ms, Metric::first_token_ms};

TEST(Figures, NothingMeasuredIsAbsent)
{
    test::Context memory;
    Observation failed = thought(5, 5);
    failed.is_error = true;
    for (const std::size_t errors : {0, 3, 12}) {
        const Summary summary = summary_of(std::vector<Observation>(errors, failed), memory);
        for (const Metric metric : all_metrics) {
            EXPECT_EQ(measured(summary, metric), 0u);
            for (const auto figure : {total, mean, least, greatest, standard_deviation})
                EXPECT_EQ(figure(summary, metric), std::nullopt);
            EXPECT_EQ(percentile(summary, metric, 0.5), std::nullopt);
            EXPECT_EQ(rank(summary, metric, 0.5), std::nullopt);
        }
        for (const auto figure : {ms_per_token, tokens_per_second, decode_ms_per_token})
            EXPECT_EQ(figure(summary), std::nullopt);
        EXPECT_EQ(error_rate(summary), errors > 0 ? std::optional{1.0} : std::nullopt);
        EXPECT_EQ(latency_model(summary), std::nullopt);
    }
}

TEST(Figures, MeanWorstAndWeightedDiffer)
{
    test::Context memory;
    const Summary summary = summary_of({thought(1000, 10), thought(100, 90)}, memory);
    EXPECT_EQ(measured(summary), 2u);
    EXPECT_DOUBLE_EQ(mean_score(summary).value(), (100 + 100.0 / 90) / 2);
    EXPECT_EQ(ms_per_token(summary), 11);
    EXPECT_DOUBLE_EQ(tokens_per_second(summary).value(), 1000.0 / 11);
    EXPECT_EQ(best(summary), 100.0 / 90);
    EXPECT_EQ(worst(summary), 100);
    EXPECT_EQ(total(summary, Metric::duration_ms), 1100);
}

TEST(Figures, ZeroTokensAndErrorsAreNoScores)
{
    test::Context memory;
    Observation failed = thought(1e6, 1);
    failed.is_error = true;
    Observation empty = thought(500, 1);
    empty.tokens_generated = 0;
    const Summary summary = summary_of({thought(1000, 10), failed, empty, thought(1000, 10)}, memory);
    EXPECT_EQ(measured(summary), 2u);
    EXPECT_EQ(best(summary), 100);
    EXPECT_EQ(ms_per_token(summary), 100);
    EXPECT_EQ(error_rate(summary), 0.25);
    EXPECT_EQ(measured(summary, Metric::duration_ms), 3u);
    EXPECT_EQ(summary.totals().counters.unscored, 1u);
}

TEST(Figures, DecodePaceNeedsTwoTokensAndAFirstOneInTime)
{
    test::Context memory;
    const auto with_first = [](double duration, std::int32_t tokens, double first) {
        Observation event = thought(duration, tokens);
        event.first_token_ms = first;
        return event;
    };
    const Summary summary = summary_of(
        {with_first(1000, 11, 100), with_first(500, 1, 100), with_first(500, 10, 501), thought(900, 10)}, memory);
    EXPECT_EQ(decode_ms_per_token(summary), 90);
}

TEST(Figures, EqualBruteForce)
{
    test::Random random{1};
    for (const std::size_t count : {2, 5, 8, 9, 30, 3000}) {
        test::Context memory;
        const auto events = random_observations(random, count);
        const Oracle oracle{events};
        const Summary summary = summary_of(events, memory);
        for (const Metric metric : all_metrics) {
            const std::vector<double> &values = oracle.values(metric);
            if (values.size() < 2)
                continue;
            const auto n = static_cast<double>(values.size());
            EXPECT_NEAR(mean(summary, metric).value(), static_cast<double>(oracle.sum(metric)) / n,
                        1e-12 * oracle.magnitudes(metric) / n);
            EXPECT_NEAR(standard_deviation(summary, metric).value(), oracle.standard_deviation(metric),
                        1e-9 * oracle.standard_deviation(metric));
            for (int i = 0; i <= 100; ++i) {
                const auto place = static_cast<std::size_t>(std::max(1.0, std::ceil(i / 100.0 * n)));
                const double exact = values[place - 1];
                const double tolerance = count <= most_listed ? 0 : 0.0055 * std::abs(exact);
                EXPECT_NEAR(percentile(summary, metric, i / 100.0).value(), exact, tolerance);
            }
            const auto share_through = [&](double x) {
                return static_cast<double>(std::upper_bound(values.begin(), values.end(), x) - values.begin()) / n;
            };
            const double slack = count <= most_listed ? 0 : 0.011 * std::abs(values[1]);
            EXPECT_GE(rank(summary, metric, values[1]).value(), share_through(values[1]));
            EXPECT_LE(rank(summary, metric, values[1]).value(), share_through(values[1] + slack));
        }
        const auto near = [](std::optional<double> figure, const Oracle::Ratio &ratio) {
            if (ratio.denominator == 0)
                return !figure.has_value();
            const auto expected = static_cast<double>(ratio.numerator / static_cast<long double>(ratio.denominator));
            return std::abs(*figure - expected) <= 1e-12 * expected;
        };
        EXPECT_TRUE(near(ms_per_token(summary), oracle.weighted));
        EXPECT_TRUE(near(decode_ms_per_token(summary), oracle.decode));
    }
}

TEST(Figures, StandardDeviationSurvivesALargeMean)
{
    test::Context memory;
    Summary summary{memory};
    for (int i = 0; i < 1000; ++i) {
        Observation event;
        event.value = 1e9 + i % 2;
        summary.add(event);
    }
    EXPECT_NEAR(standard_deviation(summary, Metric::value).value(), 0.50025, 1e-5);
}

TEST(Figures, SumsOutOfRangeAreAbsentAndTheRestIsNot)
{
    test::Context memory;
    Summary summary{memory};
    for (std::int32_t i = 0; i < 20; ++i) {
        Observation event = thought(std::numeric_limits<double>::max(), 1 + i % 3);
        event.value = std::numeric_limits<double>::max();
        event.prompt_tokens = i;
        summary.add(event);
    }
    EXPECT_EQ(mean_score(summary), std::nullopt);
    EXPECT_EQ(ms_per_token(summary), std::nullopt);
    EXPECT_EQ(standard_deviation(summary, Metric::value), std::nullopt);
    EXPECT_EQ(latency_model(summary), std::nullopt);
    EXPECT_EQ(percentile(summary, Metric::value, 0.5), std::numeric_limits<double>::max());
}

TEST(Figures, PercentileOutsideItsRangeIsRefused)
{
    test::Context memory;
    for (const std::size_t count : {0, 3, 20}) {
        const Summary summary = summary_of(std::vector<Observation>(count, thought(5, 5)), memory);
        for (const double p : {-0.1, 1.1, std::nan("")})
            EXPECT_EQ(error_of([&] { (void)percentile(summary, Metric::value, p); }), ErrorKind::out_of_range);
        EXPECT_EQ(error_of([&] { (void)rank(summary, Metric::value, std::nan("")); }), ErrorKind::out_of_range);
    }
}

TEST(LatencyModel, FindsThePlaneThePointsLieOn)
{
    test::Random random{2};
    test::Context memory;
    for (const double offset : {0.0, 1e11}) { // a large common part must not drown the slopes
        Summary summary{memory};
        for (int i = 0; i < 500; ++i) {
            const auto prompt = static_cast<std::int32_t>(test::below(random, 4000));
            const auto tokens = static_cast<std::int32_t>(1 + test::below(random, 900));
            Observation event = thought(offset + 120 + 0.25 * prompt + 12.5 * tokens, tokens);
            event.prompt_tokens = prompt;
            summary.add(event);
            event.prompt_tokens.reset();
            event.duration_ms = 5;
            event.value = 1;
            summary.add(event); // without prompt tokens it does not count
        }
        const LatencyModel model = latency_model(summary).value();
        EXPECT_NEAR(model.fixed_ms, offset + 120, 1e-4);
        EXPECT_NEAR(model.ms_per_prompt_token, 0.25, 1e-9);
        EXPECT_NEAR(model.ms_per_generated_token, 12.5, 1e-9);
        EXPECT_NEAR(model.r_squared, 1, 0.01);
    }
}

TEST(LatencyModel, NoiseLowersItsShare)
{
    test::Random random{3};
    test::Context memory;
    Summary summary{memory};
    for (int i = 0; i < 20'000; ++i) {
        const auto tokens = static_cast<std::int32_t>(100 + test::below(random, 100));
        Observation event = thought(2000 + 10 * tokens + std::normal_distribution<double>{0, 288.7}(random), tokens);
        event.prompt_tokens = static_cast<std::int32_t>(test::below(random, 100));
        summary.add(event);
    }
    const LatencyModel model = latency_model(summary).value();
    EXPECT_NEAR(model.ms_per_generated_token, 10, 0.3);
    EXPECT_NEAR(model.ms_per_prompt_token, 0, 0.3);
    EXPECT_NEAR(model.r_squared, 0.5, 0.03);
}

TEST(LatencyModel, NeedsIndependentTokens)
{
    test::Context memory;
    Summary constant{memory};
    Summary proportional{memory};
    for (std::int32_t i = 1; i < 50; ++i) {
        Observation event = thought(100 + 3 * i, i);
        event.prompt_tokens = 7;
        constant.add(event);
        event.prompt_tokens = 2 * i;
        proportional.add(event);
    }
    EXPECT_EQ(latency_model(constant), std::nullopt);
    EXPECT_EQ(latency_model(proportional), std::nullopt);
}

} // namespace
} // namespace gravitas::telemetry::core
