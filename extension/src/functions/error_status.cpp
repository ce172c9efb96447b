// is_error_status(): which statuses mean that a call failed.

#include "core/event.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

using namespace gravitas::telemetry;

// is_error_status(status) → boolean; strict
TELEMETRY_FUNCTION(is_error_status) { PG_RETURN_BOOL(core::is_error_status(pg::view_of(PG_GETARG_TEXT_PP(0)))); }
