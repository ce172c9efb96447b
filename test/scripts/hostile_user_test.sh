#!/usr/bin/env bash
# A hostile owner of the database: his functions, operators and casts come first in everybody's search_path, his temporary
# tables and views have the names of telemetry's. None of them is ever run by another role: not by CREATE EXTENSION, not
# when the owner of telemetry calls a function of it, not by maintenance, a worker's either.
set -euo pipefail

export PGOPTIONS='-c client_min_messages=warning'
database=hostile_$$ hostile=hostile_user_$$ canary=canary_$$
trap 'dropdb --if-exists -f "$database"; dropuser --if-exists "$hostile"' EXIT

fail() { echo "$*"; exit 1; }
# By the superuser: with a search_path of his own, and with the one that is set for the database.
run() { PGOPTIONS="$PGOPTIONS -c search_path=pg_catalog" trapped "$@"; }
trapped() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@"; }
attack() { run -U "$hostile" "$@"; }
within() { # SECONDS SQL: until it says t
    local deadline=$((SECONDS + $1))
    until [[ $(run -c "$2") == t ]]; do
        ((SECONDS < deadline)) || fail "not within $1 s: $2"
        sleep 0.1
    done
}
# The log keeps what a transaction that was rolled back has called.
caught() { grep -hoE "$canary [^ ]+ as .*" "$GRAVITAS_PG_LOG" || true; }

createuser "$hostile"
createdb -O "$hostile" "$database"

# Each tells the log when it is called by anybody else, and goes on, as one that wants to stay unseen would.
attack -v canary="$canary" -v hostile="$hostile" <<'SQL'
SELECT set_config('hostile.canary', :'canary', false), set_config('hostile.name', :'hostile', false) \g /dev/null
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TYPE evil.trap AS (content text);
DO $do$
DECLARE
    common regtype[] := '{text, name, integer, bigint, double precision, numeric, boolean, oid, regclass, timestamptz, interval, uuid, xid8, jsonb, json, anyelement, anyarray, text[], double precision[]}';
    victim record;
    body text;
BEGIN
    FOR victim IN
        SELECT p.proname AS name, oidvectortypes(p.proargtypes) AS arguments, format_type(p.prorettype, NULL) AS result, p.proretset AS is_set,
               NULL AS operator, NULL AS l, NULL AS r
        FROM pg_proc AS p JOIN pg_type AS t ON t.oid = p.prorettype
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
          AND (t.typtype <> 'p' OR p.prorettype = 'void'::regtype)
          AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS a WHERE a <> ALL (common))
        UNION ALL
        SELECT 'operator_' || row_number() OVER (), concat_ws(', ', format_type(nullif(o.oprleft, 0), NULL), format_type(o.oprright, NULL)),
               format_type(o.oprresult, NULL), false, o.oprname, format_type(nullif(o.oprleft, 0), NULL), format_type(o.oprright, NULL)
        FROM pg_operator AS o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprright = ANY (common) AND (o.oprleft = 0 OR o.oprleft = ANY (common))
    LOOP
        body := format('BEGIN IF current_user <> %L THEN RAISE LOG ''%s %% as %%'', %L, current_user; END IF; RETURN%s; END',
                       current_setting('hostile.name'), current_setting('hostile.canary'),
                       coalesce(victim.operator, victim.name), CASE WHEN victim.is_set OR victim.result = 'void' THEN '' ELSE ' NULL' END);
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql SET search_path = pg_catalog AS %L', victim.name,
                           victim.arguments, CASE WHEN victim.is_set THEN 'SETOF ' ELSE '' END, victim.result, body);
            IF victim.operator IS NOT NULL THEN
                EXECUTE format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.%I)', victim.operator,
                               'LEFTARG = ' || victim.l || ',', victim.r, victim.name);
            END IF;
        EXCEPTION WHEN OTHERS THEN   -- anyelement from nothing, and the like
            NULL;
        END;
    END LOOP;
    EXECUTE format('CREATE FUNCTION evil.trap(text) RETURNS evil.trap LANGUAGE plpgsql AS %L',
                   format('BEGIN RAISE LOG ''%s cast as %%'', current_user; RETURN NULL; END', current_setting('hostile.canary')));
    ASSERT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace) > 1000, 'few functions';
    ASSERT (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace) > 150, 'few operators';
END $do$;
CREATE CAST (text AS evil.trap) WITH FUNCTION evil.trap(text) AS IMPLICIT;
CREATE TABLE evil.event (LIKE pg_class);
CREATE TABLE evil.pg_inherits (inhrelid text, inhparent text);
SQL
attack -c "ALTER DATABASE $database SET search_path = evil, pg_catalog, public"
[[ -z $(caught) ]] || fail "called while it was made: $(caught)"

# The traps snap: for an operator, a function and a cast.
trapped -c 'SELECT 1 = 1' -c "SELECT lower('A'::text)" -c "SELECT 'A'::text::trap" > /dev/null
[[ $(caught | wc -l) == 3 ]] || fail "a trap does not snap: $(caught)"
canary_free() { # WHO
    [[ $(caught | wc -l) == 3 ]] || fail "$1 ran what is not its own: $(caught)"
}

sharedir=$(run -c "SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")
for script in test/upgrade/gravitas_telemetry--*.sql; do
    old=$(sed 's/.*--\(.*\)\.sql/\1/' <<< "$script")
    # At once, since another test may be about to read it.
    install -m 644 "$script" "$sharedir/extension/$canary" && mv "$sharedir/extension/$canary" "$sharedir/extension/${script##*/}"
    run -c "CREATE EXTENSION gravitas_telemetry VERSION '$old'" -c "SELECT telemetry.log_thought_latency('m', 1, 10, 5)" > /dev/null
    trapped -c 'ALTER EXTENSION gravitas_telemetry UPDATE'
    canary_free "the update from $old"
    run -c 'DROP EXTENSION gravitas_telemetry'
done
trapped -c 'CREATE EXTENSION gravitas_telemetry'
canary_free 'CREATE EXTENSION'
for right in writer reader history_reader maintainer; do trapped -c "SELECT telemetry.grant_$right('$hostile')" > /dev/null; done

# As the owner of telemetry.
trapped > /dev/null <<'SQL'
CREATE TEMP TABLE event (id text);
CREATE TEMP TABLE pg_class (oid text);
CREATE TEMP TABLE rollup_delta (id text);
SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00');
SELECT telemetry.log('NOTE', 'm', 1, '{"a": 1}', 'OK', '2026-03-01 12:00:00+00'), telemetry.log_usage('m', 'chat', 1, 2, 3), telemetry.log_history('user', 'hello');
SELECT telemetry.log_load_latency('m', 1), telemetry.log_thought_latency('m', 1, 10, event_time => '2026-03-01 13:00:00+00');
SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}, {"event_type": ""}]', 'skip');
INSERT INTO telemetry.system_telemetry (event_type, component, duration_ms, metadata) VALUES ('THOUGHT_LATENCY', 'm', 5, '{"tokens_generated": 7}') RETURNING *;
COPY telemetry.system_telemetry (event_type) FROM STDIN;
NOTE
\.
SELECT telemetry.compact();
SELECT telemetry.rebuild_rollups('2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00');
SELECT * FROM telemetry.check_rollups('2026-03-01 00:00:00+00', '2026-03-03 00:00:00+00');
SELECT * FROM telemetry.get_aggregated_efficiency('m', 24, '2026-03-02 00:00:00+00');
SELECT * FROM telemetry.get_recent_events(10, 'm');
SELECT telemetry.get_60day_statistics('2026-03-02 00:00:00+00'), telemetry.get_telemetry_footprint();
SELECT * FROM telemetry.efficiency_trend(NULL, 24, '1 hour', '2026-03-02 12:00:00+00');
SELECT * FROM telemetry.system_telemetry;
SELECT * FROM telemetry.footprint;
SELECT * FROM telemetry.status;
SELECT * FROM telemetry.alerts;
SELECT telemetry.set_alert('no_data', 5), telemetry.set_retention('history', '90 days');
SELECT * FROM telemetry.check_alerts('2026-03-05 12:00:00+00');
SELECT * FROM telemetry.retention_plan('2026-08-01 00:00:00+00');
DELETE FROM telemetry.system_telemetry;
SQL
canary_free 'the owner'

# By the hostile maintainer, in a session full of traps: maintenance runs as the owner.
trapped -U "$hostile" > /dev/null <<'SQL'
CREATE TEMP TABLE event (id text);
CREATE TEMP TABLE event_default (id text);
CREATE TEMP TABLE maintenance_log (id text);
CREATE TEMP TABLE pg_class (oid text);
CREATE TEMP TABLE pg_inherits (inhrelid text);
CREATE FUNCTION pg_temp.compact() RETURNS bigint LANGUAGE sql AS 'SELECT 1/0';
CREATE VIEW evil.days AS SELECT * FROM telemetry.event;
SELECT telemetry.log('NOTE', event_time => '2026-03-01 12:00:00+00'), telemetry.log('NOTE', event_time => '2026-03-20 12:00:00+00');
SET search_path = pg_temp, evil, pg_catalog;
CALL telemetry.maintain('2026-03-21 12:00:00+00');
CALL telemetry.apply_retention('2026-08-01 00:00:00+00', true);
CALL telemetry.apply_retention('2026-08-01 00:00:00+00');
CALL telemetry.maintain('2026-08-01 00:00:00+00');
SQL
canary_free 'maintenance'
steps=$(run -c "SELECT string_agg(DISTINCT step, ' ' ORDER BY step) FROM telemetry.maintenance_log WHERE sqlstate IS NULL")
[[ $steps == *compaction*maintain*partitions*retention* ]] || fail "only these steps did something: $steps"
[[ $(run -c 'SELECT count(*) FROM telemetry.maintenance_log WHERE sqlstate IS NOT NULL') == 0 ]] || fail 'a step failed'

# A worker connects as the owner, with what is set for the database.
run -c 'DELETE FROM telemetry.maintenance_log' -c 'DELETE FROM telemetry.maintenance_state' -c "ALTER DATABASE $database SET gravitas_telemetry.maintenance = on"
attack -c "SELECT telemetry.log('NOTE')" > /dev/null
within 60 "SELECT count(*) > 0 FROM telemetry.maintenance_log WHERE step = 'maintain'"
within 60 "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'telemetry%' AND datname = current_database()"
[[ $(run -c 'SELECT count(*) FROM telemetry.maintenance_log WHERE sqlstate IS NOT NULL') == 0 ]] || fail 'a step of the worker failed'
canary_free 'a worker'

trapped -c 'DROP EXTENSION gravitas_telemetry CASCADE'
canary_free 'DROP EXTENSION'
echo "nobody ran $(run -c "SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace") functions of a hostile user"
