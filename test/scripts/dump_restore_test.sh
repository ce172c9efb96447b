#!/usr/bin/env bash
# pg_dump and pg_restore into a fresh database: not one error, not one lost row, and life goes on there. The days in the
# dump are not today's, as when a backup is restored on another day.
set -euo pipefail

source=dump_source_$$ target=dump_target_$$
scratch=$(mktemp -d)
writer=dump_writer_$$ reader=dump_reader_$$
trap 'dropdb --if-exists -f "$source"; dropdb --if-exists -f "$target"; dropuser --if-exists "$writer"; dropuser --if-exists "$reader"; rm -rf "$scratch"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }

# Everything that must survive: each row with the partition it is in, the partitions, the sequences, the settings.
content() {
    run -d "$1" <<'SQL'
SELECT tableoid::regclass, * FROM telemetry.event ORDER BY id;
SELECT * FROM telemetry.usage_stats ORDER BY id;
SELECT * FROM telemetry.history ORDER BY id;
SELECT * FROM telemetry.retention_policy ORDER BY table_name;
SELECT * FROM telemetry.alert_rule ORDER BY rule;
SELECT * FROM telemetry.alert_firing ORDER BY alert_id;
SELECT * FROM telemetry.alert_log ORDER BY alert_id, changed_at;
SELECT relname, acl FROM pg_class, unnest(relacl) AS acl WHERE relnamespace = 'telemetry'::regnamespace ORDER BY relname, acl::text;
SELECT oid::regprocedure, acl FROM pg_proc, unnest(proacl) AS acl WHERE pronamespace = 'telemetry'::regnamespace ORDER BY oid::regprocedure::text, acl::text;
SELECT * FROM telemetry.retention_horizon ORDER BY table_name;
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_indexdef(i.indexrelid)
FROM pg_partition_tree('telemetry.event') AS t JOIN pg_class AS c ON c.oid = t.relid
LEFT JOIN pg_index AS i ON i.indrelid = c.oid ORDER BY 1;
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'telemetry' ORDER BY 1;
SELECT telemetry.get_60day_statistics('2026-03-04 00:00:00+00');
SELECT bucket, event_type, component, summary FROM telemetry.rollup_delta ORDER BY bucket, event_type, component, summary::text;
SELECT 'minute', * FROM telemetry.rollup_minute ORDER BY bucket, event_type, component;
SELECT 'hour', * FROM telemetry.rollup_hour ORDER BY bucket, event_type, component;
SELECT 'day', * FROM telemetry.rollup_day ORDER BY bucket, event_type, component;
SQL
    answers "$1"
}

# What questions answer: the same after a restore, and after a compaction there.
answers() {
    run -d "$1" <<'SQL'
SELECT e.* FROM unnest('{1,24,49,1440}'::integer[]) AS h, telemetry.get_aggregated_efficiency(hours => h, as_of => '2026-03-04 00:00:30+00') AS e;
SELECT * FROM telemetry.efficiency_trend('model 3', 72, '1 hour', '2026-03-04 00:00:00+00');
SELECT * FROM telemetry.get_recent_events(20, 'model 1');
SELECT * FROM telemetry.check_rollups('1970-01-01 00:00:00+00', '2100-01-02 00:00:00+00');
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
SELECT telemetry.compact();
-- Not compacted when the dump is made: transaction ids of this cluster mean nothing in another.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT timestamptz '2026-03-03 00:00:00+00' + n * interval '10 minutes', 'THOUGHT_LATENCY', 'model ' || n % 5, n, 10
FROM generate_series(1, 99) AS n;
SELECT telemetry.log_load_latency('old', 1, event_time => '1970-01-01 00:00:00+00');
SELECT telemetry.log_load_latency('new', 1, event_time => '2100-01-01 00:00:00+00');
SELECT telemetry.log_usage('m', 'layer', 1, 2, 3), telemetry.log_history('user', E'tab\there, and a \\');
INSERT INTO telemetry.retention_policy VALUES ('event', '14 days');
SELECT telemetry.set_alert('error_rate', 0.1), telemetry.set_alert('no_data', 60);
SELECT count(*) FROM telemetry.check_alerts('2026-04-01 00:00:00+00');
INSERT INTO telemetry.retention_horizon VALUES ('rollup_minute', '2026-02-01 00:00:00+00');
SQL
createuser "$writer" && createuser "$reader"
run -d "$source" -c "SELECT telemetry.grant_writer('$writer'), telemetry.grant_reader('$reader')"
content "$source" > "$scratch/before"
answers "$source" > "$scratch/answers"
[[ $(run -d "$source" -c 'SELECT count(*) > 0 FROM telemetry.rollup_delta' -c 'SELECT count(*) > 100 FROM telemetry.rollup_minute') == $'t\nt' ]]
grep -q '^telemetry.event_default|' "$scratch/before"
grep -q '^telemetry.event_20260302|' "$scratch/before"
grep -q "^1|no_data||firing|" "$scratch/before"
grep -q "^telemetry.ingest(bytea)|$writer=X/" "$scratch/before"

# Into the new database; in two steps, between which a worker may come by.
restore_plain() { pg_dump "$@" "$source" | run -d "$target" > /dev/null; }
restore_apart() {
    restore_plain --schema-only
    run -d "$target" -c 'SELECT telemetry.compact()' > /dev/null
    restore_plain --data-only
}
restore_archive() {
    pg_dump --file="$scratch/dump" "$@" "$source"
    pg_restore --exit-on-error --jobs=2 --dbname="$target" "$scratch/dump"
}
restore_custom() { restore_archive --format=custom; }
restore_directory() { rm -f "$scratch/dump" && restore_archive --format=directory --jobs=4; }

for format in custom directory plain apart; do
    createdb "$target"
    "restore_$format" 2> "$scratch/errors" || true
    if [[ -s $scratch/errors ]]; then
        echo "$format: pg_dump or pg_restore complained:"
        cat "$scratch/errors"
        exit 1
    fi
    content "$target" > "$scratch/after"
    diff "$scratch/before" "$scratch/after" || { echo "$format: the restored database differs"; exit 1; }

    # It compacts, twice, and answers the same; what is logged later counts once.
    run -d "$target" <<'SQL' > /dev/null
DO $$
DECLARE deltas bigint := (SELECT count(*) FROM telemetry.rollup_delta);
BEGIN
    ASSERT telemetry.compact() = deltas, 'not every delta was compacted';
    ASSERT (SELECT count(*) FROM telemetry.rollup_delta) = 0, 'deltas stayed';
    ASSERT telemetry.compact() = 0, 'something was compacted twice';
END $$;
SQL
    answers "$target" > "$scratch/after"
    diff "$scratch/answers" "$scratch/after" || { echo "$format: answers changed by a compaction"; exit 1; }
    run -d "$target" <<'SQL' > /dev/null
DO $$
BEGIN
    PERFORM telemetry.log_thought_latency('later', 1, 10, event_time => '2026-03-03 12:00:00+00');
    ASSERT (SELECT measurement_count FROM telemetry.get_aggregated_efficiency('later', as_of => '2026-03-04 00:00:00+00')) = 1, 'a new event is missing';
    ASSERT telemetry.compact() = 1, 'a new delta is missing';
    ASSERT (SELECT measurement_count FROM telemetry.get_aggregated_efficiency('later', as_of => '2026-03-04 00:00:00+00')) = 1, 'a new event is missing';
    ASSERT NOT EXISTS (SELECT FROM telemetry.check_rollups('1970-01-01 00:00:00+00', '2100-01-02 00:00:00+00')), 'rollups are not those of the events';
END $$;
SQL

    # The restored database goes on: new ids are new, days can be added, default rows find their day.
    run -d "$target" <<'SQL' > /dev/null
DO $$
BEGIN
    ASSERT telemetry.log('NOTE') > (SELECT max(id) FROM telemetry.event WHERE event_type <> 'NOTE'), 'an id came back';
    ASSERT NOT EXISTS (SELECT FROM telemetry.check_alerts('2026-04-01 00:00:30+00') WHERE rule = 'no_data'), 'an alert fired again';
    ASSERT telemetry.ensure_partitions('2026-02-27 00:00:00+00', '2026-03-05 00:00:00+00') = 3, 'wrong days were missing';
    ASSERT NOT EXISTS (SELECT FROM telemetry.event_default WHERE component LIKE 'model 0'
                       AND "timestamp" < '2026-03-05'), 'rows stayed in the default partition';
END $$;
DROP EXTENSION gravitas_telemetry;
SQL
    dropdb "$target"
    echo "$format: $(wc -l < "$scratch/before") lines of content are the same"
done
