#include "core/summary.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace gravitas::telemetry::core;
    fuzz::decode_bytes<Summary>(data, size);
    std::pmr::unsynchronized_pool_resource scratch;
    try { // reads that skip some metrics must be as safe
        Summary merged{scratch};
        merged.merge_encoded({data, size}, {Metric::value});
        (void)merged.totals()[Metric::value].sketch.percentile(0.5);
    } catch (const Error &error) {
        fuzz::require(error.position() <= size);
    }
    return 0;
}
