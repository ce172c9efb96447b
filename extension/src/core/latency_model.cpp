// Least squares from the normal-equation sums of a summary.

#include "core/figures.hpp"

#include <algorithm>
#include <cmath>

namespace gravitas::telemetry::core {

namespace {

// Adds a * b, exactly but for the sum's own error.
void add_product(Sum &sum, double a, double b)
{
    const double product = a * b;
    sum.add(product);
    sum.add(std::fma(a, b, -product));
}

Sum sum_of(std::uint64_t x)
{
    const std::uint64_t low = x & 0x7ff; // a double holds the upper 53 bits exactly
    Sum sum{static_cast<double>(x - low), 0};
    sum.add(static_cast<double>(low));
    return sum;
}

Sum sum_of(const WideCount &x)
{
    Sum sum = sum_of(x.low);
    const Sum high = sum_of(x.high);
    sum.add(std::ldexp(high.high(), 64));
    sum.add(std::ldexp(high.low(), 64));
    return sum;
}

// n * products - a * b: n times the sum of products of distances from the means, without the cancellation of doing it
// in doubles.
double centred(const Sum &n, const Sum &products, const Sum &a, const Sum &b)
{
    Sum difference;
    for (const double left : {n.high(), n.low()})
        for (const double right : {products.high(), products.low()})
            add_product(difference, left, right);
    for (const double left : {a.high(), a.low()})
        for (const double right : {b.high(), b.low()})
            add_product(difference, -left, right);
    return difference.high() + difference.low();
}

} // namespace

std::optional<LatencyModel> latency_model(const Summary &summary)
{
    const RegressionSums &sums = summary.totals().counters.regression;
    if (sums.calls < 4)
        return std::nullopt;
    const Sum n = sum_of(sums.calls);
    const Sum p = sum_of(sums.p);
    const Sum g = sum_of(sums.g);
    const double pp = centred(n, sum_of(sums.pp), p, p);
    const double pg = centred(n, sum_of(sums.pg), p, g);
    const double gg = centred(n, sum_of(sums.gg), g, g);
    const double pd = centred(n, sums.pd, p, sums.d);
    const double gd = centred(n, sums.gd, g, sums.d);
    const double dd = centred(n, sums.dd, sums.d, sums.d);
    const double determinant = pp * gg - pg * pg;
    if (!(determinant > 1e-9 * pp * gg))
        return std::nullopt;

    LatencyModel model{};
    model.ms_per_prompt_token = (pd * gg - gd * pg) / determinant;
    model.ms_per_generated_token = (gd * pp - pd * pg) / determinant;
    model.fixed_ms = ((sums.d.high() + sums.d.low()) - model.ms_per_prompt_token * static_cast<double>(sums.p) -
                      model.ms_per_generated_token * static_cast<double>(sums.g)) /
                     static_cast<double>(sums.calls);
    const double explained = model.ms_per_prompt_token * pd + model.ms_per_generated_token * gd;
    model.r_squared = dd > 0 ? std::clamp(explained / dd, 0.0, 1.0) : 1.0;
    if (!std::isfinite(model.fixed_ms) || !std::isfinite(model.ms_per_prompt_token) ||
        !std::isfinite(model.ms_per_generated_token) || std::isnan(model.r_squared))
        return std::nullopt;
    return model;
}

} // namespace gravitas::telemetry::core
