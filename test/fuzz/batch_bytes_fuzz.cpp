#include "core/batch_reader.hpp"
#include "core/batch_writer.hpp"

#include "fuzz.hpp"

namespace {

using namespace gravitas::telemetry::core;

// Reading, writing and reading again keeps every event.
void copy_batch(std::span<const std::uint8_t> input, std::pmr::memory_resource &memory)
{
    BatchReader reader(input, memory);
    const auto text = [&](std::optional<std::uint32_t> place) {
        return place ? reader.dictionary()[*place] : std::string_view();
    };
    BatchWriter writer;
    for (BatchRow row; reader.next(row);)
        writer.add({row.time_us, text(row.event_type), text(row.component), row.value, row.duration_ms,
                    row.first_token_ms, row.prompt_tokens, row.tokens_generated, text(row.status),
                    row.metadata.value_or("")});
    const fuzz::Bytes copy = writer.finish(reader.header());
    std::pmr::unsynchronized_pool_resource scratch;
    BatchReader again(copy, scratch);
    fuzz::require(again.events() == reader.events() && again.header() == reader.header());
    for (BatchRow row; again.next(row);) {
    }
}

} // namespace

// The input as it is, and with the length and the checksum mended, so that the search gets past them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    fuzz::Bytes input(data, data + size);
    for (int attempt = 0; attempt < 2; ++attempt) {
        fuzz::Bounded memory{20 * size + 4096};
        try {
            copy_batch(input, memory);
        } catch (const Error &error) {
            fuzz::require(error.position() <= size);
        }
        if (size < batch_header_bytes)
            break;
        rewrite_header(input, {.producer = {}, .sequence = 1});
    }
    return 0;
}
