#!/usr/bin/env bash
# Maintenance beside others: nobody waits long for a lock of it, and it waits long for nobody; whoever counts events while
# they move sees each exactly once.
set -euo pipefail

database=maintenance_waiting_$$
scratch=$(mktemp -d)
holder='' load='' counter=''
clean_up() {
    exec {input}>&- || true
    for process in $holder $load $counter; do kill "$process" 2>/dev/null || true; done
    dropdb --if-exists -f "$database"
    rm -rf "$scratch"
}
trap clean_up EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
fail() { echo "$*"; exit 1; }
equals() { [[ $1 == "$2" ]] || fail "$3: $1, not $2"; }
wait_until() {
    local deadline=$((SECONDS + 60))
    until [[ $(run -c "$1") == t ]]; do
        ((SECONDS < deadline)) || fail "not within 60 s: $1"
        sleep 0.05
    done
}
quietly() { run "$@" 2> >(grep -v NOTICE >&2); }

createdb "$database"
run -c 'CREATE EXTENSION gravitas_telemetry' > /dev/null
# The server says who waited longer than the tenth of a second.
run -c "ALTER DATABASE $database SET deadlock_timeout = '100ms'" -c "ALTER DATABASE $database SET log_lock_waits = on"

# Three days whose time is over, and twenty that were never made.
run > /dev/null <<'SQL'
SELECT telemetry.ensure_partitions(now() - interval '70 days', now() - interval '68 days');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT now() - interval '70 days' + n * interval '17 seconds', 'THOUGHT_LATENCY', 'old', 5, 10 FROM generate_series(1, 10000) AS n;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT now() - interval '20 days' + n * interval '34 seconds', 'THOUGHT_LATENCY', 'm' || n % 3, 5, 10 FROM generate_series(1, 50000) AS n;
SELECT telemetry.compact();
SQL
expired=$(run -c "SELECT count(*) FROM telemetry.retention_plan() WHERE action = 'drop'")
((expired >= 2)) || fail "only $expired days are over"

# A reader in an idle transaction keeps every day: that is noted, and does not take long.
mkfifo "$scratch/input"
psql -X -q -At -d "$database" < "$scratch/input" > "$scratch/output" &
holder=$!
exec {input}> "$scratch/input"
echo "BEGIN; SELECT count(*) FROM telemetry.event;" >&"$input"
wait_until "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction')"
for try in 1 2; do
    started=$(date +%s%N)
    quietly -c 'CALL telemetry.apply_retention()' > "$scratch/result"
    ((($(date +%s%N) - started) / 1000000 < 10000)) || fail 'apply_retention() waited for a reader'
done
equals "$(cut -d'|' -f1,4 "$scratch/result")" '0|1' 'dropped and kept days beside a reader'
equals "$(run -c "SELECT reason, tried_at > since FROM telemetry.retention_delay")" 'locked|t' 'noted'
echo 'COMMIT;' >&"$input"
exec {input}>&-
wait "$holder" || true
holder=''

# From now on the old days stay for a while.
run -c "SELECT telemetry.set_retention('event', '100 days')" > /dev/null

# Events move while somebody counts them all, in new snapshots and in an old one, which has no lock yet.
mkfifo "$scratch/old"
psql -X -q -At -d "$database" < "$scratch/old" > "$scratch/seen" &
holder=$!
exec {input}> "$scratch/old"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1;" >&"$input"
wait_until "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction')"
while [[ ! -e $scratch/stop ]]; do
    run -c "SELECT count(*) FROM telemetry.event WHERE component <> 'old'"
    run -c "SELECT query FROM pg_stat_activity WHERE query LIKE 'telemetry maintenance: making day%'" >> "$scratch/progress"
done > "$scratch/counts" {input}>&- &
counter=$!
rounds=0
until [[ $(run -c "SELECT count(*) = 0 FROM telemetry.missing_days(now())") == t ]]; do
    ((++rounds < 30)) || fail "30 rounds do not make the days: $(run -c "SELECT DISTINCT error FROM telemetry.maintenance_log")"
    quietly -c 'CALL telemetry.maintain()'
done
touch "$scratch/stop"
wait $counter
counter=''
equals "$(sort -u "$scratch/counts")" 50000 'events counted while they moved'
(($(wc -l < "$scratch/counts") > 2)) || fail "counted only $(wc -l < "$scratch/counts") times"
grep -qE '^telemetry maintenance: making day [0-9]+ of [0-9]+: 20' "$scratch/progress" || fail 'pg_stat_activity shows no progress'
echo "SELECT count(*) FROM telemetry.event WHERE component <> 'old'; COMMIT;" >&"$input"
exec {input}>&-
wait "$holder" || true
holder=''
equals "$(tail -n 1 "$scratch/seen")" 50000 'events in an old snapshot'

# Days go while others write, to today and to days that are missing.
cat > "$scratch/write.sql" <<'SQL'
\set days random(0, 40)
SELECT telemetry.log_thought_latency('load', 0.01, 10, event_time => now() - CASE WHEN :days < 38 THEN interval '0' ELSE :days * interval '1 day' END);
SQL
pgbench -n -c 4 -T 300 -f "$scratch/write.sql" "$database" > "$scratch/pgbench" 2>&1 &
load=$!
wait_until "SELECT EXISTS (SELECT FROM telemetry.event WHERE component = 'load')"
run -c "SELECT telemetry.set_retention('event', '60 days')" > /dev/null
rounds=0
until [[ $(run -c "SELECT (SELECT count(*) FROM telemetry.retention_plan() WHERE action = 'drop') + (SELECT count(*) FROM telemetry.missing_days(now())) = 0") == t ]]; do
    ((++rounds < 30)) || fail "30 rounds do not drop the days: $(run -c "SELECT * FROM telemetry.retention_delay")"
    quietly -c 'CALL telemetry.maintain()'
done
((rounds > 0)) || fail 'there was nothing to do'
kill $load
wait $load || true
load=''
grep -q '^client .*ERROR\|aborted' "$scratch/pgbench" && fail "a writer failed: $(grep -m 3 'ERROR' "$scratch/pgbench")"

waited=$(grep -F "still waiting for" "$GRAVITAS_PG_LOG" | grep -cE "AccessExclusiveLock|RowExclusiveLock|AccessShareLock" || true)
equals "$waited" 0 'locks waited for longer than 100 ms'
equals "$(run -c "SELECT count(*) FROM telemetry.check_rollups(now() - interval '80 days', now() + interval '1 day') WHERE problem <> 'events deleted'")" 0 'differences'
equals "$(run -c "SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency('old', 90 * 24)")" 10000 'what was dropped is in the statistics'

# What cannot be logged is done all the same: whoever drops the extension has its tables locked, and waits for the round.
run -c "SELECT telemetry.log_thought_latency('last', 0.01, 10)" > /dev/null
mkfifo "$scratch/lock"
psql -X -q -At -d "$database" < "$scratch/lock" &
holder=$!
exec {input}> "$scratch/lock"
echo "BEGIN; LOCK TABLE telemetry.maintenance_log;" >&"$input"
wait_until "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'telemetry.maintenance_log'::regclass AND mode = 'AccessExclusiveLock' AND granted)"
run -c 'CALL telemetry.maintain()' 2> "$scratch/warnings" || fail "a locked log ends a round: $(cat "$scratch/warnings")"
grep -qF 'step "compaction" of maintenance is not in telemetry.maintenance_log' "$scratch/warnings" || fail 'nobody is told that the log is locked'
equals "$(run -c 'SELECT count(*) FROM telemetry.rollup_delta')" 0 'deltas after a round with a locked log'
echo "$(run -c "SELECT count(*) FROM telemetry.event WHERE component = 'load'") events were written meanwhile, in $rounds rounds of maintenance"
