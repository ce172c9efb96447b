// What figures mean: derivation, refusal, statuses.

#include "core/event.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "core/error.hpp"

namespace core = gravitas::telemetry::core;
using core::EventKind;
using core::Figures;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string refusal(EventKind kind, const Figures &figures)
{
    try {
        core::check(kind, figures);
    } catch (const core::Error &error) {
        EXPECT_STREQ(error.sqlstate(), "22023");
        EXPECT_STRNE(error.hint(), "");
        return error.what();
    }
    return "";
}

TEST(EventKind, IsNamedExactly)
{
    EXPECT_EQ(core::kind_of("LOAD_LATENCY"), EventKind::load);
    EXPECT_EQ(core::kind_of("THOUGHT_LATENCY"), EventKind::thought);
    EXPECT_EQ(core::kind_of("load_latency"), EventKind::other);
    EXPECT_EQ(core::kind_of("LOAD_LATENCY "), EventKind::other);
    EXPECT_EQ(core::kind_of(""), EventKind::other);
}

TEST(ErrorStatus, IsOneOfSixInAnyCase)
{
    for (const char *status : {"ERROR", "error", "Failed", "FAILURE", "timeOut", "CANCELLED", "aborted"})
        EXPECT_TRUE(core::is_error_status(status)) << status;
    for (const char *status : {"", "OK", "WARNING", "ERRO", "ERRORS", "CANCELED", " ERROR", "\xc3\x89RROR"})
        EXPECT_FALSE(core::is_error_status(status)) << status;
}

TEST(Complete, LoadIsSecondsAndMilliseconds)
{
    Figures from_seconds{.value = 2.503};
    core::complete(EventKind::load, from_seconds);
    EXPECT_DOUBLE_EQ(*from_seconds.duration_ms, 2503);

    Figures from_milliseconds{.duration_ms = 2503};
    core::complete(EventKind::load, from_milliseconds);
    EXPECT_DOUBLE_EQ(*from_milliseconds.value, 2.503);

    Figures both{.value = 2.5, .duration_ms = 2503};
    core::complete(EventKind::load, both);
    EXPECT_EQ(both.value, 2.5);
    EXPECT_EQ(both.duration_ms, 2500);
}

TEST(Complete, ThoughtIsMillisecondsPerToken)
{
    Figures measured{.value = 99, .duration_ms = 3002.4, .tokens_generated = 200};
    core::complete(EventKind::thought, measured);
    EXPECT_DOUBLE_EQ(*measured.value, 15.012);

    Figures scored{.value = 12.5, .tokens_generated = 8};
    core::complete(EventKind::thought, scored);
    EXPECT_DOUBLE_EQ(*scored.duration_ms, 100);
    EXPECT_EQ(scored.value, 12.5);

    Figures only_score{.value = 12.5};
    core::complete(EventKind::thought, only_score);
    EXPECT_EQ(only_score.value, 12.5);
    EXPECT_FALSE(only_score.duration_ms);
}

TEST(Complete, NoTokensMeansNoScore)
{
    Figures figures{.value = 0, .duration_ms = 50, .tokens_generated = 0};
    core::complete(EventKind::thought, figures);
    EXPECT_FALSE(figures.value);
    EXPECT_EQ(figures.duration_ms, 50);
}

TEST(Complete, BelowAnyClockIsZero)
{
    Figures figures{.duration_ms = 5e-324, .first_token_ms = 1e-13, .tokens_generated = 7};
    core::complete(EventKind::thought, figures);
    EXPECT_EQ(figures.duration_ms, 0);
    EXPECT_EQ(figures.first_token_ms, 0);
    EXPECT_EQ(figures.value, 0);
}

TEST(Complete, LeavesOtherEventsAlone)
{
    Figures figures{.value = -7, .tokens_generated = 0};
    core::complete(EventKind::other, figures);
    EXPECT_EQ(figures.value, -7);
    EXPECT_FALSE(figures.duration_ms);
}

void expect_same(const std::optional<double> &left, const std::optional<double> &right)
{
    ASSERT_EQ(left.has_value(), right.has_value());
    EXPECT_DOUBLE_EQ(left.value_or(0), right.value_or(0));
}

TEST(Complete, IsIdempotent)
{
    std::mt19937_64 random(20261124);
    std::uniform_real_distribution<double> milliseconds(0, 1e6);
    std::uniform_int_distribution<std::int32_t> tokens(0, 4096);
    for (int i = 0; i < 10'000; ++i) {
        Figures once;
        if (random() % 2)
            once.value = milliseconds(random);
        if (random() % 2)
            once.duration_ms = milliseconds(random);
        if (random() % 2)
            once.tokens_generated = tokens(random);
        const auto kind = static_cast<EventKind>(random() % 3);
        core::complete(kind, once);
        Figures twice = once;
        core::complete(kind, twice);
        expect_same(once.value, twice.value);
        expect_same(once.duration_ms, twice.duration_ms);
    }
}

TEST(Check, TakesWhatCanBeMeasured)
{
    EXPECT_EQ(refusal(EventKind::load, {.value = 0}), "");
    EXPECT_EQ(refusal(EventKind::load, {.value = 1e9}), "");
    EXPECT_EQ(refusal(EventKind::thought, {.value = 1e12, .duration_ms = 1e12, .tokens_generated = 0}), "");
    EXPECT_EQ(refusal(EventKind::other, {.value = -std::numeric_limits<double>::max()}), "");
    EXPECT_EQ(refusal(EventKind::other, {}), "");
}

TEST(Check, NamesWhatCannotBeMeasured)
{
    EXPECT_NE(refusal(EventKind::load, {.value = -0.001}).find("load time"), std::string::npos);
    EXPECT_NE(refusal(EventKind::load, {.value = 1e10}).find("1e+10"), std::string::npos);
    EXPECT_NE(refusal(EventKind::other, {.value = nan}).find("value must be finite"), std::string::npos);
    EXPECT_NE(refusal(EventKind::other, {.duration_ms = infinity}).find("duration_ms"), std::string::npos);
    EXPECT_NE(refusal(EventKind::other, {.duration_ms = -1}).find("\"-1\""), std::string::npos);
    EXPECT_NE(refusal(EventKind::thought, {.value = -1}).find("value"), std::string::npos);
    EXPECT_NE(refusal(EventKind::thought, {.first_token_ms = 1e13}).find("first_token_ms"), std::string::npos);
    EXPECT_NE(refusal(EventKind::thought, {.prompt_tokens = -1}).find("prompt_tokens"), std::string::npos);
    EXPECT_NE(refusal(EventKind::thought, {.tokens_generated = -1}).find("tokens_generated"), std::string::npos);
}

} // namespace
