#!/usr/bin/env bash
# Days are dropped while others are made, beside writers: neither is a reason for the other to fail.
set -euo pipefail

database=days_come_and_go_$$
readonly days=25
maker='' load=''
clean_up() {
    for process in $maker $load; do kill "$process" 2>/dev/null || true; done
    dropdb --if-exists -f "$database"
}
trap clean_up EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
fail() { echo "$*"; exit 1; }

createdb "$database"
run -c 'CREATE EXTENSION gravitas_telemetry' > /dev/null
# Whoever waits for each other is told at once.
run -c "ALTER DATABASE $database SET deadlock_timeout = '10ms'"
run > /dev/null <<SQL
SELECT telemetry.ensure_partitions(now() - interval '$((61 + days)) days', now() - interval '61 days');
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component)
SELECT now() - day * interval '1 day', 'NOTE', 'm' || n % 50
FROM generate_series(1, $((62 + days))) AS day, generate_series(1, 1000) AS n;
SELECT telemetry.compact();
SQL
before=$(run -c 'SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_day')

pgbench -n -c 2 -T 300 -d "$database" -f <(echo "SELECT telemetry.log('NOTE', 'load');") > /dev/null 2>&1 &
load=$!
for ((day = days; day > 0; --day)); do
    echo "SELECT telemetry.ensure_partitions(now() - interval '$day days', now() - interval '$((day - 1)) days');"
done | run > /dev/null &
maker=$!
rounds=0
until [[ $(run -c "SELECT count(*) FROM telemetry.retention_plan() WHERE action = 'drop'") == 0 ]]; do
    ((++rounds < 100)) || fail "$rounds rounds do not drop the days: $(run -c 'SELECT * FROM telemetry.retention_delay')"
    run -c 'CALL telemetry.apply_retention()' > /dev/null 2>&1 || fail 'apply_retention() failed'
done
wait $maker || fail 'who makes days failed'
maker=''
errors=$(run -c "SELECT error FROM telemetry.maintenance_log WHERE error IS NOT NULL")
[[ -z $errors ]] || fail "retention failed: $errors"
kill $load
wait $load || true
load=''
after=$(run -c "SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_day")
[[ $after == "$before" ]] || fail "the statistics have $after events, not $before"
echo "$days days made, and as many dropped in $rounds rounds"
