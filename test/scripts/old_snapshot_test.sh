#!/usr/bin/env bash
# A session that holds an old snapshot open keeps VACUUM from removing deltas that were compacted. It still sees its own
# totals, and the reads of others look at the deltas since the last compaction only.
set -euo pipefail

# In a cluster of its own: what was compacted is known by the oldest transaction that runs, of any database.
[[ ${1:-} == inside ]] || exec tools/cluster run --option gravitas_telemetry.maintenance=off -- "$0" inside

database=old_snapshot_$$
scratch=$(mktemp -d)
holder=''
trap 'exec {input}>&- || true; [[ -z $holder ]] || wait "$holder" || true; dropdb --if-exists -f "$database"; rm -rf "$scratch"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
fail() { echo "$*"; exit 1; }

# One call an event, so that each leaves a delta.
append() {
    run -c "SELECT count(telemetry.log_thought_latency('m', 0.01, 10,
                event_time => timestamptz '2026-03-02 10:00:00+00' + n % 50 * interval '1 minute'))
            FROM generate_series(1, $1) AS n" > /dev/null
}
ask="SELECT measurement_count FROM telemetry.get_aggregated_efficiency('m', as_of => '2026-03-02 12:00:00+00')"

createdb "$database"
run -c 'CREATE EXTENSION gravitas_telemetry' -c 'ALTER TABLE telemetry.rollup_delta SET (autovacuum_enabled = off)'
append 2000

# The old snapshot: a session that is asked again at the end.
mkfifo "$scratch/input"
run < "$scratch/input" > "$scratch/output" 2>&1 &
holder=$!
exec {input}> "$scratch/input"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; $ask;" >&"$input"
deadline=$((SECONDS + 60))
until [[ -s $scratch/output ]]; do
    ((SECONDS < deadline)) || fail 'the session with the old snapshot did not answer'
    sleep 0.05
done

for round in 1 2 3; do
    run -c 'SELECT telemetry.compact()' > /dev/null
    append 2000
done
run -c 'SELECT telemetry.compact()' > /dev/null
append 5
[[ $(run -c "$ask") == 8005 ]] || fail "the others are answered $(run -c "$ask"), not 8005"

# How many rows of rollup_delta a query fetched by index, and how often it read the whole table.
looked_at() {
    run -c 'BEGIN' -c "$1" -c "SELECT idx_tup_fetch || ' ' || seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'rollup_delta'" \
        -c 'COMMIT' | tail -n 1
}
pages() {
    run -c "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT json) SELECT count(*) FROM telemetry.rollup_delta WHERE added_by >= telemetry.compaction_mark()" |
        sed -n 's/.*"Shared Hit Blocks": \([0-9]*\).*/\1/p' | head -n 1
}
# Rows that are dead to all but the old snapshot show in no count of rows, but in the pages that were touched.
rollups="SELECT count(*) FROM telemetry.rollups('2026-03-02 00:00:00+00', '2026-03-03 00:00:00+00')"
for maintenance in 'SELECT 1' 'VACUUM telemetry.rollup_delta' 'ANALYZE telemetry.rollup_delta'; do
    run -c "$maintenance" > /dev/null
    seen=$(looked_at "$rollups")
    [[ $seen == '5 0' ]] || fail "after $maintenance, rows of deltas fetched by index and scans of all of them: $seen"
    touched=$(pages)
    stored=$(run -c "SELECT pg_relation_size('telemetry.rollup_delta') / 8192")
    ((stored > 50)) || fail "the old snapshot kept nothing: $stored pages"
    ((touched < stored / 4)) || fail "after $maintenance, a read touched $touched pages of $stored"
done

# The old snapshot is answered as at first.
echo "$ask; $ask; COMMIT; $ask;" >&"$input"
exec {input}>&-
wait "$holder"
holder=''
[[ $(tr '\n' ' ' < "$scratch/output") == '2000 2000 2000 8005 ' ]] || fail "the old snapshot was answered $(tr '\n' ' ' < "$scratch/output")"
echo "a read touched $touched of $stored pages of deltas; the old snapshot saw its own 2000 of 8005 events"
