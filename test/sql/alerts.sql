-- Alerts: when they fire, that they last, and when they are resolved. Time is an argument throughout.
\set SHOW_CONTEXT never
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = -3;

SELECT rule, threshold, clear_threshold, unit, measured_over, minimum_samples, is_enabled FROM telemetry.alert_rules() ORDER BY rule;
-- Nothing was ever logged: nothing fires.
SELECT * FROM telemetry.check_alerts('2026-03-10 12:00:00+00');
SELECT * FROM telemetry.alerts;

-- Sixty days of three models, lognormal-like scores about 10 ms/token; then hours in which they differ.
SELECT telemetry.ensure_partitions('2026-03-09', '2026-03-10 12:00:00+00') > 0 AS made;
CREATE FUNCTION calls(model text, at timestamptz, n integer, ms_per_token double precision, failed double precision DEFAULT 0)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, status)
    SELECT at + i * interval '10 seconds', 'THOUGHT_LATENCY', model,
           100 * ms_per_token * exp(0.5 * sin(i * 2.399963)), 100, CASE WHEN i < n * failed THEN 'ERROR' ELSE 'OK' END
    FROM generate_series(0, n - 1) AS i
$$;
SELECT calls(m, '2026-03-09 08:00:00+00', 1000, 10) FROM unnest('{steady, slower, few}'::text[]) AS m;

-- As before; 25 % slower, of enough calls; ten times as slow, of too few.
SELECT calls('steady', '2026-03-10 11:00:00+00', 200, 10), calls('slower', '2026-03-10 11:00:00+00', 200, 12.5),
       calls('few', '2026-03-10 11:00:00+00', 29, 100);
SELECT rule, subject, round(value::numeric, 2) AS value, is_confirmed FROM telemetry.alert_measurements('2026-03-10 12:00:00+00')
WHERE rule = 'efficiency_drop' ORDER BY subject;
SELECT alert_id, rule, subject, state, changed_at, round(value::numeric, 2) AS value, threshold FROM telemetry.check_alerts('2026-03-10 12:00:00+00');
-- It lasts, and fires once.
SELECT count(*) FROM telemetry.check_alerts('2026-03-10 12:00:30+00');
SELECT alert_id, rule, subject, since, round(value::numeric, 2) AS value, threshold, clear_threshold, unit FROM telemetry.alerts;
-- Between the thresholds nothing changes; nor where nobody calls the model.
SELECT calls('slower', '2026-03-10 13:00:00+00', 200, 11.6);
SELECT round(value::numeric, 2) AS value FROM telemetry.alert_measurements('2026-03-10 14:00:00+00') WHERE rule = 'efficiency_drop' AND subject = 'slower';
SELECT count(*) FROM telemetry.check_alerts('2026-03-10 14:00:00+00');
SELECT count(*) FROM telemetry.check_alerts('2026-03-10 20:00:00+00');
SELECT round(value::numeric, 2) AS value FROM telemetry.alerts;
-- As before again: resolved, and a second time it is another alert.
SELECT calls('slower', '2026-03-11 08:00:00+00', 200, 10.5);
SELECT alert_id, rule, subject, state, round(value::numeric, 2) AS value, threshold FROM telemetry.check_alerts('2026-03-11 09:00:00+00') WHERE rule = 'efficiency_drop';
SELECT calls('slower', '2026-03-11 11:00:00+00', 200, 20);
SELECT alert_id, rule, subject, state, round(value::numeric, 2) AS value, threshold FROM telemetry.check_alerts('2026-03-11 12:00:00+00') WHERE rule = 'efficiency_drop';
-- Some outliers raise the weighted score by half and shift nothing: evidence is missing.
SELECT calls('steady', '2026-03-12 11:00:00+00', 200, 10), calls('steady', '2026-03-12 11:40:00+00', 2, 600);
SELECT round(value::numeric, 2) AS value, is_confirmed FROM telemetry.alert_measurements('2026-03-12 12:00:00+00') WHERE rule = 'efficiency_drop' AND subject = 'steady';
SELECT count(*) FROM telemetry.check_alerts('2026-03-12 12:00:00+00') WHERE subject = 'steady';
-- After 60 days without it a model is forgotten.
SELECT alert_id, rule, subject, state, value FROM telemetry.check_alerts('2026-06-01 12:00:00+00') WHERE subject = 'slower';
DELETE FROM telemetry.alert_firing;
TRUNCATE telemetry.alert_log;
TRUNCATE telemetry.rollup_delta;

-- Errors: a share of failed calls, of enough of them; the silent keep their state for a day.
SELECT telemetry.ensure_partitions('2026-07-01', '2026-07-03 12:00:00+00') > 0 AS made;
SELECT calls('broken', '2026-07-01 11:00:00+00', 100, 10, 0.06), calls('fine', '2026-07-01 11:00:00+00', 100, 10, 0.05),
       calls('seldom', '2026-07-01 11:00:00+00', 29, 10, 1);
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-01 12:00:00+00');
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-01 20:00:00+00');
SELECT calls('broken', '2026-07-01 20:00:00+00', 100, 10, 0.03);
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-01 21:00:00+00');
SELECT calls('broken', '2026-07-01 22:00:00+00', 100, 10, 0.02);
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-01 23:00:00+00');

-- No data: for a day, until some comes.
SELECT rule, subject, state, value, threshold FROM telemetry.check_alerts('2026-07-02 23:00:00+00');
SELECT telemetry.log('NOTE', event_time => '2099-01-01') > 0 AS of_a_wrong_clock;
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 06:00:00+00');
SELECT telemetry.log('NOTE', event_time => '2026-07-03 07:00:00+00') > 0 AS logged;
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 07:10:00+00');

-- Maintenance that is late, and that failed.
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, error) VALUES ('compact', '2026-07-03 07:00:00+00', 1, 'done', NULL), ('retention', '2026-07-03 07:00:00+00', 1, NULL, 'canceled');
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 07:20:00+00');
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 08:00:01+00');
INSERT INTO telemetry.maintenance_log (step, started_at, duration_ms, result, error) VALUES ('compact', '2026-07-03 08:10:00+00', 1, 'done', NULL), ('retention', '2026-07-03 08:10:00+00', 1, 'done', NULL);
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 08:11:00+00') ORDER BY rule;

-- Clocks, either way; a producer that is gone is resolved.
INSERT INTO telemetry.producer SELECT n::text::uuid, 1, '2026-07-03 08:00:00+00', '2026-07-03 08:00:00+00', skew, 0, 0, 0, 0, 0, 0
FROM (VALUES ('11111111111111111111111111111111', 9999), ('22222222222222222222222222222222', -10001), ('33333333333333333333333333333333', 10001)) AS p (n, skew);
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 08:20:00+00') ORDER BY subject;
UPDATE telemetry.producer SET clock_ahead_ms = -5000 WHERE clock_ahead_ms < 0;
DELETE FROM telemetry.producer WHERE clock_ahead_ms > 10000;
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-03 08:21:00+00') ORDER BY subject;

-- Series: before there are more than a day may have.
SET gravitas_telemetry.max_series_per_day = 10;
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component) SELECT '2026-07-03 08:15:00+00', 'TICK', 'c' || n FROM generate_series(1, 20) AS n;
SELECT telemetry.compact() > 0 AS compacted;
SELECT rule, subject, state, value > 1 AS many FROM telemetry.check_alerts('2026-07-03 08:22:00+00');
SELECT count(*) FROM telemetry.check_alerts('2026-07-04 00:00:30+00') WHERE rule = 'too_many_series';
SELECT rule, subject, state, value FROM telemetry.check_alerts('2026-07-05 00:00:30+00') WHERE rule = 'too_many_series';
RESET gravitas_telemetry.max_series_per_day;

-- Hysteresis against a loop that keeps the state itself: a rate of errors that swings about both thresholds, every ten
-- minutes of two days.
TRUNCATE telemetry.alert_firing, telemetry.alert_log;
CREATE FUNCTION differences() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := '2026-08-01 00:00:00+00';
    fires boolean := false;
    rate double precision;
    state text;
    expected text;
    changes integer := 0;
    wrong integer := 0;
BEGIN
    FOR step IN 1 .. 288 LOOP
        INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, status)
        SELECT at + i * interval '1 second', 'THOUGHT_LATENCY', 'swings', 5, 5,
               CASE WHEN i < 50 * (0.035 + 0.03 * sin(step * 0.35)) THEN 'ERROR' ELSE 'OK' END FROM generate_series(0, 49) AS i;
        at := at + interval '10 minutes';
        SELECT (count(*) FILTER (WHERE status = 'ERROR'))::double precision / count(*) INTO rate
        FROM telemetry.event WHERE "timestamp" >= at - interval '1 hour' AND "timestamp" < at;
        expected := CASE WHEN NOT fires AND rate > 0.05 THEN 'firing' WHEN fires AND rate <= 0.02 THEN 'resolved' END;
        fires := coalesce(expected = 'firing', fires);
        state := (SELECT c.state FROM telemetry.check_alerts(at) AS c WHERE c.rule = 'error_rate');
        changes := changes + (expected IS NOT NULL)::integer;
        wrong := wrong + (state IS DISTINCT FROM expected)::integer;
    END LOOP;
    RAISE NOTICE '% changes', changes;
    RETURN wrong;
END $$;
SELECT telemetry.ensure_partitions('2026-08-01', '2026-08-03');
SELECT differences();
DROP FUNCTION differences;

-- Size and rows: above what there is today, until there is more, and until enough of it is gone.
SELECT telemetry.set_alert('size', (SELECT total_bytes + 1000000 FROM telemetry.footprint WHERE table_name = 'total')), telemetry.set_alert('rows', 20000);
SELECT count(*) FROM telemetry.check_alerts('2026-08-03 00:00:00+00') WHERE rule IN ('size', 'rows');
INSERT INTO telemetry.usage_stats (model) SELECT 'm' FROM generate_series(1, 25000);
ANALYZE telemetry.usage_stats;
SELECT rule, subject, state, rule = 'size' OR value = 25000 AS rightly FROM telemetry.check_alerts('2026-08-03 00:01:00+00') WHERE rule IN ('size', 'rows') ORDER BY rule;
SELECT count(*) FROM telemetry.check_alerts('2026-08-03 00:02:00+00') WHERE rule IN ('size', 'rows');
TRUNCATE telemetry.usage_stats;
SELECT rule, subject, state FROM telemetry.check_alerts('2026-08-03 00:03:00+00') WHERE rule IN ('size', 'rows') ORDER BY rule;
SELECT telemetry.set_alert('size'), telemetry.set_alert('rows');

-- Changing rules.
SELECT telemetry.set_alert('rows', 100000, 50);
SELECT telemetry.set_alert('size', 2e9);
SELECT telemetry.set_alert('error_rate', is_enabled => false);
SELECT rule, threshold, clear_threshold, is_enabled FROM telemetry.alert_rules() JOIN telemetry.alert_rule USING (rule, is_enabled, threshold, clear_threshold) ORDER BY rule;
SELECT rule, threshold, clear_threshold, is_enabled FROM telemetry.alert_rules() WHERE rule IN ('size', 'rows', 'error_rate') ORDER BY rule;
SELECT telemetry.set_alert('size'), telemetry.set_alert('rows'), telemetry.set_alert('error_rate');
SELECT rule, threshold, clear_threshold, is_enabled FROM telemetry.alert_rules() WHERE rule IN ('size', 'rows', 'error_rate') ORDER BY rule;
SELECT telemetry.set_alert('clock_skew', clear_threshold => 1000);
SELECT rule, threshold, clear_threshold, is_enabled FROM telemetry.alert_rules() WHERE rule = 'clock_skew';
-- A rule that is switched off resolves what fires.
SELECT telemetry.set_alert('no_data', 60);
SELECT rule, state, threshold FROM telemetry.check_alerts('2026-07-05 08:00:00+00') WHERE rule = 'no_data';
SELECT telemetry.set_alert('no_data', is_enabled => false);
SELECT rule, state, value, threshold FROM telemetry.check_alerts('2026-07-05 08:01:00+00') WHERE rule = 'no_data';

-- Refused.
SELECT telemetry.set_alert('disk', 5);
SELECT telemetry.set_alert(NULL, 5);
SELECT telemetry.set_alert('no_data', -1);
SELECT telemetry.set_alert('no_data', 'NaN');
SELECT telemetry.set_alert('no_data', 10, 11);
SELECT telemetry.set_alert('no_data', clear_threshold => 1e6);
SELECT telemetry.set_alert('rows', 10);
\set VERBOSITY sqlstate
SELECT telemetry.set_alert('size', 10000);
SELECT * FROM telemetry.check_alerts('infinity');
SELECT * FROM telemetry.check_alerts(NULL);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM telemetry.check_alerts();
ROLLBACK;

-- The rank test itself; what it computes is compared with brute force in test/unit.
SELECT (telemetry.mann_whitney(a, b)).*
FROM (SELECT telemetry.sketch(x) FILTER (WHERE x > 3) AS a, telemetry.sketch(x) FILTER (WHERE x <= 3) AS b FROM unnest('{1, 2, 3, 4, 5}'::double precision[]) AS x) AS s;
SELECT (telemetry.mann_whitney(a, a)).*, (telemetry.mann_whitney(a, NULL)).superiority IS NULL AS none
FROM (SELECT telemetry.sketch(1) AS a) AS s;
DROP FUNCTION calls;
