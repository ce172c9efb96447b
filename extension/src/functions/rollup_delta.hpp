// Deltas: what inserts append to the rollups beside their events.

#pragma once

#include "core/rollup_fold.hpp"
#include "functions/sink.hpp"
#include "pg/memory.hpp"

namespace gravitas::telemetry {

// Sums up stored events and appends the sums to rollup_delta, in bounded memory. Lives in a memory context, without a
// destructor.
class DeltaFold {
public:
    explicit DeltaFold(MemoryContext parent);

    // Of some events, those that this transaction has stored.
    void add(const Event *events, std::size_t count);
    // Appends what was added; the fold is empty again.
    void flush();

private:
    // Appending two deltas for one minute is right, only more to read.
    static constexpr std::size_t most_bytes = std::size_t{16} << 20;

    void add(const Event &event);

    MemoryContext context_;
    pg::ContextResource memory_;
    core::RollupFold fold_;
};

// The same for one event at once.
void append_delta(const Event &event);

} // namespace gravitas::telemetry
