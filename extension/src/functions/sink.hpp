// The one door in: every way of logging ends here.

#pragma once

#include "core/event.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// One event on its way to storage; the columns of telemetry.event but for its id. Null pointers are SQL NULLs.
struct Event {
    TimestampTz timestamp;
    text *event_type;
    text *component;
    core::Figures figures;
    text *status;
    Jsonb *metadata;
};

// Checks `event`, completes it (figures from metadata and from each other; metadata loses what has a column), stores
// it and returns its id; nothing where a trigger of the user's on telemetry.event suppressed it. Throws core::Error
// where it cannot be stored.
std::optional<std::int64_t> store(Event &event);

} // namespace gravitas::telemetry
