#include "core/figures.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace gravitas::telemetry::core;
    fuzz::decode_bytes<Summary>(data, size);
    std::pmr::unsynchronized_pool_resource scratch;
    try { // reads that skip some of it must be as safe
        Summary merged{scratch};
        merged.merge_encoded({data, size}, {.metrics = {Metric::value}});
        (void)merged.totals()[Metric::value].sketch.percentile(0.5);
        merged.merge_encoded({data, size}, {.metrics = {Metric::value}, .buckets = false, .regression = false});
        (void)mean(merged, Metric::value);
    } catch (const Error &error) {
        fuzz::require(error.position() <= size);
    }
    return 0;
}
