#include "pg/scan.hpp"

extern "C" {
#include "catalog/pg_am_d.h"
#include "utils/acl.h"
#include "utils/relcache.h"
#include "utils/rls.h"
}

namespace gravitas::telemetry::pg {

bool may_read_plainly(Relation table)
{
    const Oid id = RelationGetRelid(table);
    return pg_class_aclcheck(id, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
           check_enable_rls(id, InvalidOid, true) != RLS_ENABLED;
}

Oid find_btree(Relation table, AttrNumber column)
{
    Oid found = InvalidOid;
    List *const indexes = RelationGetIndexList(table);
    ListCell *cell;
    foreach (cell, indexes) {
        Relation const index = index_open(lfirst_oid(cell), AccessShareLock);
        const FormData_pg_index &form = *index->rd_index;
        // Without a predicate, and not one whose rows an older snapshot might miss.
        if (index->rd_rel->relam == BTREE_AM_OID && form.indisvalid && !form.indcheckxmin &&
            form.indkey.values[0] == column && heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr))
            found = RelationGetRelid(index);
        index_close(index, AccessShareLock);
        if (OidIsValid(found))
            break;
    }
    list_free(indexes);
    return found;
}

} // namespace gravitas::telemetry::pg
