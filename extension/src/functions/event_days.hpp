// The days that events are stored in: their sizes and how many events they hold, found without reading one and without
// waiting for a lock.

#pragma once

#include "core/array.hpp"
#include "functions/presence.hpp"
#include "pg/relation_size.hpp"

namespace gravitas::telemetry {

struct EventDay {
    Oid table;
    TimestampTz start; // of the UTC day
    pg::RelationBytes bytes;
    Presence events;
    bool is_recorded;
};

struct EventDays {
    core::Array<EventDay> days; // ascending
    core::Array<Oid> others;    // the default partition, and what a user attached
};

// Days that are over at as_of are as maintenance recorded them, where it did. Of others the sizes are those of the
// files, and the events those of their rollups, or estimates where these are too many or not to be read.
EventDays stored_event_days(TimestampTz as_of);

} // namespace gravitas::telemetry
