// Storing many events of one call so that one that cannot be stored spoils nothing but itself.

#pragma once

#include "functions/sink.hpp"

namespace gravitas::telemetry {

// Where a batch's events come from.
class BatchSource {
public:
    // So many events are stored together at most, and asked for again where one of them cannot be stored: after event
    // n × most_at_once, none before it.
    static constexpr std::size_t most_at_once = 10'000;

    // Makes event `index`. May ereport and throw core::Error: that refuses this event. Called again where the event has
    // to be stored apart from its neighbours. What it allocates is in the current memory context, and goes with it.
    virtual void make(std::size_t index, Event &event) = 0;

protected:
    ~BatchSource() = default; // never deleted through this class
};

// An event that cannot be stored.
struct Refusal {
    std::size_t index;
    char sqlstate[6];
    const char *reason; // in the caller's context
    Refusal *next;
};

struct BatchResult {
    std::int32_t stored = 0;
    Refusal *refused = nullptr; // ascending
};

// Stores the events 0 to count - 1 of `source`, and their summaries. Refused alone is what an event itself is to blame
// for, by its values or by a rule of the user's on telemetry.event; any other error is raised.
BatchResult store_batch(BatchSource &source, std::size_t count);

// As an array of objects: index, sqlstate, reason.
Jsonb *refusals_as_json(const Refusal *first);

} // namespace gravitas::telemetry
