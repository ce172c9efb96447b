// INSERT and COPY statements on the view: their rows on their way to storage, many at a time.
//
// The statement triggers of the view open and close a stream, the row trigger adds to the innermost one. Statements
// nest, where storing a row runs a function that inserts too; all inserts of one WITH query share one stream.

#pragma once

#include "functions/event_storage.hpp"
#include "functions/rollup_delta.hpp"
#include "functions/sink.hpp"

namespace gravitas::telemetry {

// Lives in a child of the (sub)transaction's context and goes with it where the statement fails.
class InsertStream {
public:
    static void open();
    // Stores what is left of the innermost stream, and the summaries.
    static void close();
    // The stream of the statement that is running; nullptr where the view is of a version without statement triggers.
    static InsertStream *current() noexcept;

    // Takes a prepared event, now or soon, and gives it its id; nothing where a trigger of the user's on
    // telemetry.event suppressed it.
    std::optional<std::int64_t> add(Event &event);

private:
    static constexpr std::size_t most_rows = 1000;
    static constexpr std::size_t most_bytes = 64 << 10;

    explicit InsertStream(MemoryContext context);
    static void remember_transaction_ends();
    static void end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *);
    static void end_transaction(XactEvent event, void *);
    void keep(const Event &event);
    void store_kept();

    MemoryContext context_;
    MemoryContext rows_context_; // what the rows point at
    InsertStream *outer_;        // of the statement around this one
    int transaction_level_;
    bool plain_;
    EventIds ids_;
    Event *rows_ = nullptr;
    std::size_t kept_ = 0;
    std::size_t room_ = 0;
    std::size_t bytes_ = 0;
    DeltaFold deltas_;
};

} // namespace gravitas::telemetry
