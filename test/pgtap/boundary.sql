-- No exception and no longjmp crosses the boundary between C++ and Postgres the wrong way: every error keeps its SQLSTATE,
-- every destructor runs, and the backend lives on.
BEGIN;
SELECT plan(29);

CREATE FUNCTION probe_throw(text) RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_throw';
CREATE FUNCTION probe_ereport() RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_ereport';
CREATE FUNCTION probe_nested() RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_nested';
CREATE FUNCTION probe_wait() RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_wait';
CREATE FUNCTION probe_value() RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_value';
CREATE FUNCTION probe_sql(text) RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_sql';
CREATE FUNCTION probe_destroyed() RETURNS integer LANGUAGE c AS '$libdir/boundary_probe', 'telemetry_probe_destroyed';

SELECT set_config('probe.backend', pg_backend_pid()::text, true);
SELECT is(probe_destroyed(), 0, 'nothing was destroyed yet');

SELECT throws_ok($$SELECT probe_throw('runtime_error')$$, 'XX000', 'a runtime error');
SELECT throws_ok($$SELECT probe_throw('core::Error')$$, '22023', 'a mistake');
SELECT throws_ok($$SELECT probe_throw('bad_alloc')$$, '53200', 'out of memory');
SELECT throws_ok($$SELECT probe_throw('length_error')$$, 'XX000');
SELECT throws_ok($$SELECT probe_throw('int')$$, 'XX000', 'unrecognized C++ exception');
SELECT throws_ok($$SELECT probe_throw('out of PG_TRY')$$, 'XX000', 'left PG_TRY by throw');
SELECT throws_ok($$SELECT probe_throw('long')$$, '22023', repeat('x', 511), 'an endless message is cut');
SELECT is(probe_throw('nothing'), NULL, 'without an exception the value returns');
SELECT is(probe_destroyed(), 8, 'every frame was unwound');

SELECT throws_ok($$SELECT probe_ereport()$$, '22012', 'seven by zero');
SELECT is(probe_destroyed(), 2, 'an ereport below C++ frames runs their destructors');
SELECT throws_ok($$SELECT probe_nested()$$, '22012', 'seven by zero');
SELECT is(probe_destroyed(), 2, 'also when it passes a handler');

CREATE FUNCTION diagnostics(sql text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; message text;
BEGIN
    EXECUTE sql;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, message = MESSAGE_TEXT;
    RETURN ARRAY[message, detail, hint];
END $$;
SELECT is(diagnostics('SELECT probe_ereport()'), ARRAY['seven by zero', 'A detail.', 'A hint.'], 'detail and hint arrive');
SELECT is(diagnostics($$SELECT probe_throw('core::Error')$$), ARRAY['a mistake', '', 'Mend it.'], 'so does the hint of an exception');
SELECT is(length((diagnostics($$SELECT probe_throw('long')$$))[3]), 255, 'an endless hint is cut');
SELECT is(probe_destroyed(), 4);

SELECT throws_ok($$SELECT probe_sql('SELECT 1/0')$$, '22012', 'division by zero');
SELECT throws_ok($$SELECT probe_sql('SELECT nonsense')$$, '42703');
SELECT is(probe_destroyed(), 2, 'errors of SQL unwind too');
SELECT is(probe_value(), 42);
SELECT is(probe_destroyed(), 1);

-- throws_ok() cannot catch a cancel.
CREATE FUNCTION cancelled(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN 'not cancelled';
EXCEPTION WHEN query_canceled THEN
    RETURN SQLERRM;
END $$;
SET LOCAL statement_timeout = '1s';
SELECT is(cancelled('SELECT probe_wait()'), 'canceling statement due to statement timeout');
SET LOCAL statement_timeout = 0;
SELECT is(probe_destroyed(), 1, 'a statement timeout unwinds too');

-- Ten thousand errors later the same backend answers.
SELECT lives_ok($$DO $do$ BEGIN
    FOR i IN 1..10000 LOOP
        BEGIN
            PERFORM CASE WHEN i % 2 = 0 THEN probe_ereport() ELSE probe_throw('int') END;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$ $$);
SELECT is(probe_destroyed(), 15000);
SELECT is(pg_backend_pid()::text, current_setting('probe.backend'), 'it is still the same backend');
SELECT ok(telemetry.log('NOTE') > 0, 'and the extension works in it');

SELECT * FROM finish();
ROLLBACK;
