#!/usr/bin/env bash
# Logical replication as the README says: events and their summaries go to another database, which compacts for itself
# and answers the same, whatever days each of them has made.
set -euo pipefail
source "$(dirname "$0")/second_server.sh"

publisher=publisher_$$ subscriber=subscriber_$$
scratch=$(mktemp -d)
trap 'remove_servers; rm -rf "$scratch"' EXIT

run() { second psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
fail() { echo "$*"; exit 1; }
within() { # SECONDS SQL DATABASE: until it says t
    local deadline=$((SECONDS + $1))
    until [[ $(run -d "$3" -c "$2") == t ]]; do
        ((SECONDS < deadline)) || fail "not within $1 s in $3: $2"
        sleep 0.1
    done
}
answers() {
    run -d "$1" <<'SQL'
SELECT * FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-04 00:00:30+00', hours => 100);
SELECT * FROM telemetry.efficiency_trend('m1', 72, '1 hour', '2026-03-04 00:00:00+00');
SELECT telemetry.get_60day_statistics('2026-03-04 00:00:00+00');
SELECT * FROM telemetry.get_recent_events(20, 'm1');
SELECT * FROM telemetry.check_rollups('2026-02-01 00:00:00+00', '2026-04-01 00:00:00+00');
SQL
}
must_agree() { # until the subscriber has what was written so far
    local there="SELECT count(*) = $(run -d "$publisher" -c 'SELECT count(*) FROM telemetry.event') FROM telemetry.event"
    within 60 "$there" "$subscriber"
    answers "$publisher" > "$scratch/publisher"
    answers "$subscriber" > "$scratch/subscriber"
    diff "$scratch/publisher" "$scratch/subscriber" || fail "the subscriber answers something else $1"
}
insert() { # EVENTS START
    run -d "$publisher" -c "INSERT INTO telemetry.system_telemetry (\"timestamp\", event_type, component, duration_ms, tokens_generated)
        SELECT timestamptz '$2' + n * interval '1 minute', 'THOUGHT_LATENCY', 'm' || n % 3, n % 100, 10 FROM generate_series(1, $1) AS n"
}

server_program initdb -D "$second_data" -U "$PGUSER" -A trust --no-sync > /dev/null
start_server "$second_data" wal_level=logical gravitas_telemetry.maintenance=off
second createdb "$publisher"
second createdb "$subscriber"
run -d "$publisher" -c 'CREATE EXTENSION gravitas_telemetry'
run -d "$publisher" -c "SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00')" > /dev/null
# There before the subscription: compacted, and not.
insert 2000 '2026-03-01 00:00:00+00'
run -d "$publisher" -c 'SELECT telemetry.compact()' > /dev/null
insert 100 '2026-03-02 12:00:00+00'

run -d "$publisher" -c "CREATE PUBLICATION telemetry
    FOR TABLE telemetry.event, telemetry.rollup_delta (bucket, event_type, component, summary)
    WITH (publish = 'insert', publish_via_partition_root = true)"
run -d "$subscriber" -c 'CREATE EXTENSION gravitas_telemetry'
# Within one server the slot is made by hand.
run -d "$publisher" -c "SELECT pg_create_logical_replication_slot('telemetry', 'pgoutput')" > /dev/null
run -d "$subscriber" -c "CREATE SUBSCRIPTION telemetry CONNECTION 'host=$PGHOST port=$second_port user=$PGUSER dbname=$publisher'
    PUBLICATION telemetry WITH (create_slot = false, slot_name = 'telemetry')"
within 60 "SELECT count(*) = 2 FROM pg_subscription_rel WHERE srsubstate = 'r'" "$subscriber"
run -d "$subscriber" -c "SELECT telemetry.rebuild_rollups('2026-03-01 00:00:00+00', '2026-03-05 00:00:00+00')" > /dev/null
must_agree 'after the copy'

insert 500 '2026-03-02 18:00:00+00'
run -d "$publisher" -c "SELECT telemetry.log_thought_latency('m1', 1, 10, event_time => '2026-03-03 10:00:00+00')" > /dev/null
must_agree 'while deltas come'
[[ $(run -d "$subscriber" -c 'SELECT telemetry.compact() > 0') == t ]] || fail 'the subscriber has no deltas to compact'
must_agree 'after its compaction'
insert 50 '2026-03-03 12:00:00+00'
run -d "$publisher" -c 'SELECT telemetry.compact()' > /dev/null
must_agree "after the publisher's compaction"
[[ $(run -d "$subscriber" -c 'SELECT telemetry.compact() > 0') == t ]] || fail 'the subscriber has no deltas to compact'
must_agree 'after both'

# Days made on one side only, with events that move into them.
run -d "$publisher" -c "SELECT telemetry.ensure_partitions('2026-03-03 00:00:00+00', '2026-03-05 00:00:00+00')" > /dev/null
insert 200 '2026-03-03 14:00:00+00'
must_agree 'after the publisher made days'
run -d "$subscriber" -c "SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00')" > /dev/null
insert 200 '2026-03-02 01:00:00+00'
must_agree 'after the subscriber made days'
[[ $(run -d "$subscriber" -c 'SELECT telemetry.compact() > 0') == t ]] || fail 'the subscriber has no deltas to compact'
must_agree 'in the end'
grep -q '^m1|' "$scratch/subscriber" || fail 'nothing was answered'
! grep -E 'PANIC|TRAP|terminated by signal' "$second_data/server.log" || fail 'the server complains'
echo "$(run -d "$subscriber" -c 'SELECT count(*) FROM telemetry.event') events were replicated"
