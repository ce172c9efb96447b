#!/usr/bin/env bash
# A physical replica: everything can be asked there, nothing is written, no worker comes, although the library is
# preloaded; once it is promoted, maintenance comes by itself.
set -euo pipefail
source "$(dirname "$0")/second_server.sh"

database=replica_$$
scratch=$(mktemp -d)
trap 'remove_servers; dropdb --if-exists -f "$database"; rm -rf "$scratch"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
fail() { echo "$*"; exit 1; }
within() { # SECONDS SQL: until the replica says t
    local deadline=$((SECONDS + $1))
    until [[ $(second run -c "$2" 2> /dev/null) == t ]]; do
        ((SECONDS < deadline)) || fail "not within $1 s on the replica: $2"
        sleep 0.1
    done
}
ask() { # but not for bytes: each server makes a free space map when it likes
    "$@" run <<'SQL'
SELECT * FROM telemetry.get_recent_events(20);
SELECT * FROM telemetry.get_recent_events(20, 'm1');
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-04 00:00:30+00', hours => 72);
SELECT * FROM telemetry.efficiency_trend('m1', 72, '1 hour', '2026-03-04 00:00:00+00');
SELECT telemetry.get_60day_statistics('2026-03-04 00:00:00+00');
SELECT * FROM telemetry.check_rollups('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00');
SELECT table_name, row_count, total_bytes > 0 FROM telemetry.footprint('2026-03-04 00:00:00+00') WHERE table_name = 'system_telemetry';
SELECT item, CASE WHEN item <> 'size' THEN value END, is_ok FROM telemetry.status('2026-03-04 00:00:00+00') WHERE item <> 'worker';
SELECT * FROM telemetry.alert_measurements('2026-03-04 00:00:00+00') ORDER BY 1, 2;
SELECT * FROM telemetry.missing_days('2026-03-04 00:00:00+00');
SELECT count(*) FROM telemetry.alerts;
SQL
}

createdb "$database"
run > /dev/null <<'SQL'
CREATE EXTENSION gravitas_telemetry;
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-04 00:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT timestamptz '2026-03-01 00:00:00+00' + n * interval '1 minute', 'THOUGHT_LATENCY', 'm' || n % 5, n, 10
FROM generate_series(0, 4000) AS n;
SELECT telemetry.compact();
SELECT telemetry.log_thought_latency('m1', 1, 10, event_time => '2026-03-03 23:00:00+00');
SQL
server_program pg_basebackup -D "$second_data" -h "$PGHOST" -p "$PGPORT" -U "$PGUSER" -X stream -c fast
as_server touch "$second_data/standby.signal"
start_server "$second_data" "primary_conninfo='host=$PGHOST port=$PGPORT user=$PGUSER'" \
    shared_preload_libraries=gravitas_telemetry gravitas_telemetry.maintenance=on gravitas_telemetry.maintenance_interval=1s

# What is logged after the copy comes, too.
run -c "SELECT telemetry.log_thought_latency('m1', 2, 10, event_time => '2026-03-03 23:30:00+00')" > /dev/null
within 60 "SELECT pg_is_in_recovery() AND (SELECT count(*) = 4003 FROM telemetry.event)"
ask > "$scratch/primary"
ask second > "$scratch/replica"
diff "$scratch/primary" "$scratch/replica" || fail 'the replica answers something else'
(($(wc -l < "$scratch/replica") > 100)) || fail 'the replica answers next to nothing'

for statement in "SELECT telemetry.log('NOTE')" "SELECT telemetry.compact()" "CALL telemetry.maintain()" \
    "INSERT INTO telemetry.system_telemetry (event_type) VALUES ('NOTE')" "SELECT telemetry.check_alerts()" \
    "SELECT telemetry.ensure_partitions(now(), now() + interval '1 day')" "SELECT telemetry.log_batch('[{\"event_type\": \"NOTE\"}]')"; do
    ! second run -v VERBOSITY=sqlstate -c "$statement" > /dev/null 2> "$scratch/error" || fail "the replica was written: $statement"
    grep -q 25006 "$scratch/error" || fail "$statement on a replica: $(cat "$scratch/error")"
done
[[ $(second run -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'telemetry%'") == 0 ]] || fail 'a worker runs on a replica'

server_program pg_ctl -D "$second_data" -s -w promote
second run -c "SELECT telemetry.log('NOTE')" > /dev/null
within 60 "SELECT count(*) > 0 FROM telemetry.maintenance_log WHERE step = 'maintain' AND result = 'done'"
within 60 "SELECT count(*) = 0 FROM telemetry.rollup_delta"
! grep -E 'PANIC|TRAP|terminated by signal' "$second_data/server.log" || fail 'the replica complains'
echo "$(wc -l < "$scratch/replica") lines of answers are the same on the replica"
