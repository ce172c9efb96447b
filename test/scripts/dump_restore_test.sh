#!/usr/bin/env bash
# pg_dump and pg_restore into a fresh database: not one error, not one lost row, and life goes on there. The days in the
# dump are not today's, as when a backup is restored on another day.
set -euo pipefail

source=dump_source_$$ target=dump_target_$$
scratch=$(mktemp -d)
trap 'dropdb --if-exists -f "$source"; dropdb --if-exists -f "$target"; rm -rf "$scratch"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }

# Everything that must survive: each row with the partition it is in, the partitions, the sequences, the settings.
content() {
    run -d "$1" <<'SQL'
SELECT tableoid::regclass, * FROM telemetry.event ORDER BY id;
SELECT * FROM telemetry.usage_stats ORDER BY id;
SELECT * FROM telemetry.history ORDER BY id;
SELECT * FROM telemetry.retention_policy ORDER BY table_name;
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_indexdef(i.indexrelid)
FROM pg_partition_tree('telemetry.event') AS t JOIN pg_class AS c ON c.oid = t.relid
LEFT JOIN pg_index AS i ON i.indrelid = c.oid ORDER BY 1;
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'telemetry' ORDER BY 1;
SELECT telemetry.get_60day_statistics('2026-03-04 00:00:00+00');
SQL
}

createdb "$source"
run -d "$source" <<'SQL'
CREATE EXTENSION gravitas_telemetry;
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-04 00:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, metadata)
SELECT timestamptz '2026-02-27 00:00:00+00' + n * interval '10 minutes', 'THOUGHT_LATENCY', 'model ' || n % 5, n, n % 7,
       jsonb_build_object('n', n)
FROM generate_series(0, 999) AS n;
SELECT telemetry.log_load_latency('old', 1, event_time => '1970-01-01 00:00:00+00');
SELECT telemetry.log_load_latency('new', 1, event_time => '2100-01-01 00:00:00+00');
SELECT telemetry.log_usage('m', 'layer', 1, 2, 3), telemetry.log_history('user', E'tab\there, and a \\');
INSERT INTO telemetry.retention_policy VALUES ('event', '14 days');
SQL
content "$source" > "$scratch/before"
grep -q '^telemetry.event_default|' "$scratch/before"
grep -q '^telemetry.event_20260302|' "$scratch/before"

for format in custom directory plain; do
    dump=$scratch/$format
    pg_dump --format="$format" --file="$dump" "$source" 2> "$scratch/errors"
    createdb "$target"
    if [[ $format == plain ]]; then
        psql -X -q -v ON_ERROR_STOP=1 -d "$target" -f "$dump" > /dev/null 2>> "$scratch/errors"
    else
        pg_restore --exit-on-error --jobs=2 --dbname="$target" "$dump" 2>> "$scratch/errors"
    fi
    if [[ -s $scratch/errors ]]; then
        echo "$format: pg_dump or pg_restore complained:"
        cat "$scratch/errors"
        exit 1
    fi
    content "$target" > "$scratch/after"
    diff "$scratch/before" "$scratch/after" || { echo "$format: the restored database differs"; exit 1; }

    # The restored database goes on: new ids are new, days can be added, default rows find their day.
    run -d "$target" <<'SQL' > /dev/null
DO $$
BEGIN
    ASSERT telemetry.log('NOTE') > (SELECT max(id) FROM telemetry.event WHERE event_type <> 'NOTE'), 'an id came back';
    ASSERT telemetry.ensure_partitions('2026-02-27 00:00:00+00', '2026-03-05 00:00:00+00') = 3, 'wrong days were missing';
    ASSERT NOT EXISTS (SELECT FROM telemetry.event_default WHERE component LIKE 'model 0'
                       AND "timestamp" < '2026-03-05'), 'rows stayed in the default partition';
END $$;
DROP EXTENSION gravitas_telemetry;
SQL
    dropdb "$target"
    echo "$format: $(wc -l < "$scratch/before") lines of content are the same"
done
