// grant_writer(), grant_reader(), grant_history_reader(), grant_maintainer(): what a role needs for a purpose, and no
// more.

#include "functions/partitions.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/relation.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/acl.h"
}

using namespace gravitas::telemetry;

namespace {

constexpr const char *for_writers[] = {
    "USAGE ON SCHEMA telemetry",
    "INSERT, SELECT (id) ON telemetry.event",
    "INSERT, SELECT (id) ON telemetry.system_telemetry",
    "INSERT ON telemetry.rollup_delta",
    "SELECT (producer, last_sequence, first_seen_at), INSERT, UPDATE ON telemetry.producer",
    "SELECT ON telemetry.retention_policy",
    "INSERT, SELECT (id) ON telemetry.usage_stats",
    "INSERT, SELECT (id) ON telemetry.history",
    "USAGE ON SEQUENCE telemetry.event_id_seq, telemetry.usage_stats_id_seq, telemetry.history_id_seq",
    "EXECUTE ON FUNCTION telemetry.log, telemetry.log_load_latency, telemetry.log_thought_latency, telemetry.log_batch,"
    " telemetry.ingest, telemetry.log_usage, telemetry.log_history, telemetry.start_timer, telemetry.measure_latency,"
    " telemetry.id_to_generate, telemetry.retention_keep",
};

constexpr const char *for_history_readers[] = {
    "USAGE ON SCHEMA telemetry",
    "SELECT ON telemetry.history",
};

// Maintenance itself goes on as the owner.
constexpr const char *for_maintainers[] = {
    "USAGE ON SCHEMA telemetry",
    "EXECUTE ON PROCEDURE telemetry.maintain, telemetry.apply_retention",
    "EXECUTE ON FUNCTION telemetry.set_retention, telemetry.retention_keep",
    "SELECT, INSERT, UPDATE, DELETE ON telemetry.retention_policy",
    "SELECT ON telemetry.maintenance_log, telemetry.maintenance_state, telemetry.partition_size",
    "SELECT ON telemetry.retention_horizon, telemetry.retention_delay",
};

// All that the extension made to be read, but for history, and its functions that change nothing.
constexpr char for_readers[] = R"(
    WITH member AS (
        SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'gravitas_telemetry'
    )
    SELECT 'USAGE ON SCHEMA telemetry'
    UNION ALL
    SELECT 'SELECT ON ' || string_agg(c.oid::regclass::text, ', ')
    FROM member JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
    WHERE c.relkind IN ('r', 'p', 'v') AND c.relname <> 'history' AND c.relname !~ '_lock$'
    UNION ALL
    SELECT 'EXECUTE ON FUNCTION telemetry.start_timer, telemetry.measure_latency, '
           || string_agg(p.oid::regprocedure::text, ', ')
    FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
    WHERE p.prokind IN ('f', 'a') AND p.provolatile <> 'v')";

// Argument 0, the name of a role, as it stands in SQL.
const char *role_argument(FunctionCallInfo fcinfo)
{
    const char *const role = text_to_cstring(pg::required_name(fcinfo, 0, "role"));
    (void)get_role_oid(role, false);
    return quote_identifier(role);
}

// GRANT and what a round of maintenance, or who makes a day, does to the same table fail beside each other.
void keep_others_away()
{
    LockRelationOid(pg::relation_of("maintenance_lock"), ShareUpdateExclusiveLock);
    lock_days();
}

void grant(const char *privilege, const char *role) { pg::run_sql(psprintf("GRANT %s TO %s", privilege, role)); }

template <std::size_t count>
void grant_all(const char *const (&privileges)[count], FunctionCallInfo fcinfo)
{
    const char *const role = role_argument(fcinfo);
    keep_others_away();
    pg::with_spi([&] {
        for (const char *const privilege : privileges)
            grant(privilege, role);
    });
}

} // namespace

// grant_writer(role)
TELEMETRY_FUNCTION(grant_writer)
{
    grant_all(for_writers, fcinfo);
    PG_RETURN_VOID();
}

// grant_reader(role)
TELEMETRY_FUNCTION(grant_reader)
{
    const char *const role = role_argument(fcinfo);
    keep_others_away();
    pg::with_spi([&] {
        pg::run_sql(for_readers);
        SPITupleTable *const privileges = SPI_tuptable;
        for (std::uint64_t i = 0; i < privileges->numvals; ++i)
            grant(SPI_getvalue(privileges->vals[i], privileges->tupdesc, 1), role);
    });
    PG_RETURN_VOID();
}

// grant_history_reader(role)
TELEMETRY_FUNCTION(grant_history_reader)
{
    grant_all(for_history_readers, fcinfo);
    PG_RETURN_VOID();
}

// grant_maintainer(role)
TELEMETRY_FUNCTION(grant_maintainer)
{
    grant_all(for_maintainers, fcinfo);
    PG_RETURN_VOID();
}
