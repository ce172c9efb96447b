// Where events are stored: in the partition of their day, the quick way where nothing of the user's stands in between,
// and through the executor where there is a trigger, row security, a column of the user's or a foreign partition.

#pragma once

#include "functions/sink.hpp"

namespace gravitas::telemetry {

// Whether events go the quick way, so that their ids are known before they are stored. Locks telemetry.event.
bool stores_plainly();

// The next id of telemetry.event_id_seq.
std::int64_t next_event_id();

// Stores events that have their ids.
void append_events(const Event *events, std::size_t count);

// Stores one event through the executor; its id, or nothing where a trigger suppressed it.
std::optional<std::int64_t> insert_event(const Event &event);

} // namespace gravitas::telemetry
