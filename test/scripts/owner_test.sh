#!/usr/bin/env bash
# Whose it is: a schema of the name is taken by nobody, the owner may be renamed and replaced, and be one who cannot log in;
# and when it is dropped, nothing of it stays.
set -euo pipefail

export PGOPTIONS='-c client_min_messages=warning'
database=owner_$$
before=$(mktemp)
installer=owner_installer_$$ owner=owner_plain_$$ writer=owner_writer_$$
trap 'rm -f "$before"; dropdb --if-exists -f "$database"; for role in "$installer" "$owner" "$owner renamed" "$writer"; do dropuser --if-exists "$role" 2> /dev/null; done' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
fail() { echo "$*"; exit 1; }
equals() { [[ $1 == "$2" ]] || fail "$3: $1, not $2"; }
# Everything of the database that has a name or an owner, but for what Postgres numbers anew.
objects() {
    run <<'SQL'
SELECT classid::regclass, CASE WHEN deptype <> 'i' THEN pg_describe_object(classid, objid, objsubid) END, deptype
FROM pg_depend WHERE refobjid >= 16384 OR objid >= 16384 ORDER BY 1, 2, 3;
SELECT 'class', relname FROM pg_class WHERE oid >= 16384 ORDER BY 2;
SELECT 'type', typname FROM pg_type WHERE oid >= 16384 ORDER BY 2;
SELECT 'proc', oid::regprocedure FROM pg_proc WHERE oid >= 16384 ORDER BY 2;
SELECT 'operator', oid::regoperator FROM pg_operator WHERE oid >= 16384 ORDER BY 2;
SELECT 'opclass', opcname FROM pg_opclass WHERE oid >= 16384 ORDER BY 2;
SELECT 'cast', castsource::regtype, casttarget::regtype FROM pg_cast WHERE oid >= 16384 ORDER BY 2, 3;
SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 2;
SELECT 'description', count(*) FROM pg_description WHERE objoid >= 16384;
SELECT 'default acl', count(*) FROM pg_default_acl;
SELECT 'role', rolname, objid FROM pg_shdepend JOIN pg_roles AS r ON r.oid = refobjid
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database());
SQL
}

createdb "$database"
run -c "CREATE ROLE $installer SUPERUSER" -c "CREATE ROLE $owner NOLOGIN" -c "CREATE ROLE $writer LOGIN"

for taken in "CREATE SCHEMA telemetry AUTHORIZATION $writer" 'CREATE SCHEMA telemetry'; do
    run -c "$taken"
    objects > "$before"
    ! error=$(run -v VERBOSITY=verbose -c 'CREATE EXTENSION gravitas_telemetry' 2>&1) || fail 'a schema that is there was taken'
    [[ $error == *'42P06: schema "telemetry" already exists'*HINT*'ALTER SCHEMA telemetry RENAME TO'* ]] || fail "no hint: $error"
    objects | diff "$before" - || fail 'something is left of what was refused'
    run -c 'DROP SCHEMA telemetry'
done

# Nothing stays, whatever has come since: days, and what users made of it.
objects > "$before"
run -c 'CREATE EXTENSION gravitas_telemetry' -c 'CALL telemetry.maintain()' \
    -c 'CREATE VIEW public.mine AS SELECT * FROM telemetry.system_telemetry' \
    -c 'CREATE TABLE public.mine_too (s telemetry.summary, n integer)' \
    -c 'CREATE FUNCTION public.mine(s telemetry.summary) RETURNS bigint LANGUAGE sql RETURN telemetry.event_count(s)' \
    -c "SELECT telemetry.log('NOTE'), telemetry.grant_writer('$writer')" > /dev/null
! run -c 'DROP EXTENSION gravitas_telemetry' 2> /dev/null || fail 'what depends on it was dropped without CASCADE'
run -c 'DROP EXTENSION gravitas_telemetry CASCADE' -c 'DROP TABLE public.mine_too'
objects | diff "$before" - || fail 'something stays after DROP EXTENSION'

# It goes from one owner to the next, and works on.
run -c "SET ROLE $installer" -c 'CREATE EXTENSION gravitas_telemetry' -c "SELECT telemetry.grant_writer('$writer')" > /dev/null
run -c "CALL telemetry.maintain('2026-03-01 00:00:00+00')"
! run -c "DROP ROLE $installer" 2> /dev/null || fail 'the owner was dropped'
run -c "REASSIGN OWNED BY $installer TO $owner" -c "DROP ROLE $installer"
works() {
    run -c "SET ROLE $writer" -c "SELECT telemetry.log_thought_latency('m', 1, 10, event_time => '2026-03-01 10:00:00+00')" \
        -c "INSERT INTO telemetry.system_telemetry (\"timestamp\", event_type, component, duration_ms, tokens_generated) VALUES ('2026-03-01 11:00:00+00', 'THOUGHT_LATENCY', 'm', 1, 1)" \
        -c "SELECT telemetry.log_batch('[{\"event_type\": \"NOTE\"}]')" > /dev/null
    run -c "CALL telemetry.maintain('$2')"
    equals "$(run -c 'SELECT count(*) FROM telemetry.maintenance_log WHERE error IS NOT NULL')" 0 'steps that failed'
    equals "$(run -c "SELECT measurement_count FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-02 00:00:00+00')")" "$1" 'measured'
    equals "$(run -c "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace")" "$3" 'owner'
}
works 2 '2026-03-02 00:00:00+00' "$owner"
run -c "ALTER ROLE $owner RENAME TO \"$owner renamed\""
works 4 '2026-03-03 00:00:00+00' "\"$owner renamed\""
# Days go, too.
run -c "CALL telemetry.maintain('2026-08-01 00:00:00+00')"
equals "$(run -c "SELECT count(*) FROM telemetry.event WHERE \"timestamp\" < '2026-04-01'")" 0 'events that are too old'
equals "$(run -c "SELECT measurement_count FROM telemetry.get_aggregated_efficiency(as_of => '2026-03-02 00:00:00+00')")" 4 'measured, of days that are gone'
echo 'it changes hands, and goes without a trace'
