// The settings of the extension, gravitas_telemetry.*

#pragma once

namespace gravitas::telemetry::settings {

// Makes them known to Postgres; called once, when the library is loaded.
void define();

} // namespace gravitas::telemetry::settings
