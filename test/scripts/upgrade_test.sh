#!/usr/bin/env bash
# Every released version updates to this one: its objects equal those of a fresh install, and its events are answered for.
set -euo pipefail

sharedir=$(psql -X -At -c "SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/gravitas_telemetry.control)
scratch=$(mktemp -d)
database=upgrade_$$
trap 'dropdb --if-exists -f "$database" 2>/dev/null; rm -rf "$scratch"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }

# Every member of the extension with its definition, as Postgres prints it.
objects() {
    run <<'SQL'
SET search_path = pg_catalog;
WITH member AS (
    SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name, obj_description(objid, classid::regclass::text) AS comment
    FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
                     AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'gravitas_telemetry')
), definition AS (
    SELECT name, 'comment' AS what, comment AS text FROM member
    UNION ALL
    SELECT name, 'function', CASE p.prokind WHEN 'a' THEN (SELECT to_jsonb(a) || jsonb_build_object('aggtranstype', aggtranstype::regtype, 'aggmtranstype', aggmtranstype::regtype)
                                                              FROM pg_aggregate AS a WHERE a.aggfnoid = p.oid)::text
                                            ELSE pg_get_functiondef(p.oid) END
    FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
    UNION ALL
    SELECT name, 'rights', proacl::text FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
    UNION ALL
    SELECT name, 'column ' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod), attnotnull, attstorage,
                                                 pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
    FROM member JOIN pg_attribute ON classid = 'pg_class'::regclass AND attrelid = objid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT name, 'relation', concat_ws(' ', relkind, relacl, reloptions, pg_get_expr(relpartbound, oid), pg_get_viewdef(oid))
    FROM member JOIN pg_class ON classid = 'pg_class'::regclass AND oid = objid
    UNION ALL
    SELECT name, 'index', pg_get_indexdef(indexrelid) FROM member JOIN pg_index ON classid = 'pg_class'::regclass AND indrelid = objid
    UNION ALL
    SELECT name, 'constraint', pg_get_constraintdef(oid) FROM member JOIN pg_constraint ON classid = 'pg_class'::regclass AND conrelid = objid
    UNION ALL
    SELECT name, 'trigger', concat_ws(' ', pg_get_triggerdef(oid), tgenabled) FROM member JOIN pg_trigger ON classid = 'pg_class'::regclass AND tgrelid = objid
    UNION ALL
    SELECT name, 'type', concat_ws(' ', typtype, typlen, typbyval, typstorage, typalign, typacl)
    FROM member JOIN pg_type ON classid = 'pg_type'::regclass AND oid = objid
    UNION ALL
    SELECT name, 'attribute ' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod))
    FROM member JOIN pg_type AS t ON classid = 'pg_type'::regclass AND t.oid = objid AND typtype = 'c'
    JOIN pg_attribute ON attrelid = typrelid AND attnum > 0
    UNION ALL
    SELECT 'dumped', c.relname, condition FROM pg_extension, unnest(extconfig, extcondition) AS d (relation, condition)
    JOIN pg_class AS c ON c.oid = relation WHERE extname = 'gravitas_telemetry'
)
SELECT name, what, text FROM definition ORDER BY 1, 2, 3;
SQL
}

createdb "$database"
run -c 'CREATE EXTENSION gravitas_telemetry'
objects > "$scratch/fresh"
[[ $(wc -l < "$scratch/fresh") -gt 100 ]]

for script in test/upgrade/gravitas_telemetry--*.sql; do
    old=$(sed 's/.*--\(.*\)\.sql/\1/' <<< "$script")
    [[ $old != "$version" ]] || continue
    # At once, since another test may be about to read it.
    install -m 644 "$script" "$sharedir/extension/$database" && mv "$sharedir/extension/$database" "$sharedir/extension/${script##*/}"
    run -c 'DROP EXTENSION gravitas_telemetry' -c "CREATE EXTENSION gravitas_telemetry VERSION '$old'"
    # The library is newer than the objects: what the old version could do must still work.
    run > /dev/null <<'SQL'
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00');
SELECT telemetry.log_thought_latency('m' || n % 3, n / 10.0, n % 7, 5, event_time => '2026-03-01 00:00:00+00'::timestamptz + n * interval '7 minutes')
FROM generate_series(1, 300) AS n;
SELECT to_regproc('telemetry.compact') IS NOT NULL AS compacts \gset
\if :compacts
SELECT telemetry.compact();
\endif
SQL
    run -c 'ALTER EXTENSION gravitas_telemetry UPDATE'
    objects > "$scratch/updated"
    diff "$scratch/fresh" "$scratch/updated" || { echo "$old updated to $version differs from $version"; exit 1; }
    # What runs by itself now finds what the old version left.
    run <<'SQL'
CALL telemetry.maintain('2026-03-03 12:00:00+00');
DO $$
BEGIN
    ASSERT (SELECT count(*) = 0 FROM telemetry.maintenance_log WHERE error IS NOT NULL), 'maintenance failed';
    ASSERT (SELECT count(*) FROM telemetry.rollup_delta) = 0, 'deltas stayed';
    ASSERT NOT EXISTS (SELECT FROM telemetry.check_rollups('2026-03-01', '2026-03-03')), 'events without summaries';
    ASSERT (SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency(hours => 72, as_of => '2026-03-03 12:00:00+00'))
           = (SELECT count(value) FROM telemetry.event), 'wrong answers';
END $$;
SQL
    echo "$old updates to $version: $(wc -l < "$scratch/fresh") lines of definitions are the same"
done
