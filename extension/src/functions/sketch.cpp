// The type telemetry.sketch: its forms, its aggregate, and what can be asked of it.

#include "core/otel.hpp"
#include "core/sketch.hpp"
#include "functions/figure.hpp"
#include "functions/mergeable_type.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;
using core::Sketch;

TELEMETRY_FUNCTION(sketch_in) { return type_in<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_out) { return type_out<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_recv) { return type_recv<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_send) { return type_send<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_to_jsonb) { return type_to_jsonb<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_from_bytea) { return type_from_bytea<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_eq) { PG_RETURN_BOOL(equal<Sketch>(fcinfo)); }
TELEMETRY_FUNCTION(sketch_ne) { PG_RETURN_BOOL(!equal<Sketch>(fcinfo)); }
TELEMETRY_FUNCTION(sketch_hash) { return type_hash<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_add) { return type_merge<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_merge_step) { return merge_step<Sketch>(fcinfo); }
TELEMETRY_FUNCTION(sketch_final) { return final_value<Sketch>(fcinfo); }

// sketch_step(state, x): NULLs are skipped
TELEMETRY_FUNCTION(sketch_step)
{
    if (PG_ARGISNULL(1))
        return PG_ARGISNULL(0) ? return_null(fcinfo) : PG_GETARG_DATUM(0);
    const double x = PG_GETARG_FLOAT8(1);
    return pg::accumulate<Sketch>(fcinfo, [&](Sketch &state) { state.add(x); });
}

TELEMETRY_FUNCTION(sketch_value_count)
{
    return pg::with_value<Sketch>(PG_GETARG_DATUM(0), [](const Sketch &s) { return Int64GetDatum(s.count()); });
}

TELEMETRY_FUNCTION(sketch_min_value)
{
    return figure<Sketch>(
        fcinfo, [](const Sketch &s) { return s.count() == 0 ? std::nullopt : std::optional(s.extent().minimum); });
}

TELEMETRY_FUNCTION(sketch_max_value)
{
    return figure<Sketch>(
        fcinfo, [](const Sketch &s) { return s.count() == 0 ? std::nullopt : std::optional(s.extent().maximum); });
}

// percentile(sketch, p)
TELEMETRY_FUNCTION(sketch_percentile)
{
    const double p = checked_share(PG_GETARG_FLOAT8(1));
    return figure<Sketch>(fcinfo, [=](const Sketch &s) { return s.percentile(p); });
}

// percentiles(sketch, p[])
TELEMETRY_FUNCTION(sketch_percentiles)
{
    return figures<Sketch>(fcinfo, [](const Sketch &s, double p) { return s.percentile(p); });
}

// percentile_rank(sketch, x)
TELEMETRY_FUNCTION(sketch_percentile_rank)
{
    const double x = PG_GETARG_FLOAT8(1);
    return figure<Sketch>(fcinfo, [=](const Sketch &s) { return s.rank(x); });
}

namespace {

void append_buckets(StringInfo json, const char *name, const core::ExponentialHistogram::Buckets &buckets)
{
    appendStringInfo(json, ", \"%s\": {\"offset\": %d, \"bucket_counts\": [", name, buckets.offset);
    const char *separator = "";
    for (const std::uint64_t count : buckets.bucket_counts) {
        appendStringInfo(json, "%s" UINT64_FORMAT, separator, count);
        separator = ", ";
    }
    appendStringInfoString(json, "]}");
}

void append_bound(StringInfo json, const char *name, std::optional<double> bound)
{
    if (bound)
        appendStringInfo(json, ", \"%s\": %s", name,
                         DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(*bound))));
}

} // namespace

// exponential_histogram(sketch) → jsonb, as OpenTelemetry's ExponentialHistogramDataPoint names it
TELEMETRY_FUNCTION(sketch_exponential_histogram)
{
    return pg::with_value<Sketch>(PG_GETARG_DATUM(0), [](const Sketch &sketch) {
        pg::ContextResource memory(CurrentMemoryContext);
        const core::ExponentialHistogram histogram = core::exponential_histogram(sketch, memory);
        StringInfoData json;
        initStringInfo(&json);
        appendStringInfo(&json, "{\"scale\": %d, \"count\": " UINT64_FORMAT ", \"zero_count\": " UINT64_FORMAT,
                         histogram.scale, histogram.count, histogram.zero_count);
        append_bound(&json, "min", histogram.min);
        append_bound(&json, "max", histogram.max);
        append_buckets(&json, "positive", histogram.positive);
        append_buckets(&json, "negative", histogram.negative);
        appendStringInfoChar(&json, '}');
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
    });
}
