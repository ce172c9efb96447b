// refuse_taken_schema(): the beginning of CREATE EXTENSION.

#include "pg/boundary.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/syscache.h"
}

using namespace gravitas::telemetry;

// refuse_taken_schema() → void
TELEMETRY_FUNCTION(refuse_taken_schema)
{
    HeapTuple const schema = SearchSysCache1(NAMESPACENAME, CStringGetDatum("telemetry"));
    if (HeapTupleIsValid(schema))
        ereport(ERROR,
                (errcode(ERRCODE_DUPLICATE_SCHEMA), errmsg("schema \"telemetry\" already exists"),
                 errdetail("It belongs to role \"%s\".",
                           GetUserNameFromId(reinterpret_cast<Form_pg_namespace>(GETSTRUCT(schema))->nspowner, false)),
                 errhint("The extension makes a schema of that name for itself. ALTER SCHEMA telemetry RENAME TO another "
                         "name, or drop it, then try again.")));
    PG_RETURN_VOID();
}
