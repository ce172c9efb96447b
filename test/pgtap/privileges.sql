-- Nothing for PUBLIC; and nobody's operators, functions or temporary tables are run for somebody else.
BEGIN;
SELECT plan(39);

-- ---- PUBLIC ----

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
    WHERE p.pronamespace = 'telemetry'::regnamespace AND acl.grantee = 0
    $$, 'PUBLIC may call no function');
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c,
           aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 0
    $$, 'PUBLIC has no right on any table, view or sequence');
SELECT is_empty($$
    SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid, aclexplode(attacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 0
    $$, 'nor on any column');
SELECT is_empty($$
    SELECT FROM pg_namespace AS n, aclexplode(n.nspacl) AS acl WHERE n.nspname = 'telemetry' AND acl.grantee = 0
    $$, 'nor on the schema');

-- ---- What a writer and a reader have, to the letter ----

CREATE ROLE tap_writer;
CREATE ROLE tap_reader;
CREATE ROLE tap_history_reader;
SELECT lives_ok($$ SELECT telemetry.grant_writer('tap_writer'), telemetry.grant_reader('tap_reader'), telemetry.grant_history_reader('tap_history_reader') $$, 'rights are granted');
SELECT set_eq($$
    SELECT c.relname || ' ' || acl.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_writer'::regrole
    UNION ALL
    SELECT c.relname || '.' || attname || ' ' || acl.privilege_type
    FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid, aclexplode(attacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_writer'::regrole
    $$, ARRAY['event INSERT', 'event.id SELECT', 'system_telemetry INSERT', 'system_telemetry.id SELECT', 'rollup_delta INSERT',
              'producer INSERT', 'producer UPDATE', 'producer.producer SELECT', 'producer.last_sequence SELECT', 'producer.first_seen_at SELECT',
              'retention_policy SELECT', 'usage_stats INSERT', 'usage_stats.id SELECT', 'history INSERT', 'history.id SELECT',
              'event_id_seq USAGE', 'usage_stats_id_seq USAGE', 'history_id_seq USAGE'], 'a writer has just these rights on tables');
SELECT set_eq($$
    SELECT p.proname FROM pg_proc AS p, aclexplode(p.proacl) AS acl
    WHERE p.pronamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_writer'::regrole
    $$, ARRAY['log', 'log_load_latency', 'log_thought_latency', 'log_batch', 'ingest', 'log_usage', 'log_history', 'start_timer',
              'measure_latency', 'id_to_generate', 'retention_keep']::name[], 'a writer may call just these functions');
SELECT set_eq($$
    SELECT DISTINCT acl.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_reader'::regrole
    $$, ARRAY['SELECT'], 'a reader has no right on tables but to read them');
SELECT is_empty($$
    SELECT FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.oid = 'telemetry.history'::regclass AND acl.grantee = 'tap_reader'::regrole
    $$, 'a reader does not see history');
SELECT set_eq($$
    SELECT p.proname FROM pg_proc AS p, aclexplode(p.proacl) AS acl
    WHERE p.pronamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_reader'::regrole AND p.provolatile = 'v'
    $$, ARRAY['start_timer', 'measure_latency']::name[], 'of what is volatile, a reader may only read the clock');
SELECT set_eq($$
    SELECT c.relname || ' ' || acl.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee = 'tap_history_reader'::regrole
    $$, ARRAY['history SELECT'], 'a reader of history sees that alone');
SELECT is_empty($$
    SELECT FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = 'telemetry'::regnamespace AND acl.grantee <> c.relowner AND acl.is_grantable
    UNION ALL
    SELECT FROM pg_proc AS p, aclexplode(p.proacl) AS acl
    WHERE p.pronamespace = 'telemetry'::regnamespace AND acl.grantee <> p.proowner AND acl.is_grantable
    $$, 'nobody may hand rights on');

-- ---- A hostile user's objects ----

-- Functions of C and procedures that run SQL pin the search_path, or are on the list of those whose statements name all
-- they use with its schema. Whoever adds one thinks about it.
SELECT set_eq($$
    SELECT p.proname FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.pronamespace = 'telemetry'::regnamespace AND l.lanname IN ('c', 'plpgsql') AND p.provolatile <> 'i'
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting ~ '^search_path=pg_catalog, pg_temp$')
    $$, ARRAY['log', 'log_load_latency', 'log_thought_latency', 'log_batch', 'ingest', 'log_usage', 'log_history', 'start_timer',
              'measure_latency', 'id_to_generate', 'system_telemetry_write', 'series_figures', 'series_rows', 'maintain', 'apply_retention',
              'expired_before', 'event_partitions', 'readable_window', 'reading_window', 'workers']::name[],
    'just these functions see the search_path of the caller');
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.relnamespace = 'telemetry'::regnamespace AND c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
    $$, 'views ask with the rights of whoever asks');

-- In front of everything a schema with an operator for each of pg_catalog's on common types, and a function for each that
-- takes them, all of which raise an error. Temporary tables have the names of catalogs and of telemetry's tables.
CREATE SCHEMA evil;
CREATE TABLE evil.common (type regtype);
INSERT INTO evil.common VALUES ('text'), ('name'), ('integer'), ('bigint'), ('double precision'), ('numeric'), ('boolean'), ('oid'), ('regclass'),
    ('timestamptz'), ('interval'), ('uuid'), ('xid8'), ('jsonb'), ('json'), ('anyelement'), ('anyarray'), ('text[]'), ('double precision[]'), ('"any"');
DO $do$
DECLARE
    victim record;
    refused integer := 0;
BEGIN
    FOR victim IN
        SELECT p.proname, oidvectortypes(p.proargtypes) AS arguments, format_type(p.prorettype, NULL) AS result, p.proretset
        FROM pg_proc AS p JOIN pg_type AS t ON t.oid = p.prorettype
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
          AND (t.typtype <> 'p' OR p.prorettype IN ('void'::regtype, 'anyelement'::regtype, 'anyarray'::regtype))
          AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS a WHERE a NOT IN (SELECT type FROM evil.common WHERE type <> '"any"'::regtype))
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS $f$BEGIN RAISE ''hijacked''; END$f$',
                           victim.proname, victim.arguments, CASE WHEN victim.proretset THEN 'SETOF ' ELSE '' END, victim.result);
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
        END;
    END LOOP;
    FOR victim IN
        SELECT o.oprname, format_type(nullif(o.oprleft, 0), NULL) AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result,
               row_number() OVER () AS n
        FROM pg_operator AS o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprright IN (SELECT type FROM evil.common)
          AND (o.oprleft = 0 OR o.oprleft IN (SELECT type FROM evil.common))
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS $f$BEGIN RAISE ''hijacked''; END$f$',
                           victim.n, concat_ws(', ', victim.l, victim.r), victim.result);
            EXECUTE format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.operator_%s)', victim.oprname,
                           'LEFTARG = ' || victim.l || ',', victim.r, victim.n);
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
        END;
    END LOOP;
    ASSERT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace) > 1000, 'few functions: ' || refused || ' refused';
    ASSERT (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace) > 150, 'few operators';
END $do$;
CREATE TEMP TABLE event (id text);
CREATE TEMP TABLE producer (id text);
CREATE TEMP TABLE rollup_delta (id text);
CREATE TEMP TABLE alert_firing (id text);
CREATE TEMP TABLE pg_class (oid text);
CREATE TEMP TABLE pg_proc (oid text);
CREATE TEMP TABLE pg_inherits (inhrelid text);
CREATE FUNCTION public.under_attack(sql text) RETURNS void LANGUAGE plpgsql SET search_path = evil, pg_temp, pg_catalog AS 'BEGIN EXECUTE sql; END';

SELECT throws_ok($$ SELECT public.under_attack('SELECT 1 = 1') $$, 'P0001', 'hijacked', 'the trap snaps for an operator');
SELECT throws_ok($$ SELECT public.under_attack('SELECT now()') $$, 'P0001', 'hijacked', 'and for a function');

CREATE FUNCTION pg_temp.survives(sql text) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN lives_ok(format('SELECT public.under_attack(%L)', sql), 'not hijacked: ' || sql); END $$;
SELECT pg_temp.survives($$SELECT telemetry.ensure_partitions('2026-03-01 00:00:00+00', '2026-03-02 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT telemetry.log('NOTE', 'm', 1, '{"a": 1}', 'OK', '2026-03-01 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT telemetry.log_load_latency('m', 1), telemetry.log_thought_latency('m', 1, 10)$$);
SELECT pg_temp.survives($$SELECT telemetry.log_usage('m', 'chat', 1, 2, 3), telemetry.log_history('user', 'hello')$$);
SELECT pg_temp.survives($$INSERT INTO telemetry.system_telemetry (event_type, component, duration_ms, metadata) VALUES ('THOUGHT_LATENCY', 'm', 5, '{"tokens_generated": 7}') RETURNING *$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.log_batch('[{"event_type": "NOTE"}, {"event_type": ""}]', 'skip')$$);
SELECT pg_temp.survives(format('SELECT * FROM telemetry.ingest(%L)', '\x475442018500000066ae8cd822222222222242228222222222222222010000000000000000c003dd26930e0000c003dd26930e000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000102044e4f5445056f746865720180c0f8daa6fda5060100010100000000000000'));
-- Row security takes the executor's way through the same doors, and a trigger of the owner's.
ALTER TABLE telemetry.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE telemetry.event FORCE ROW LEVEL SECURITY;
SELECT pg_temp.survives($$SELECT telemetry.log('NOTE')$$);
ALTER TABLE telemetry.event DISABLE ROW LEVEL SECURITY;
SELECT pg_temp.survives($$SELECT * FROM telemetry.get_recent_events(10, NULL)$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.get_recent_events(10, 'm')$$);
SELECT pg_temp.survives($$SELECT telemetry.get_60day_statistics('2026-03-02 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.efficiency_trend(NULL, 24, '1 hour', '2026-03-02 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT telemetry.compact()$$);
SELECT pg_temp.survives($$SELECT telemetry.rebuild_rollups('2026-03-01 00:00:00+00', '2026-03-01 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.check_rollups('2026-03-01 00:00:00+00', '2026-03-02 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.footprint$$);
SELECT pg_temp.survives($$SELECT telemetry.get_telemetry_footprint()$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.check_alerts('2026-03-05 12:00:00+00')$$);
SELECT pg_temp.survives($$SELECT telemetry.set_alert('no_data', 5)$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.status$$);
SELECT pg_temp.survives($$SELECT * FROM telemetry.alerts$$);
SELECT pg_temp.survives($$SELECT telemetry.grant_writer('tap_writer'), telemetry.grant_reader('tap_reader'), telemetry.grant_history_reader('tap_history_reader')$$);
ALTER FUNCTION telemetry.compact() RESET search_path;
SELECT throws_ok($$ SELECT public.under_attack('SELECT telemetry.compact()') $$, 'P0001', 'hijacked', 'what does not pin the search_path is caught here');

SELECT * FROM finish();
ROLLBACK;
