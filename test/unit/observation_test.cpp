#include "core/observation.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gravitas::telemetry::core {
namespace {

using test::thought;

constexpr std::uint8_t scored = Sample::has_value | Sample::has_duration | Sample::has_tokens_generated;

TEST(Observation, AScoredThoughtCountsWhole)
{
    Observation event = thought(1000, 50, 7);
    event.prompt_tokens = 0;
    event.first_token_ms = 30;
    const Sample sample = sample_of(event);
    EXPECT_EQ(sample.flags, scored | Sample::has_prompt_tokens | Sample::has_first_token);
    EXPECT_EQ(sample.at, 7);
    EXPECT_EQ(sample.value, 20);
    EXPECT_EQ(sample.duration_ms, 1000);
    EXPECT_EQ(sample.first_token_ms, 30);
    EXPECT_EQ(sample.tokens_generated, 50u);
}

TEST(Observation, FailedLoadsAndThoughtsCountAsErrorsOnly)
{
    Observation event = thought(1000, 50, 7);
    event.is_error = true;
    EXPECT_EQ(sample_of(event), (Sample{.at = 7, .flags = Sample::error}));
    event.kind = EventKind::load;
    EXPECT_EQ(sample_of(event), (Sample{.at = 7, .flags = Sample::error}));
}

TEST(Observation, OtherEventsAreMeasuredWhateverTheirStatus)
{
    Observation event = thought(1000, 50);
    event.kind = EventKind::other;
    event.is_error = true;
    EXPECT_EQ(sample_of(event).flags, Sample::error | Sample::has_value | Sample::has_duration);
}

TEST(Observation, AThoughtWithoutTokensHasNoScore)
{
    Observation event = thought(1000, 50);
    event.tokens_generated = 0;
    event.prompt_tokens = 5;
    const Sample sample = sample_of(event);
    EXPECT_EQ(sample.flags, Sample::unscored | Sample::has_duration | Sample::has_prompt_tokens);
    EXPECT_EQ(sample.value, 0);
    EXPECT_EQ(sample.prompt_tokens, 5u);
    EXPECT_EQ(sample.tokens_generated, 0u);
}

TEST(Observation, AThoughtWithoutValueIsUnscoredAndALoadIsNot)
{
    Observation event;
    event.kind = EventKind::thought;
    EXPECT_EQ(sample_of(event).flags, Sample::unscored);
    event.kind = EventKind::load;
    EXPECT_EQ(sample_of(event).flags, 0);
}

TEST(Observation, AValueAloneIsAScore)
{
    Observation event;
    event.kind = EventKind::thought;
    event.value = 12.5;
    EXPECT_EQ(sample_of(event).flags, Sample::has_value);
}

TEST(Observation, ImpossibleNumbersAreRefused)
{
    const double infinity = std::numeric_limits<double>::infinity();
    const auto refused = [](auto change) {
        Observation event = thought(1000, 50);
        event.is_error = true; // also where they would not count
        change(event);
        return test::error_of([&] { (void)sample_of(event); }) == ErrorKind::out_of_range;
    };
    EXPECT_TRUE(refused([&](Observation &event) { event.value = infinity; }));
    EXPECT_TRUE(refused([&](Observation &event) { event.value = std::nan(""); }));
    EXPECT_TRUE(refused([&](Observation &event) { event.duration_ms = -1e-300; }));
    EXPECT_TRUE(refused([&](Observation &event) { event.duration_ms = infinity; }));
    EXPECT_TRUE(refused([&](Observation &event) { event.first_token_ms = std::nan(""); }));
    EXPECT_TRUE(refused([&](Observation &event) { event.tokens_generated = -1; }));
    EXPECT_TRUE(refused([&](Observation &event) { event.prompt_tokens = -1; }));
}

TEST(Observation, EverySampleIsValid)
{
    test::Random random{1};
    for (int i = 0; i < 10'000; ++i)
        EXPECT_TRUE(valid(sample_of(test::random_observation(random))));
    EXPECT_FALSE(valid({.value = 1, .flags = 128}));
    EXPECT_FALSE(valid({.duration_ms = -1, .flags = Sample::has_duration}));
    EXPECT_FALSE(valid({.prompt_tokens = 1, .flags = Sample::has_prompt_tokens}));
    EXPECT_FALSE(valid({.flags = Sample::has_value | Sample::has_tokens_generated}));
    EXPECT_FALSE(valid({.flags = Sample::unscored | Sample::error}));
}

} // namespace
} // namespace gravitas::telemetry::core
