#!/usr/bin/env bash
# pg_upgrade, here to a new cluster of the same version: all that was stored is there, transactions are numbered on, ids go
# on, a client's batches too, and maintenance.
set -euo pipefail
source "$(dirname "$0")/second_server.sh"

old=$second_data new=$second_data.new
scratch=$(mktemp -d)
trap 'remove_servers; rm -rf "$scratch" "$PGHOST"/upgrade.$$' EXIT

run() { second psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
fail() { echo "$*"; exit 1; }
content() {
    run <<'SQL'
SELECT tableoid::regclass, * FROM telemetry.event ORDER BY id;
SELECT * FROM telemetry.rollup_delta ORDER BY added_by, bucket, event_type, component;
SELECT * FROM telemetry.compaction;
SELECT 'minute', * FROM telemetry.rollup_minute ORDER BY bucket, event_type, component;
SELECT 'hour', * FROM telemetry.rollup_hour ORDER BY bucket, event_type, component;
SELECT 'day', * FROM telemetry.rollup_day ORDER BY bucket, event_type, component;
SELECT * FROM telemetry.producer;
SELECT * FROM telemetry.retention_policy;
SELECT * FROM telemetry.retention_horizon ORDER BY table_name;
SELECT * FROM telemetry.partition_size ORDER BY partition;
SELECT * FROM telemetry.alert_rule;
SELECT * FROM telemetry.alert_log ORDER BY alert_id, changed_at;
SELECT relname, acl FROM pg_class, unnest(relacl) AS acl WHERE relnamespace = 'telemetry'::regnamespace ORDER BY relname, acl::text;
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-04 00:00:30+00', hours => 100);
SELECT telemetry.get_60day_statistics('2026-03-04 00:00:00+00');
SELECT * FROM telemetry.get_recent_events(20, 'm1');
SELECT * FROM telemetry.check_rollups('2026-02-01 00:00:00+00', '2026-04-01 00:00:00+00');
SQL
}
batch() { # SEQUENCE: an SQL call of a known client
    PYTHONPATH=test/scripts python3 - "$1" <<'PY'
import sys, uuid, ingest_test
data = ingest_test.batch([ingest_test.GOOD], uuid.UUID(int=7), int(sys.argv[1]))
print(f"SELECT stored, duplicate, next_sequence FROM telemetry.ingest('\\x{data.hex()}')")
PY
}

server_program initdb -D "$old" -U "$PGUSER" -A trust --no-sync > /dev/null
server_program initdb -D "$new" -U "$PGUSER" -A trust --no-sync > /dev/null
start_server "$old" gravitas_telemetry.maintenance=off
run > /dev/null <<'SQL'
CREATE EXTENSION gravitas_telemetry;
CREATE ROLE upgrade_writer;
SELECT telemetry.grant_writer('upgrade_writer');
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated)
SELECT timestamptz '2026-03-01 00:00:00+00' + n * interval '2 minutes', 'THOUGHT_LATENCY', 'm' || n % 3, n % 100, 10
FROM generate_series(1, 2000) AS n;
SELECT telemetry.compact();
SELECT telemetry.set_retention('history', '90 days'), telemetry.set_alert('no_data', 60);
SELECT count(*) FROM telemetry.check_alerts('2026-04-01 00:00:00+00');
INSERT INTO telemetry.partition_size (partition, day_start, row_count, heap_bytes, index_bytes, toast_bytes, recorded_at)
VALUES ('event_20260301', '2026-03-01 00:00:00+00', 719, 1, 1, 1, now());
SELECT telemetry.log_thought_latency('m1', 1, 10, event_time => '2026-03-03 10:00:00+00');
SQL
[[ $(run -c "$(batch 1)") == '1|f|2' ]] || fail 'the batch was not stored'
content > "$scratch/before"
(($(wc -l < "$scratch/before") > 4000)) || fail 'there is next to nothing to upgrade'
stop_server "$old"

work=$PGHOST/upgrade.$$
as_server mkdir "$work"
(cd / && "${become[@]}" bash -c 'cd "$1" && shift && exec "$@"' bash "$work" "$GRAVITAS_PG_BINDIR/pg_upgrade" -U "$PGUSER" \
    -b "$GRAVITAS_PG_BINDIR" -B "$GRAVITAS_PG_BINDIR" -d "$old" -D "$new" -s "$work" -p 5434 -P 5435 -O '-c fsync=off') > "$scratch/log" 2>&1 ||
    fail "pg_upgrade: $(cat "$scratch/log")"
start_server "$new" gravitas_telemetry.maintenance=off
content > "$scratch/after"
diff "$scratch/before" "$scratch/after" || fail 'the upgraded database differs'

# Life goes on.
[[ $(run -c "$(batch 1)") == '0|t|2' && $(run -c "$(batch 2)") == '1|f|3' ]] || fail 'the client does not go on'
run > /dev/null <<'SQL'
DO $$
BEGIN
    ASSERT telemetry.log('NOTE') > (SELECT max(id) FROM telemetry.event WHERE "timestamp" < now() - interval '1 hour'), 'an id came back';
    ASSERT telemetry.compact() > 2, 'deltas were lost';
    ASSERT (SELECT count(*) FROM telemetry.rollup_delta) = 0, 'deltas stayed';
END $$;
CALL telemetry.maintain('2026-03-05 00:00:00+00');
DO $$
BEGIN
    ASSERT (SELECT count(*) = 0 FROM telemetry.maintenance_log WHERE error IS NOT NULL), 'maintenance failed';
    ASSERT (SELECT count(*) = 0 FROM telemetry.check_rollups('2026-02-01 00:00:00+00', now() + interval '1 day')), 'rollups differ';
END $$;
SQL
measured=$(run -c "SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-04 00:00:00+00', hours => 100)")
[[ $measured == 2001 ]] || fail "$measured measurements, not 2001"
echo "$(wc -l < "$scratch/after") lines of content are the same"
