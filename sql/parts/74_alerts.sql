-- Alerts: what is measured, what fires now, and what has fired.
--
-- An alert fires when its measurement exceeds the threshold, and is resolved when it falls to the clear threshold or its
-- subject is gone. In between nothing changes: what lasts fires once, and what hovers about the threshold does not flap.

CREATE SEQUENCE telemetry.alert_id_seq;
COMMENT ON SEQUENCE telemetry.alert_id_seq IS 'Numbers the alerts';

CREATE TABLE telemetry.alert_firing (
    alert_id bigint PRIMARY KEY,
    rule     text NOT NULL,
    subject  text,
    since    timestamptz NOT NULL,
    value    double precision NOT NULL,
    UNIQUE NULLS NOT DISTINCT (rule, subject)
);
ALTER SEQUENCE telemetry.alert_id_seq OWNED BY telemetry.alert_firing.alert_id;
COMMENT ON TABLE telemetry.alert_firing IS 'Alerts that fire; the view alerts shows them. Written by check_alerts() only';
COMMENT ON COLUMN telemetry.alert_firing.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_firing.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_firing.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_firing.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alert_firing.value IS 'What was measured last';

CREATE TABLE telemetry.alert_log (
    alert_id   bigint NOT NULL,
    rule       text NOT NULL,
    subject    text,
    state      text NOT NULL CHECK (state IN ('firing', 'resolved')),
    changed_at timestamptz NOT NULL,
    value      double precision,
    threshold  double precision
);
CREATE INDEX alert_log_changed_at_idx ON telemetry.alert_log (changed_at);
COMMENT ON TABLE telemetry.alert_log IS 'Every alert that fired or was resolved';
COMMENT ON COLUMN telemetry.alert_log.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_log.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_log.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_log.state IS 'What it became: firing or resolved';
COMMENT ON COLUMN telemetry.alert_log.changed_at IS 'When that was found';
COMMENT ON COLUMN telemetry.alert_log.value IS 'What was measured; NULL where the subject is gone or the rule disabled';
COMMENT ON COLUMN telemetry.alert_log.threshold IS 'The threshold that was passed: to fire, or to be resolved';

SELECT pg_extension_config_dump('telemetry.alert_id_seq', '');
SELECT pg_extension_config_dump('telemetry.alert_firing', '');
SELECT pg_extension_config_dump('telemetry.alert_log', '');

CREATE TABLE telemetry.alert_lock ();
COMMENT ON TABLE telemetry.alert_lock IS 'Empty; locked by whoever checks alerts, so that one does at a time';

CREATE TYPE telemetry.alert_measurement AS (
    rule         text,
    subject      text,
    value        double precision,
    is_confirmed boolean
);
COMMENT ON TYPE telemetry.alert_measurement IS
    'A row of alert_measurements(). value: NULL where there are too few samples, then nothing changes; is_confirmed: whether the samples are evidence enough to fire';

-- Efficiency: the weighted ms per token of the last hour over that of the 60 days before it, less 1. It fires only where
-- the scores themselves have shifted, by the rank test of mann_whitney(): four standard deviations or more. So a few
-- calls with many tokens or a single outlier do not fire it. Of the last hour and of the days before, 30 calls at least.
-- Only models of which there is enough to compare are looked up in the 60 days, and those that fire.
CREATE FUNCTION telemetry.efficiency_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'efficiency_drop'
    ), recent AS MATERIALIZED (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component <> '(other)' GROUP BY 1
    ), wanted AS MATERIALIZED (
        SELECT r.component FROM rule, recent AS r WHERE telemetry.measurement_count(r.summary) >= rule.minimum_samples
        UNION
        SELECT f.subject FROM telemetry.alert_firing AS f WHERE f.rule = 'efficiency_drop'
    ), earlier AS (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start - interval '1440 hours', rule.window_start) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component IN (SELECT w.component FROM wanted AS w) GROUP BY 1
    ), compared AS (
        SELECT component, telemetry.ms_per_token(r.summary) / nullif(telemetry.ms_per_token(e.summary), 0) - 1 AS rise,
               least(telemetry.measurement_count(r.summary), telemetry.measurement_count(e.summary)) >= rule.minimum_samples AS enough,
               (telemetry.mann_whitney(telemetry.sketch(r.summary), telemetry.sketch(e.summary))).z AS z
        FROM rule, earlier AS e LEFT JOIN recent AS r USING (component)
    )
    SELECT 'efficiency_drop', component, CASE WHEN enough THEN rise END, coalesce(z >= 4, false) FROM compared;
END;
COMMENT ON FUNCTION telemetry.efficiency_measurements(timestamptz) IS
    'By how much the weighted ms per token of each model rose in the last hour over the 60 days before it, and whether the rank test confirms it';

-- A component that fires and has too few calls stays as it is for a day; silent for longer, it is none any longer.
CREATE FUNCTION telemetry.error_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'error_rate'
    ), measured AS MATERIALIZED (
        SELECT s.component, (sum(telemetry.error_count(s.summary)) / sum(telemetry.event_count(s.summary)))::double precision AS rate
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') AND s.component <> '(other)'
        GROUP BY 1, rule.minimum_samples HAVING sum(telemetry.event_count(s.summary)) >= rule.minimum_samples
    )
    SELECT 'error_rate', m.component, m.rate, true FROM measured AS m
    UNION ALL
    SELECT DISTINCT 'error_rate', f.subject, NULL::double precision, false
    FROM telemetry.alert_firing AS f, rule, telemetry.rollups(rule.window_end - interval '24 hours', rule.window_end) AS s
    WHERE f.rule = 'error_rate' AND s.component = f.subject AND s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY')
      AND f.subject NOT IN (SELECT m.component FROM measured AS m);
END;
COMMENT ON FUNCTION telemetry.error_measurements(timestamptz) IS
    'The share of failed loads and inferences of each component in the last hour';

CREATE FUNCTION telemetry.upkeep_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT 'maintenance_overdue', NULL::text, extract(epoch FROM $1 - max(l.started_at))::double precision, true
    FROM telemetry.maintenance_log AS l WHERE l.started_at <= $1 AND l.error IS NULL
    UNION ALL
    (SELECT DISTINCT ON (l.step) 'maintenance_failed', l.step, (l.error IS NOT NULL)::integer::double precision, true
     FROM telemetry.maintenance_log AS l WHERE l.started_at > $1 - interval '24 hours' AND l.started_at <= $1
     ORDER BY l.step, l.started_at DESC)
    UNION ALL
    SELECT 'clock_skew', p.producer::text, abs(p.clock_ahead_ms), true
    FROM telemetry.producer AS p, telemetry.alert_rules() AS r
    WHERE r.rule = 'clock_skew' AND p.last_seen_at > $1 - r.measured_over
    UNION ALL   -- not the newest event of all, which may be of a clock that is years ahead
    SELECT 'no_data', NULL, extract(epoch FROM $1 - greatest(c.last_at, d.last_at))::double precision, true
    FROM (SELECT max(telemetry.last_at(r.summary)) AS last_at FROM telemetry.rollup_day AS r
          WHERE r.bucket = (SELECT max(n.bucket) FROM telemetry.rollup_day AS n WHERE n.bucket <= $1)) AS c,
         (SELECT max(telemetry.last_at(d.summary)) AS last_at FROM telemetry.deltas('-infinity', $1) AS d) AS d
    UNION ALL   -- of the day before, too, so that it is not resolved at every midnight
    SELECT 'too_many_series', NULL,
           coalesce(max(d.series), 0) / current_setting('gravitas_telemetry.max_series_per_day')::double precision, true
    FROM (SELECT count(*) AS series FROM telemetry.rollup_day AS d
          WHERE d.bucket IN (telemetry.bucket_start(1440, $1), telemetry.bucket_start(1440, $1) - interval '24 hours')
          GROUP BY d.bucket) AS d;
END;
COMMENT ON FUNCTION telemetry.upkeep_measurements(timestamptz) IS
    'Time since the last event, how late maintenance is and what of it failed, clocks of producers, and how near the number of series is to its limit';

CREATE FUNCTION telemetry.alert_measurements(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH footprint AS MATERIALIZED (SELECT * FROM telemetry.footprint($1))
    SELECT 'size', NULL::text, f.total_bytes::double precision, true FROM footprint AS f WHERE f.table_name = 'total'
    UNION ALL
    SELECT 'rows', f.table_name, f.row_count::double precision, true FROM footprint AS f
    WHERE f.table_name IN ('system_telemetry', 'usage_stats', 'history')
    UNION ALL
    SELECT * FROM telemetry.efficiency_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.error_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.upkeep_measurements($1);
END;
COMMENT ON FUNCTION telemetry.alert_measurements(timestamptz) IS 'What the alert rules measure, whether it is worth an alert or not';

CREATE TYPE telemetry.alert_transition AS (
    alert_id   bigint,
    rule       text,
    subject    text,
    state      text,
    changed_at timestamptz,
    value      double precision,
    threshold  double precision
);
COMMENT ON TYPE telemetry.alert_transition IS 'A row of check_alerts(): an alert that fires from now on, or is resolved';

CREATE FUNCTION telemetry.check_alerts(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_transition
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_check_alerts';
COMMENT ON FUNCTION telemetry.check_alerts(timestamptz) IS
    'Measures, writes what fires or is resolved to alert_log, tells the channel telemetry_alert, and returns it; nothing where another session is at it';

CREATE FUNCTION telemetry.set_alert(rule text, threshold double precision DEFAULT NULL,
                                    clear_threshold double precision DEFAULT NULL, is_enabled boolean DEFAULT true)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_set_alert';
COMMENT ON FUNCTION telemetry.set_alert(text, double precision, double precision, boolean) IS
    'Changes an alert rule. threshold: NULL for the default; clear_threshold: NULL for the same share of the threshold as by default';

CREATE VIEW telemetry.alerts WITH (security_invoker = true) AS
    SELECT f.alert_id, f.rule, f.subject, f.since, f.value, r.threshold, r.clear_threshold, r.unit, r.meaning
    FROM telemetry.alert_firing AS f JOIN telemetry.alert_rules() AS r USING (rule)
    ORDER BY f.since, f.alert_id;
COMMENT ON VIEW telemetry.alerts IS 'Alerts that fire now';
COMMENT ON COLUMN telemetry.alerts.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alerts.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alerts.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alerts.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alerts.value IS 'What was measured last';
COMMENT ON COLUMN telemetry.alerts.threshold IS 'It fired above this';
COMMENT ON COLUMN telemetry.alerts.clear_threshold IS 'It is resolved at this or below';
COMMENT ON COLUMN telemetry.alerts.unit IS 'Unit of value and thresholds';
COMMENT ON COLUMN telemetry.alerts.meaning IS 'What value is';
