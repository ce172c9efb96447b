#include "core/sketch.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    gravitas::telemetry::core::fuzz::read_text<gravitas::telemetry::core::Sketch>(data, size);
    return 0;
}
