// Where events are stored: in the partition of their day, the quick way where nothing of the user's stands in between,
// and through the executor where there is a trigger, row security, a column of the user's or a foreign partition.

#pragma once

#include "functions/sink.hpp"

namespace gravitas::telemetry {

// Whether events go the quick way, so that their ids are known before they are stored. Locks telemetry.event.
bool stores_plainly();

// Gives out ids of telemetry.event_id_seq.
class EventIds {
public:
    EventIds();
    std::int64_t next();

private:
    Oid sequence_;
};

// Stores events that have their ids, and says of each whether it is stored: not so where a trigger on its partition
// suppressed it.
void append_events(Event *events, std::size_t count);

// Stores one event through the executor, which gives it its id; false where a trigger suppressed it.
bool insert_event(Event &event);

} // namespace gravitas::telemetry
