#include "pg/one_session.hpp"

#include "pg/relation.hpp"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
}

namespace gravitas::telemetry::pg {

void refuse_unless_writing(const char *command)
{
    PreventCommandIfReadOnly(command);
    if (IsolationUsesXactSnapshot())
        ereport(
            ERROR,
            (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
             errmsg("%s can run at isolation level read committed only", command),
             errhint("Call it outside of a transaction, after SET default_transaction_isolation = 'read committed'.")));
}

bool lock_for_one_session(const char *table, const char *command)
{
    refuse_unless_writing(command);
    return ConditionalLockRelationOid(relation_of(table), ShareUpdateExclusiveLock);
}

} // namespace gravitas::telemetry::pg
