#include "core/totals.hpp"

#include <algorithm>
#include <cmath>

namespace gravitas::telemetry::core {

namespace {

// Every number that can overflow is bounded by one of these; see contradiction().
void check_room(const Counters &present, std::uint64_t events, std::uint64_t generated, std::uint64_t prompt)
{
    if (events > largest_count - present.events || generated > largest_count - present.tokens_generated ||
        prompt > largest_count - present.prompt_tokens) [[unlikely]]
        throw Error{ErrorKind::overflow, "summary would count beyond 2^63 - 1"};
}

double as_double(const WideCount &count) noexcept
{
    return std::ldexp(static_cast<double>(count.high), 64) + static_cast<double>(count.low);
}

} // namespace

void RegressionSums::add(std::uint32_t prompt, std::uint32_t generated, double duration_ms) noexcept
{
    const std::uint64_t wide_prompt = prompt;
    ++calls;
    p += prompt;
    g += generated;
    pp.add(wide_prompt * prompt);
    pg.add(wide_prompt * generated);
    gg.add(std::uint64_t{generated} * generated);
    d.add(duration_ms);
    pd.add(prompt * duration_ms);
    gd.add(generated * duration_ms);
    dd.add(duration_ms * duration_ms);
}

void RegressionSums::merge(const RegressionSums &other) noexcept
{
    calls += other.calls;
    p += other.p;
    g += other.g;
    pp.add(other.pp);
    pg.add(other.pg);
    gg.add(other.gg);
    d.add(other.d);
    pd.add(other.pd);
    gd.add(other.gd);
    dd.add(other.dd);
}

void Counters::add(const Sample &sample)
{
    check_room(*this, 1, sample.tokens_generated, sample.prompt_tokens);
    first_at = events == 0 ? sample.at : std::min(first_at, sample.at);
    last_at = events == 0 ? sample.at : std::max(last_at, sample.at);
    ++events;
    errors += sample.has(Sample::error) ? 1 : 0;
    unscored += sample.has(Sample::unscored) ? 1 : 0;
    tokens_generated += sample.tokens_generated;
    prompt_tokens += sample.prompt_tokens;
    if (!sample.has(Sample::has_value | Sample::has_tokens_generated | Sample::has_duration))
        return;
    weighted.duration_ms.add(sample.duration_ms);
    weighted.tokens += sample.tokens_generated;
    const double decode_ms = sample.duration_ms - sample.first_token_ms;
    if (sample.has(Sample::has_first_token) && sample.tokens_generated > 1 && decode_ms >= 0) {
        decode.duration_ms.add(decode_ms);
        decode.tokens += sample.tokens_generated - 1;
    }
    if (sample.has(Sample::has_prompt_tokens))
        regression.add(sample.prompt_tokens, sample.tokens_generated, sample.duration_ms);
}

void Counters::merge(const Counters &other)
{
    if (other.events == 0)
        return;
    check_room(*this, other.events, other.tokens_generated, other.prompt_tokens);
    first_at = events == 0 ? other.first_at : std::min(first_at, other.first_at);
    last_at = events == 0 ? other.last_at : std::max(last_at, other.last_at);
    events += other.events;
    errors += other.errors;
    unscored += other.unscored;
    tokens_generated += other.tokens_generated;
    prompt_tokens += other.prompt_tokens;
    weighted.duration_ms.add(other.weighted.duration_ms);
    weighted.tokens += other.weighted.tokens;
    decode.duration_ms.add(other.decode.duration_ms);
    decode.tokens += other.decode.tokens;
    regression.merge(other.regression);
}

void Moments::merge(std::uint64_t count, const Moments &other, std::uint64_t other_count) noexcept
{
    if (count > 0 && other_count > 0) {
        const double n = static_cast<double>(count);
        const double m = static_cast<double>(other_count);
        const double apart = (other.sum.high() + other.sum.low()) / m - (sum.high() + sum.low()) / n;
        squares += apart * apart * (n * (m / (n + m)));
    }
    squares += other.squares;
    sum.add(other.sum);
}

void Totals::add(const Sample &sample)
{
    counters.add(sample);
    const auto add_to = [](Measure &measure, double x) {
        measure.sketch.add_unchecked(x, 1);
        measure.moments.add(x, measure.sketch.count());
    };
    if (sample.has(Sample::has_value))
        add_to(measures[0], sample.value);
    if (sample.has(Sample::has_duration))
        add_to(measures[1], sample.duration_ms);
    if (sample.has(Sample::has_first_token))
        add_to(measures[2], sample.first_token_ms);
}

void Totals::merge(const Totals &other)
{
    counters.merge(other.counters);
    for (std::size_t i = 0; i < metrics; ++i) {
        const Measure &added = other.measures[i];
        measures[i].moments.merge(measures[i].sketch.count(), added.moments, added.sketch.count());
        measures[i].sketch.merge(added.sketch);
    }
}

void Totals::merge(const EncodedTotals &other)
{
    counters.merge(other.counters);
    for (std::size_t i = 0; i < metrics; ++i) {
        const EncodedMeasure &added = other.measures[i];
        measures[i].moments.merge(measures[i].sketch.count(), added.moments, added.sketch.extent.count);
        measures[i].sketch.merge(added.sketch);
    }
}

const char *contradiction(const Counters &counters, const std::array<Extent, metrics> &extents) noexcept
{
    const RegressionSums &regression = counters.regression;
    if (counters.events > largest_count || counters.errors > counters.events ||
        counters.unscored > counters.events - counters.errors)
        return "more errors and unscored events than events";
    for (const Extent &extent : extents)
        if (extent.count > counters.events)
            return "more values than events";
    if (counters.first_at > counters.last_at)
        return "last event before the first";
    for (const Metric metric : {Metric::duration_ms, Metric::first_token_ms})
        if (const Extent &extent = extents[static_cast<std::size_t>(metric)]; extent.count > 0 && extent.minimum < 0)
            return "negative duration";
    if (counters.tokens_generated > largest_count || counters.prompt_tokens > largest_count ||
        counters.weighted.tokens > counters.tokens_generated || counters.decode.tokens > counters.weighted.tokens)
        return "numbers of tokens contradict each other";
    if (regression.calls > counters.events || regression.p > counters.prompt_tokens ||
        regression.g > counters.weighted.tokens)
        return "regression over more than there is";
    // Sums of products of what is not negative are at most products of sums, however they are merged.
    const double p = static_cast<double>(regression.p) * 1.000001;
    const double g = static_cast<double>(regression.g) * 1.000001;
    if (as_double(regression.pp) > p * p || as_double(regression.pg) > p * g || as_double(regression.gg) > g * g)
        return "sums of products contradict sums of tokens";
    return nullptr;
}

void Totals::release() noexcept
{
    for (Measure &measure : measures)
        measure.sketch.release();
}

} // namespace gravitas::telemetry::core
