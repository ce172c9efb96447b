#!/usr/bin/env bash
# A restore that takes its time on a server with a launcher: told to leave the database alone, it compacts nothing between
# a dump's deltas and its rollups, and comes once it may.
set -euo pipefail

fail() { echo "$*"; exit 1; }
run() { psql -X -q -v ON_ERROR_STOP=1 -At "$@"; }
within() { # SECONDS SQL
    local deadline=$((SECONDS + $1))
    until [[ $(run -d target -c "$2") == t ]]; do
        ((SECONDS < deadline)) || fail "not within $1 s: $2"
        sleep 0.1
    done
}
visited() { # until the launcher has seen to another database three times
    local deadline=$((SECONDS + 60)) end
    end=$(($(run -d source -c "$rounds") + 3))
    until (($(run -d source -c "$rounds") >= end)); do
        ((SECONDS < deadline)) || fail 'no launcher comes'
        run -d source -c "SET gravitas_telemetry.maintenance = off; SELECT telemetry.log('NOTE')" > /dev/null
        sleep 0.1
    done
}
rounds="SELECT count(*) FROM telemetry.maintenance_log WHERE step = 'maintain'"
measured="SELECT sum(measurement_count) FROM telemetry.get_aggregated_efficiency()"
insert="INSERT INTO telemetry.system_telemetry (event_type, component, duration_ms, tokens_generated)
        SELECT 'THOUGHT_LATENCY', 'm' || n % 3, n, 10 FROM generate_series(1, 100) AS n"

inside() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    run -c 'CREATE DATABASE source' -c 'ALTER DATABASE source SET gravitas_telemetry.maintenance = off'
    run -d source -c 'CREATE EXTENSION gravitas_telemetry' -c "$insert" -c 'CALL telemetry.maintain()' -c "$insert"
    pg_dump -Fc -f "$scratch/dump" source
    run -c 'ALTER DATABASE source RESET gravitas_telemetry.maintenance'

    run -c 'CREATE DATABASE target' -c 'ALTER DATABASE target SET gravitas_telemetry.maintenance = off'
    pg_restore -l "$scratch/dump" > "$scratch/all"
    grep 'TABLE DATA telemetry rollup_delta' "$scratch/all" > "$scratch/deltas"
    grep -v 'TABLE DATA telemetry rollup_delta' "$scratch/all" > "$scratch/others"
    pg_restore -e -d target --section=pre-data "$scratch/dump"
    pg_restore -e -d target -L "$scratch/deltas" "$scratch/dump"
    visited
    pg_restore -e -d target --section=data --section=post-data -L "$scratch/others" "$scratch/dump"
    [[ $(run -d target -c "$measured") == 200 ]] || fail 'measurements were lost'
    run -c 'ALTER DATABASE target RESET gravitas_telemetry.maintenance'
    within 60 'SELECT count(*) = 0 FROM telemetry.rollup_delta'
    [[ $(run -d target -c "$measured") == 200 ]] || fail 'measurements were lost by the launcher'
    [[ -z $(run -d target -c "SELECT * FROM telemetry.check_rollups(now() - interval '2 days', now() + interval '1 day')") ]] ||
        fail 'rollups differ'
}

case ${1:-} in
    inside) inside ;;
    *)
        PG_CONFIG=${PG_CONFIG:-pg_config} tools/cluster run --option shared_preload_libraries=gravitas_telemetry \
            --option gravitas_telemetry.maintenance_interval=1s -- "$0" inside
        echo 'the launcher kept away from a restore'
        ;;
esac
