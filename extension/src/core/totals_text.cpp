// The text form of totals: see core/summary_text.cpp.

#include "core/text.hpp"
#include "core/totals.hpp"

#include <cmath>

namespace gravitas::telemetry::core {

namespace {

constexpr std::string_view metric_names[metrics] = {"value", "duration_ms", "first_token_ms"};

void write_sum(TextWriter &writer, std::string_view name, const Sum &sum)
{
    writer.key(name);
    if (!sum.known()) {
        writer.raw("null");
        return;
    }
    const Sum normal = sum.normal();
    writer.open('[');
    writer.element(normal.high());
    writer.element(normal.low());
    writer.close(']');
}

Sum read_sum(TextReader &reader, std::string_view name)
{
    reader.key(name);
    if (reader.skip_word("null"))
        return {std::numeric_limits<double>::quiet_NaN(), 0};
    reader.open('[');
    const double high = reader.element<double>();
    const Sum sum{high, reader.element<double>()};
    reader.close(']');
    return sum;
}

void write_ratio(TextWriter &writer, std::string_view name, const MsOverTokens &ratio)
{
    if (ratio.tokens == 0)
        return;
    writer.key(name);
    writer.open('{');
    write_sum(writer, "duration_ms", ratio.duration_ms);
    writer.member("tokens", ratio.tokens);
    writer.close('}');
}

MsOverTokens read_ratio(TextReader &reader, std::string_view name)
{
    MsOverTokens ratio;
    if (!reader.has_key(name))
        return ratio;
    reader.open('{');
    ratio.duration_ms = read_sum(reader, "duration_ms");
    ratio.tokens = reader.member<std::uint64_t>("tokens");
    reader.check(ratio.tokens > 0, "duration over no tokens");
    reader.close('}');
    return ratio;
}

// [low word, high word]
void write_wide(TextWriter &writer, std::string_view name, const WideCount &count)
{
    writer.key(name);
    writer.open('[');
    writer.element(count.low);
    writer.element(count.high);
    writer.close(']');
}

WideCount read_wide(TextReader &reader, std::string_view name)
{
    reader.key(name);
    reader.open('[');
    const auto low = reader.element<std::uint64_t>();
    const WideCount count{low, reader.element<std::uint64_t>()};
    reader.close(']');
    return count;
}

void write_regression(TextWriter &writer, const RegressionSums &sums)
{
    if (sums.calls == 0)
        return;
    writer.key("regression");
    writer.open('{');
    writer.member("calls", sums.calls);
    writer.member("p", sums.p);
    writer.member("g", sums.g);
    write_wide(writer, "pp", sums.pp);
    write_wide(writer, "pg", sums.pg);
    write_wide(writer, "gg", sums.gg);
    write_sum(writer, "d", sums.d);
    write_sum(writer, "pd", sums.pd);
    write_sum(writer, "gd", sums.gd);
    write_sum(writer, "dd", sums.dd);
    writer.close('}');
}

RegressionSums read_regression(TextReader &reader)
{
    RegressionSums sums;
    if (!reader.has_key("regression"))
        return sums;
    reader.open('{');
    sums.calls = reader.member<std::uint64_t>("calls");
    reader.check(sums.calls > 0, "regression over no calls");
    sums.p = reader.member<std::uint64_t>("p");
    sums.g = reader.member<std::uint64_t>("g");
    sums.pp = read_wide(reader, "pp");
    sums.pg = read_wide(reader, "pg");
    sums.gg = read_wide(reader, "gg");
    sums.d = read_sum(reader, "d");
    sums.pd = read_sum(reader, "pd");
    sums.gd = read_sum(reader, "gd");
    sums.dd = read_sum(reader, "dd");
    reader.close('}');
    return sums;
}

void write_measure(TextWriter &writer, std::string_view name, const Measure &measure)
{
    if (measure.sketch.count() == 0)
        return;
    writer.key(name);
    writer.open('{');
    write_sum(writer, "sum", measure.moments.sum);
    writer.key("squares");
    if (std::isfinite(measure.moments.squares))
        writer.number(measure.moments.squares);
    else
        writer.raw("null");
    writer.key("sketch");
    measure.sketch.write_text(writer);
    writer.close('}');
}

void read_measure(TextReader &reader, std::string_view name, Measure &measure)
{
    if (!reader.has_key(name))
        return;
    reader.open('{');
    measure.moments.sum = read_sum(reader, "sum");
    reader.key("squares");
    measure.moments.squares =
        reader.skip_word("null") ? std::numeric_limits<double>::quiet_NaN() : reader.number<double>() + 0.0;
    reader.check(!(measure.moments.squares < 0), "negative sum of squares");
    reader.key("sketch");
    measure.sketch.read_text(reader);
    reader.check(measure.sketch.count() > 0, "measure of no values");
    reader.close('}');
}

} // namespace

void Totals::write_text(TextWriter &writer) const
{
    writer.open('{');
    writer.member("events", counters.events);
    writer.member("errors", counters.errors);
    writer.member("unscored", counters.unscored);
    writer.member("first_at", counters.first_at);
    writer.member("last_at", counters.last_at);
    writer.member("tokens_generated", counters.tokens_generated);
    writer.member("prompt_tokens", counters.prompt_tokens);
    write_ratio(writer, "weighted", counters.weighted);
    write_ratio(writer, "decode", counters.decode);
    write_regression(writer, counters.regression);
    for (std::size_t i = 0; i < metrics; ++i)
        write_measure(writer, metric_names[i], measures[i]);
    writer.close('}');
}

void Totals::read_text(TextReader &reader)
{
    reader.open('{');
    counters.events = reader.member<std::uint64_t>("events");
    counters.errors = reader.member<std::uint64_t>("errors");
    counters.unscored = reader.member<std::uint64_t>("unscored");
    counters.first_at = reader.member<std::int64_t>("first_at");
    counters.last_at = reader.member<std::int64_t>("last_at");
    counters.tokens_generated = reader.member<std::uint64_t>("tokens_generated");
    counters.prompt_tokens = reader.member<std::uint64_t>("prompt_tokens");
    counters.weighted = read_ratio(reader, "weighted");
    counters.decode = read_ratio(reader, "decode");
    counters.regression = read_regression(reader);
    for (std::size_t i = 0; i < metrics; ++i)
        read_measure(reader, metric_names[i], measures[i]);
    reader.close('}');
    const char *fault = contradiction(
        counters, {measures[0].sketch.extent(), measures[1].sketch.extent(), measures[2].sketch.extent()});
    reader.check(fault == nullptr, fault);
}

} // namespace gravitas::telemetry::core
