// The settings of the extension, gravitas_telemetry.*

#pragma once

namespace gravitas::telemetry::settings {

extern bool maintenance;           // whether workers run it
extern int maintenance_interval_s; // between two rounds

// Makes them known to Postgres; called once, when the library is loaded.
void define();

} // namespace gravitas::telemetry::settings
