// grant_maintainer(): who may keep it running without being its owner.

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "utils/acl.h"
}

using namespace gravitas::telemetry;

namespace {

constexpr const char *maintainer_grants[] = {
    "USAGE ON SCHEMA telemetry",
    "EXECUTE ON PROCEDURE telemetry.maintain, telemetry.apply_retention",
    "SELECT, INSERT, UPDATE, DELETE ON telemetry.retention_policy",
    "SELECT ON telemetry.maintenance_log, telemetry.maintenance_state, telemetry.partition_size,"
    " telemetry.retention_horizon, telemetry.retention_delay",
};

} // namespace

// grant_maintainer(role)
TELEMETRY_FUNCTION(grant_maintainer)
{
    const char *const role = text_to_cstring(pg::required_name(fcinfo, 0, "role"));
    (void)get_role_oid(role, false);
    pg::with_spi([&] {
        for (const char *const grant : maintainer_grants)
            pg::run_sql(psprintf("GRANT %s TO %s", grant, quote_identifier(role)));
    });
    PG_RETURN_VOID();
}
