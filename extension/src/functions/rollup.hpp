// Rollups: what inserts append beside their events.

#pragma once

#include "functions/sink.hpp"

namespace gravitas::telemetry {

// `name`, or where it is longer than a key may be, its beginning and a hash of all of it.
text *rollup_key(text *name);

// Appends the summary of one event, stored by the same transaction, to rollup_delta. Inside with_spi().
void append_delta(const Event &event);

} // namespace gravitas::telemetry
