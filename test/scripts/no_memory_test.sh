#!/usr/bin/env bash
# A backend that gets no more memory: its statement fails, and no more than its statement.
set -euo pipefail

type -P prlimit setpriv > /dev/null || { echo 'prlimit or setpriv is missing' && exit 77; }
database=no_memory_$$
trap 'exec {to}>&- || true; dropdb --if-exists -f "$database"' EXIT

fail() { echo "$*"; exit 1; }
# In one line, so that one answer is one line, too.
ask() {
    echo "$1" >&"$to"
    IFS= read -r -t 60 answer <&"$from" || fail "no answer to $1"
}
# So many bytes more than it has, as its own user: not every root may.
limit() { "${as_owner[@]}" prlimit --pid="$backend" --as="$1": || { echo 'no limit can be set' && exit 77; }; }

createdb "$database"
psql -X -q -d "$database" -c 'CREATE EXTENSION gravitas_telemetry'
coproc session { psql -X -q -At -v VERBOSITY=terse -d "$database" 2>&1; }
to=${session[1]} from=${session[0]}
ask 'SELECT pg_backend_pid();' && backend=$answer
as_owner=()
((EUID != 0)) || as_owner=(setpriv --clear-groups --reuid="$(stat -c %u "/proc/$backend")" --regid="$(stat -c %g "/proc/$backend")" --)

store="SELECT stored FROM telemetry.log_batch((SELECT jsonb_agg(jsonb_build_object('event_type', 'NOTE', 'component', 'c' || n, 'metadata', jsonb_build_object('n', repeat('x', 50)))) FROM generate_series(1, 3000) AS n));"
ask "$store"
stored=3000 failed=0
for ((step = 0; step < 250; ++step)); do
    limit $((($(cut -d' ' -f1 "/proc/$backend/statm") * $(getconf PAGESIZE)) + step * 65536))
    ask "$store"
    limit unlimited
    case $answer in
        3000) stored=$((stored + 3000)) ;;
        *'out of memory'*) failed=$((failed + 1)) ;;
        *) fail "step $step: $answer" ;;
    esac
    ask "SELECT 'alive';"
    [[ $answer == alive ]] || fail "after an error in step $step: $answer"
done
((failed > 0)) || fail 'it never lacked memory'
ask 'SELECT count(*) FROM telemetry.event;'
[[ $answer == "$stored" ]] || fail "$answer events, not $stored"
ask "SELECT count(*) FROM telemetry.check_rollups(now() - interval '1 day', now() + interval '1 day');"
[[ $answer == 0 ]] || fail "$answer differences of the rollups"
echo "$failed statements of 250 failed for want of memory"
