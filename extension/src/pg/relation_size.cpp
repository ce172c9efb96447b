#include "pg/relation_size.hpp"

#include <sys/stat.h>

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "common/relpath.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
}

namespace gravitas::telemetry::pg {

namespace {

constexpr int permanent = -1; // InvalidBackendId, INVALID_PROC_NUMBER

// All segments of one fork.
std::int64_t fork_bytes(Oid tablespace, Oid file, ForkNumber fork)
{
    const auto path = GetRelationPath(MyDatabaseId, tablespace, file, permanent, fork);
#if PG_VERSION_NUM >= 180000
    const char *const first = path.str;
#else
    const char *const first = path;
#endif
    std::int64_t bytes = 0;
    struct stat status;
    char segment[MAXPGPATH];
    for (int number = 0;; ++number) {
        if (number > 0)
            snprintf(segment, sizeof segment, "%s.%d", first, number);
        const char *const name = number == 0 ? first : segment;
        if (stat(name, &status) < 0) {
            if (errno != ENOENT)
                ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", name)));
            return bytes;
        }
        bytes += status.st_size;
        if (status.st_size < static_cast<std::int64_t>(RELSEG_SIZE) * BLCKSZ)
            return bytes;
    }
}

// The files of one relation; `toast`, if asked for, is told which table holds its long values.
std::int64_t file_bytes(Oid relation, Oid *toast = nullptr)
{
    HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        return 0;
    const auto *const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    const Oid file = form->relfilenode;
    const Oid tablespace = OidIsValid(form->reltablespace) ? form->reltablespace : MyDatabaseTableSpace;
    const bool is_index = form->relkind == RELKIND_INDEX;
    if (toast != nullptr)
        *toast = form->reltoastrelid;
    ReleaseSysCache(tuple);
    if (!OidIsValid(file))
        return 0;
    const std::int64_t main = fork_bytes(tablespace, file, MAIN_FORKNUM);
    if (main == 0) // nor has it other forks
        return 0;
    return main + fork_bytes(tablespace, file, FSM_FORKNUM) +
           (is_index ? 0 : fork_bytes(tablespace, file, VISIBILITYMAP_FORKNUM));
}

std::int64_t bytes_of_indexes(Oid table)
{
    std::int64_t bytes = 0;
    Relation const catalog = table_open(IndexRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
    SysScanDesc const scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, nullptr, 1, &key);
    for (HeapTuple tuple; HeapTupleIsValid(tuple = systable_getnext(scan));)
        bytes += file_bytes(reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple))->indexrelid);
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return bytes;
}

} // namespace

RelationBytes relation_bytes(Oid table)
{
    Oid toast = InvalidOid;
    RelationBytes bytes;
    bytes.heap = file_bytes(table, &toast);
    bytes.index = bytes_of_indexes(table);
    if (OidIsValid(toast))
        bytes.toast = file_bytes(toast) + bytes_of_indexes(toast);
    return bytes;
}

} // namespace gravitas::telemetry::pg
