// The encoded form of totals.
//
//     byte           which parts follow: 1, 2, 4 the measures of value, duration, first token; 8 tokens;
//                    16 weighted, 32 weighted equal to (sum of duration, tokens generated); 64 decode; 128 regression
//     varint         events; errors; unscored
//     signed varint  first_at; varint last_at - first_at
//     measure        each: sketch without version, sum, real squares
//     tokens         varint generated; varint prompt
//     weighted       sum duration; varint tokens
//     decode         sum duration; varint tokens
//     regression     varint 2 * calls + same; p, g and sum d unless same, that is equal to the prompt tokens and to
//                    the weighted tokens and duration; pp, pg, gg as varints of the low and the high word, the low one
//                    first; sums pd, gd, dd
//
// A sum is two reals, its high and its low part in normal form; what is unknown is NaN.

#include "core/totals.hpp"

#include <cmath>

namespace gravitas::telemetry::core {

namespace {

enum Part : std::uint8_t {
    first_measure = 1,
    tokens = 8,
    weighted = 16,
    weighted_same = 32,
    decode = 64,
    regression = 128,
};

void write_sum(Writer &writer, const Sum &sum) noexcept
{
    const Sum normal = sum.normal();
    writer.real(normal.high());
    writer.real(normal.low());
}

Sum read_sum(Reader &reader)
{
    const double high = reader.real();
    return {high, reader.real()};
}

// Events, errors, unscored, first_at, last_at.
Counters read_occurrence(Reader &reader)
{
    Counters counters;
    counters.events = reader.varint();
    counters.errors = reader.varint();
    counters.unscored = reader.varint();
    counters.first_at = reader.signed_varint();
    const std::uint64_t lasts = reader.varint();
    const auto first = static_cast<std::uint64_t>(counters.first_at);
    reader.check(lasts <= largest_count - first, "time of the last event out of range");
    counters.last_at = static_cast<std::int64_t>(first + lasts);
    return counters;
}

void write_ratio(Writer &writer, const MsOverTokens &ratio) noexcept
{
    write_sum(writer, ratio.duration_ms);
    writer.varint(ratio.tokens);
}

MsOverTokens read_ratio(Reader &reader)
{
    const Sum duration_ms = read_sum(reader);
    return {duration_ms, reader.varint()};
}

void write_wide(Writer &writer, const WideCount &count) noexcept
{
    writer.varint(count.low);
    writer.varint(count.high);
}

WideCount read_wide(Reader &reader)
{
    const std::uint64_t low = reader.varint();
    return {low, reader.varint()};
}

bool regression_same(const Counters &counters) noexcept
{
    const RegressionSums &sums = counters.regression;
    return sums.p == counters.prompt_tokens && sums.g == counters.weighted.tokens &&
           sums.d == counters.weighted.duration_ms;
}

void write_regression(Writer &writer, const Counters &counters) noexcept
{
    const RegressionSums &sums = counters.regression;
    const bool same = regression_same(counters);
    writer.varint(2 * sums.calls + (same ? 1 : 0));
    if (!same) {
        writer.varint(sums.p);
        writer.varint(sums.g);
        write_sum(writer, sums.d);
    }
    for (const WideCount &products : {sums.pp, sums.pg, sums.gg})
        write_wide(writer, products);
    for (const Sum &products : {sums.pd, sums.gd, sums.dd})
        write_sum(writer, products);
}

void read_regression(Reader &reader, Counters &counters)
{
    RegressionSums &sums = counters.regression;
    const std::uint64_t calls = reader.varint();
    sums.calls = calls >> 1;
    if ((calls & 1) != 0) {
        sums.p = counters.prompt_tokens;
        sums.g = counters.weighted.tokens;
        sums.d = counters.weighted.duration_ms;
    } else {
        sums.p = reader.varint();
        sums.g = reader.varint();
        sums.d = read_sum(reader);
    }
    for (WideCount *products : {&sums.pp, &sums.pg, &sums.gg})
        *products = read_wide(reader);
    for (Sum *products : {&sums.pd, &sums.gd, &sums.dd})
        *products = read_sum(reader);
}

// The parts that have to be written.
std::uint8_t parts_of(const Totals &totals) noexcept
{
    const Counters &counters = totals.counters;
    unsigned parts = 0;
    for (std::size_t i = 0; i < metrics; ++i)
        parts |= totals.measures[i].sketch.count() > 0 ? first_measure << i : 0;
    parts |= (counters.tokens_generated | counters.prompt_tokens) > 0 ? tokens : 0;
    if (counters.weighted.tokens > 0)
        parts |= counters.weighted.tokens == counters.tokens_generated &&
                         counters.weighted.duration_ms == totals[Metric::duration_ms].moments.sum
                     ? weighted_same
                     : weighted;
    parts |= counters.decode.tokens > 0 ? decode : 0;
    parts |= counters.regression.calls > 0 ? regression : 0;
    return static_cast<std::uint8_t>(parts);
}

} // namespace

void Totals::write(Writer &writer) const noexcept
{
    const std::uint8_t parts = parts_of(*this);
    writer.byte(parts);
    writer.varint(counters.events);
    writer.varint(counters.errors);
    writer.varint(counters.unscored);
    writer.signed_varint(counters.first_at);
    writer.varint(static_cast<std::uint64_t>(counters.last_at) - static_cast<std::uint64_t>(counters.first_at));
    for (const Measure &measure : measures) {
        if (measure.sketch.count() == 0)
            continue;
        measure.sketch.write(writer);
        write_sum(writer, measure.moments.sum);
        const double squares = measure.moments.squares;
        writer.real(std::isfinite(squares) ? squares : std::numeric_limits<double>::quiet_NaN());
    }
    if ((parts & tokens) != 0) {
        writer.varint(counters.tokens_generated);
        writer.varint(counters.prompt_tokens);
    }
    if ((parts & weighted) != 0)
        write_ratio(writer, counters.weighted);
    if ((parts & decode) != 0)
        write_ratio(writer, counters.decode);
    if ((parts & regression) != 0)
        write_regression(writer, counters);
}

Counters Totals::read_beginning(Reader &reader)
{
    static_cast<void>(reader.byte());
    return read_occurrence(reader);
}

EncodedTotals Totals::read(Reader &reader, const Wanted &wanted)
{
    EncodedTotals totals;
    Counters &counters = totals.counters;
    const std::uint8_t parts = reader.byte();
    counters = read_occurrence(reader);
    for (std::size_t i = 0; i < metrics; ++i) {
        if ((parts & first_measure << i) == 0)
            continue;
        EncodedMeasure &measure = totals.measures[i];
        if (wanted.metrics.has(i))
            measure.sketch = Sketch::read(reader, wanted.buckets);
        else
            Sketch::skip(reader);
        measure.moments.sum = read_sum(reader);
        measure.moments.squares = reader.real();
        reader.check(!(measure.moments.squares < 0), "negative sum of squares");
    }
    if ((parts & tokens) != 0) {
        counters.tokens_generated = reader.varint();
        counters.prompt_tokens = reader.varint();
    }
    if ((parts & weighted) != 0)
        counters.weighted = read_ratio(reader);
    if ((parts & weighted_same) != 0)
        counters.weighted = {totals.measures[1].moments.sum, counters.tokens_generated};
    if ((parts & decode) != 0)
        counters.decode = read_ratio(reader);
    if (!wanted.regression)
        (void)reader.bytes(reader.remaining()); // it comes last
    else if ((parts & regression) != 0)
        read_regression(reader, counters);
    for (std::size_t i = 0; i < metrics; ++i)
        if (!wanted.metrics.has(i))
            totals.measures[i] = {};
    const char *fault = contradiction(counters, {totals.measures[0].sketch.extent, totals.measures[1].sketch.extent,
                                                 totals.measures[2].sketch.extent});
    reader.check(fault == nullptr, fault);
    return totals;
}

} // namespace gravitas::telemetry::core
