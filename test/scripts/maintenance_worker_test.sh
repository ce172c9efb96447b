#!/usr/bin/env bash
# Maintenance that comes by itself: by a write that finds it overdue, on a server with defaults, and by the launcher where
# the library is preloaded. In clusters of its own.
set -euo pipefail

fail() { echo "$*"; exit 1; }
run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
within() { # SECONDS SQL [DATABASE]: until it says t
    local deadline=$((SECONDS + $1))
    until [[ $(run -d "${3:-postgres}" -c "$2" 2> /dev/null) == t ]]; do
        ((SECONDS < deadline)) || fail "not within $1 s: $2"
        sleep 0.1
    done
}
# Time for what must not happen: that nothing comes cannot be waited for.
nothing_comes_for() { sleep "$1"; }
log() { run -d "${1:-postgres}" -c "SELECT count(telemetry.log('NOTE', 'c' || n)) FROM generate_series(1, ${2:-1}) AS n" > /dev/null; }
restart() { # as the server's user
    local data become=()
    data=$(run -c 'SHOW data_directory')
    ((EUID != 0)) || become=(setpriv --reuid="$(stat -c %U "$data")" --regid="$(stat -c %G "$data")" --init-groups --)
    (cd / && "${become[@]}" "$GRAVITAS_PG_BINDIR/pg_ctl" -D "$data" -s -m fast -w -l "$data/restarted.log" restart > /dev/null)
}
# The worker's own troubles; what is killed on purpose says FATAL.
no_trouble() {
    local logs=("$GRAVITAS_PG_LOG" "$(run -c 'SHOW data_directory')"/restarted.log)
    ! grep -hsE 'PANIC|TRAP|ERROR|terminated by signal' "${logs[@]}" || fail 'the server complains'
}
rounds="SELECT count(*) FROM telemetry.maintenance_log WHERE step = 'maintain'"

by_writes() {
    run -c 'CREATE EXTENSION gravitas_telemetry'
    log
    within 20 "SELECT count(*) = 1 FROM telemetry.maintenance_log WHERE step = 'maintain'"
    [[ $(run -c 'SELECT count(*) FROM telemetry.event_partitions()') == 8 ]] || fail 'no days were made'
    within 20 "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'telemetry%'"

    [[ $(run -c "SELECT is_ok AND value ~ '^on; not preloaded; .*; last worker 20' FROM telemetry.status WHERE item = 'worker'") == t ]] ||
        fail "$(run -c "SELECT value FROM telemetry.status WHERE item = 'worker'")"

    # Not again within the minute, unless deltas come fast; then they are compacted alone.
    log
    nothing_comes_for 1.5
    log
    within 20 "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'telemetry%'"
    [[ $(run -c "$rounds") == 1 ]] || fail 'a second round within the minute'
    log postgres 5000
    within 20 "SELECT telemetry.log('NOTE') IS NOT NULL AND (SELECT count(*) < 1000 FROM telemetry.rollup_delta)"
    [[ $(run -c "$rounds") == 1 ]] || fail 'a compaction became a round'

    # Many writers at once start few workers.
    run -c "UPDATE telemetry.maintenance_state SET started_at = started_at - interval '1 hour', finished_at = finished_at - interval '1 hour'"
    echo "SELECT telemetry.log('NOTE');" > "$scratch"
    pgbench -n -c 8 -T 3 -f "$scratch" postgres > /dev/null 2>&1
    within 20 "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'telemetry%'"
    [[ $(run -c "$rounds") == 2 ]] || fail "$(run -c "$rounds") rounds, not 2"

    # Off: nothing comes, everything is right. On again by a reload.
    run -c "UPDATE telemetry.maintenance_state SET started_at = started_at - interval '1 hour'"
    run -c "LOAD 'gravitas_telemetry'" -c 'ALTER SYSTEM SET gravitas_telemetry.maintenance = off' -c 'SELECT pg_reload_conf()' > /dev/null
    within 20 "SELECT telemetry.start_timer() > 0 AND current_setting('gravitas_telemetry.maintenance') = 'off'"
    log
    nothing_comes_for 1.5
    log
    nothing_comes_for 0.5
    [[ $(run -c "$rounds") == 2 ]] || fail 'maintenance although it is off'
    [[ $(run -c "SELECT sum(telemetry.event_count(summary)) = (SELECT count(*) FROM telemetry.event) FROM telemetry.rollups(now() - interval '1 day', now() + interval '1 day')") == t ]] || fail 'wrong answers'
    run -c "LOAD 'gravitas_telemetry'" -c 'ALTER SYSTEM RESET gravitas_telemetry.maintenance' -c 'SELECT pg_reload_conf()' > /dev/null
    within 20 "SELECT telemetry.start_timer() > 0 AND current_setting('gravitas_telemetry.maintenance') = 'on'"
    log
    within 20 "SELECT count(*) = 3 FROM telemetry.maintenance_log WHERE step = 'maintain'"

    # A database that is dropped meanwhile; the extension comes back.
    run -c 'CREATE DATABASE short' && run -d short -c 'CREATE EXTENSION gravitas_telemetry'
    log short
    run -c 'DROP DATABASE short WITH (FORCE)'
    run -c 'DROP EXTENSION gravitas_telemetry CASCADE' -c 'CREATE EXTENSION gravitas_telemetry'
    log
    within 20 "SELECT count(*) = 1 FROM telemetry.maintenance_log WHERE step = 'maintain'"
    no_trouble
}

by_launcher() {
    run -c 'CREATE DATABASE one' -c 'CREATE DATABASE bare'
    run -d one -c 'CREATE EXTENSION gravitas_telemetry'
    within 30 "SELECT count(*) >= 1 FROM telemetry.maintenance_log WHERE step = 'maintain'" one
    within 30 "SELECT is_ok AND value ~ '^on; launcher runs; .*; last worker 20' FROM telemetry.status WHERE item = 'worker'" one
    # Nobody writes: one round, and the next one in half an hour. Somebody does, and no write looks: the launcher comes.
    nothing_comes_for 2.5
    [[ $(run -d one -c "$rounds") == 1 ]] || fail 'rounds where nothing happens'
    run -d one -c "SET gravitas_telemetry.maintenance = off; SELECT telemetry.log('NOTE')" > /dev/null
    within 30 "SELECT count(*) >= 2 FROM telemetry.maintenance_log WHERE step = 'maintain'" one
    within 30 "SELECT count(*) = 0 FROM telemetry.rollup_delta" one
    # It keeps no database: they can be copied and dropped without force.
    run -c 'CREATE DATABASE two TEMPLATE one'
    within 30 "SELECT count(*) >= 2 FROM telemetry.maintenance_log WHERE step = 'maintain'" two
    run -c 'DROP DATABASE bare' -c 'DROP DATABASE two'
    # Of one database it can be told to leave it alone.
    run -c 'ALTER DATABASE one SET gravitas_telemetry.maintenance = off'
    log one
    before=$(run -d one -c "$rounds")
    nothing_comes_for 2.5
    [[ $(run -d one -c "$rounds") == "$before" ]] || fail 'maintenance of a database where it is off'
    # What statistics do not know, as after a crash, is seen all the same.
    run -d one -c "SELECT pg_stat_reset_single_table_counters('telemetry.rollup_delta'::regclass)" > /dev/null
    run -c 'ALTER DATABASE one RESET gravitas_telemetry.maintenance'
    within 30 "SELECT count(*) = 0 FROM telemetry.rollup_delta" one
    # The extension goes and comes back.
    run -d one -c 'DROP EXTENSION gravitas_telemetry'
    nothing_comes_for 1.5 # the launcher looks at a database without it
    run -d one -c 'CREATE EXTENSION gravitas_telemetry'
    within 30 "SELECT count(*) >= 1 FROM telemetry.maintenance_log WHERE step = 'maintain'" one
    # The server comes back, and the launcher with it; killed, it comes again after its restart time, so it is only looked
    # that nobody else goes.
    restart
    within 60 "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'telemetry launcher'"
    log one
    within 60 "SELECT count(*) = 0 FROM telemetry.rollup_delta" one
    run -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'telemetry launcher'" > /dev/null
    log one
    within 60 "SELECT count(*) > 1 FROM telemetry.maintenance_log WHERE step = 'maintain'" one
    no_trouble
}

case ${1:-} in
    inside) scratch=$(mktemp) && trap 'rm -f "$scratch"' EXIT && "$2" ;;
    *)
        PG_CONFIG=${PG_CONFIG:-pg_config} tools/cluster run -- "$0" inside by_writes
        tools/cluster run --option max_worker_processes=0 -- bash -c "psql -X -q -c 'CREATE EXTENSION gravitas_telemetry' -c \"SELECT telemetry.log('NOTE')\" -c \"SELECT telemetry.log('NOTE')\" > /dev/null && [[ \$(psql -X -At -c \"SELECT is_ok, value, hint ~ '^raise max_worker_processes' FROM telemetry.status WHERE item = 'worker'\") == 'f|on; not preloaded; 0 of 0 worker slots free; last worker never|t' ]] && psql -X -q -v ON_ERROR_STOP=1 -c 'CALL telemetry.maintain()' && [[ \$(psql -X -At -c 'SELECT count(*) FROM telemetry.event') == 2 ]] && ! grep ERROR \$GRAVITAS_PG_LOG" ||
            fail 'without a worker slot'
        tools/cluster run --option shared_preload_libraries=gravitas_telemetry --option gravitas_telemetry.maintenance_interval=1s -- "$0" inside by_launcher
        echo 'workers came when they were due'
        ;;
esac
