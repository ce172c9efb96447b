// The extension's own relations by name.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// The relation of this name in schema telemetry; InvalidOid where there is none.
inline Oid relation_of(const char *name) { return get_relname_relid(name, get_namespace_oid("telemetry", false)); }

} // namespace gravitas::telemetry::pg
