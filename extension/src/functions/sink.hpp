// The one door in: every way of logging ends here.

#pragma once

#include "core/event.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// One event on its way to storage; the columns of telemetry.event. Null pointers are SQL NULLs.
struct Event {
    TimestampTz timestamp;
    std::int64_t id; // given when it is stored
    bool is_stored;  // not so where a trigger of the user's suppressed it
    text *event_type;
    text *component;
    core::Figures figures;
    text *status;
    Jsonb *metadata;
};

// Checks `event` and completes it (figures from metadata and from each other; metadata loses what has a column). Throws
// core::Error where it cannot be stored.
void prepare(Event &event);

// Prepares and stores one event and its summary, and returns its id; nothing where a trigger of the user's on
// telemetry.event suppressed it.
std::optional<std::int64_t> store(Event &event);

// Stores prepared events, gives them their ids in order, and says of each whether it is stored. Their summaries are
// the caller's to append.
void store_prepared(Event *events, std::size_t count);

} // namespace gravitas::telemetry
