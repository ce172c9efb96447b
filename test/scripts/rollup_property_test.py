#!/usr/bin/env python3
"""Random events through every door, compacted at random moments: each question answers as the events themselves do.

What is right is computed by SQL over telemetry.event, with the questions of version 0.1: counts, tokens, minima and
maxima must be equal, sums within 1e-9 of the sum of magnitudes, percentiles within 0.55 % of percentile_disc and never
outside the minimum and maximum. Seeds are fixed; $GRAVITAS_SEED tries another one. Needs a running cluster (PG*).
"""

import json
import os
import random
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone

SEEDS = [int(os.environ["GRAVITAS_SEED"])] if "GRAVITAS_SEED" in os.environ else [1, 2, 3]
PHASES = 6
DATABASE = f"rollup_property_{os.getpid()}"
NOW = datetime(2026, 3, 10, 12, 34, 56, 789012, timezone.utc)
FAR = "'1900-01-01 00:00:00+00', '2200-01-01 00:00:00+00'"

COLUMNS = ["timestamp", "event_type", "component", "value", "duration_ms", "first_token_ms", "prompt_tokens",
           "tokens_generated", "status", "metadata"]
COMPONENTS = ["model a", "model a", "model a", "model b", "model b", "rare", None, "(other)", "ünïcode ☃", "L" * 600 + "x",
              "L" * 600 + "y", "☃" * 300 + "1", "☃" * 300 + "2", "e" * 512, "e" * 513, "a\t\"quoted\"\n\\'name'", " "]
TYPES = ["THOUGHT_LATENCY"] * 10 + ["LOAD_LATENCY"] * 4 + ["VRAM_CHECK"] * 3 + ["VRAM_LOCKOUT", "thought_latency",
                                                                              "T" * 700 + "1", "T" * 700 + "2", "größe"]
STATUSES = ["OK"] * 8 + [None, None, "WARNING", "ERROR", "error", "Failed", "FAILURE", "timeout", "CANCELLED", "aborted",
                         " ERROR", "ERRORS", "CANCELED", "", "ÉRROR"]

ORACLE = r"""
CREATE EXTENSION gravitas_telemetry;
SET client_min_messages = warning;
SELECT telemetry.ensure_partitions('2026-03-08 00:00:00+00', '2026-03-11 00:00:00+00') = 3 AS made \gset
CREATE SCHEMA oracle;

CREATE FUNCTION oracle.near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN coalesce(abs(a - b) <= 1e-9 * abs(b), a IS NULL AND b IS NULL);
CREATE FUNCTION oracle.near_percentile(a float8, exact float8, lowest float8, highest float8) RETURNS boolean
    LANGUAGE sql IMMUTABLE
RETURN coalesce(abs(a - exact) <= 0.0055 * abs(exact) AND a >= lowest AND a <= highest, a IS NULL AND exact IS NULL);
CREATE FUNCTION oracle.key(component text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN coalesce('=' || telemetry.rollup_key(component), '');
-- 'year 1': date_bin() of version 15 errs before its origin.
CREATE FUNCTION oracle.step_start(step interval, t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN date_bin(step, t, '0001-01-01 00:00:00+00');
CREATE FUNCTION oracle.win(hours integer, as_of timestamptz, OUT since timestamptz, OUT until timestamptz) LANGUAGE sql IMMUTABLE
RETURN (oracle.step_start('1 minute', as_of - hours * interval '1 hour'),
        oracle.step_start('1 minute', as_of + interval '1 minute - 1 microsecond'));

-- Events as the rollups should count them.
CREATE VIEW oracle.event AS
    SELECT e.*,
           is_thought AND NOT failed AND value IS NOT NULL AS is_scored
    FROM (SELECT e.id, e."timestamp" AS at, e.event_type, e.component, oracle.key(e.component) AS key,
                 telemetry.rollup_key(e.event_type) AS type_key, e.value, e.duration_ms, e.first_token_ms,
                 e.prompt_tokens, e.tokens_generated, e.status,
                 e.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') AS is_model,
                 e.event_type = 'LOAD_LATENCY' AS is_load, e.event_type = 'THOUGHT_LATENCY' AS is_thought,
                 coalesce(upper(e.status) IN ('ERROR', 'FAILED', 'FAILURE', 'TIMEOUT', 'CANCELLED', 'ABORTED'), false)
                     AS failed
          FROM telemetry.event AS e) AS e;

CREATE FUNCTION oracle.efficiency(a timestamptz, b timestamptz, step interval DEFAULT NULL)
    RETURNS TABLE (key text, step_start timestamptz, n bigint, errors bigint, mean float8, weighted float8, best float8,
                   worst float8, p float8[], tokens bigint)
    LANGUAGE sql STABLE AS $$
    SELECT e.key, oracle.step_start(step, at), count(*) FILTER (WHERE is_scored), count(*) FILTER (WHERE failed),
           avg(value) FILTER (WHERE is_scored),
           sum(duration_ms) FILTER (WHERE is_scored AND tokens_generated > 0)
               / sum(tokens_generated) FILTER (WHERE is_scored AND duration_ms IS NOT NULL AND tokens_generated > 0),
           min(value) FILTER (WHERE is_scored), max(value) FILTER (WHERE is_scored),
           percentile_disc('{0.5, 0.95, 0.99}'::float8[]) WITHIN GROUP (ORDER BY value) FILTER (WHERE is_scored),
           coalesce(sum(tokens_generated) FILTER (WHERE NOT failed), 0)
    FROM oracle.event AS e WHERE at >= a AND at < b AND is_thought GROUP BY 1, 2 $$;

CREATE FUNCTION oracle.check_efficiency(only_component text, hours integer, as_of timestamptz) RETURNS SETOF text
    LANGUAGE sql STABLE AS $$
    WITH answer AS (
        SELECT *, oracle.key(component) AS key FROM telemetry.get_aggregated_efficiency($1, $2, $3) WITH ORDINALITY
    ), right_answer AS (
        SELECT o.*, w.since, w.until FROM oracle.win($2, $3) AS w, oracle.efficiency(w.since, w.until) AS o
        WHERE $1 IS NULL OR o.key = oracle.key($1)
    )
    SELECT format('efficiency of %s: %s but by events %s', coalesce($1, 'all'), row_to_json(a), row_to_json(o))
    FROM answer AS a FULL JOIN right_answer AS o USING (key)
    WHERE (a.measurement_count = o.n AND a.error_count = o.errors AND a.total_tokens = o.tokens
               AND a.best_efficiency IS NOT DISTINCT FROM o.best AND a.worst_efficiency IS NOT DISTINCT FROM o.worst
               AND oracle.near(a.avg_efficiency_score, o.mean) AND oracle.near(a.weighted_efficiency_score, o.weighted)
               AND oracle.near_percentile(a.p50_efficiency, o.p[1], o.best, o.worst)
               AND oracle.near_percentile(a.p95_efficiency, o.p[2], o.best, o.worst)
               AND oracle.near_percentile(a.p99_efficiency, o.p[3], o.best, o.worst)
               AND a.window_start = o.since AND a.window_end = o.until) IS NOT TRUE
    UNION ALL
    SELECT 'efficiency is not in order of the weighted score'
    WHERE ARRAY(SELECT key FROM answer ORDER BY ordinality)
          <> ARRAY(SELECT key FROM answer ORDER BY weighted_efficiency_score NULLS LAST, component) $$;

-- Steps are whole: the first and the last reach beyond the window.
CREATE FUNCTION oracle.check_trend(only_component text, hours integer, step interval, as_of timestamptz)
    RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH right_answer AS (
        SELECT o.* FROM oracle.win($2, $4) AS w,
             oracle.efficiency(oracle.step_start($3, w.since), oracle.step_start($3, w.until - interval '1 microsecond') + $3, $3) AS o
        WHERE $1 IS NULL OR o.key = oracle.key($1)
    )
    SELECT format('trend of %s by %s: %s but by events %s', coalesce($1, 'all'), $3, row_to_json(a), row_to_json(o))
    FROM (SELECT *, oracle.key(component) AS key FROM telemetry.efficiency_trend($1, $2, $3, $4)) AS a
    FULL JOIN right_answer AS o USING (key, step_start)
    WHERE (a.measurement_count = o.n AND a.error_count = o.errors AND a.total_tokens = o.tokens
               AND oracle.near(a.weighted_efficiency_score, o.weighted)
               AND oracle.near_percentile(a.p50_efficiency, o.p[1], o.best, o.worst)
               AND oracle.near_percentile(a.p95_efficiency, o.p[2], o.best, o.worst)) IS NOT TRUE $$;

CREATE FUNCTION oracle.check_statistics(as_of timestamptz) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH happened AS (
        SELECT e.* FROM oracle.win(1440, $1) AS w, oracle.event AS e WHERE e.at >= w.since AND e.at < w.until
    ), right_answer AS (
        SELECT key, count(*) FILTER (WHERE is_scored) AS n, count(*) FILTER (WHERE failed) AS errors,
               avg(value) FILTER (WHERE is_scored) AS mean,
               sum(duration_ms) FILTER (WHERE is_scored AND tokens_generated > 0)
                   / sum(tokens_generated) FILTER (WHERE is_scored AND duration_ms IS NOT NULL AND tokens_generated > 0)
                   AS weighted,
               min(value) FILTER (WHERE is_scored) AS best, max(value) FILTER (WHERE is_scored) AS worst,
               coalesce(sum(coalesce(prompt_tokens, 0)::bigint + coalesce(tokens_generated, 0))
                        FILTER (WHERE is_thought AND NOT failed), 0) AS tokens,
               count(*) FILTER (WHERE is_load AND NOT failed) AS loads,
               avg(value) FILTER (WHERE is_load AND NOT failed) AS load_time
        FROM happened WHERE is_model GROUP BY key
    ), statistics AS (
        SELECT telemetry.get_60day_statistics($1) AS s
    ), trend AS (
        SELECT t.*, oracle.key(t.component) AS key
        FROM statistics, jsonb_to_recordset(s->'model_trends') AS t (component text, measurement_count bigint,
            error_count bigint, avg_efficiency_score float8, weighted_efficiency_score float8, best_efficiency float8,
            worst_efficiency float8, total_tokens_processed bigint, load_count bigint, avg_load_time_seconds float8)
    )
    SELECT format('60 days: %s but by events %s', row_to_json(a), row_to_json(o))
    FROM trend AS a FULL JOIN right_answer AS o USING (key)
    WHERE (a.measurement_count = o.n AND a.error_count = o.errors AND a.total_tokens_processed = o.tokens
               AND a.load_count = o.loads AND oracle.near(a.avg_load_time_seconds, o.load_time)
               AND a.best_efficiency IS NOT DISTINCT FROM o.best AND a.worst_efficiency IS NOT DISTINCT FROM o.worst
               AND oracle.near(a.avg_efficiency_score, o.mean)
               AND oracle.near(a.weighted_efficiency_score, o.weighted)) IS NOT TRUE
    UNION ALL
    SELECT format('60 days, overall: %s but by events %s', s->'overall', o)
    FROM statistics, (SELECT jsonb_build_object('total_measurements', count(*),
                                                'unique_models', count(DISTINCT nullif(key, '')) FILTER (WHERE is_model),
                                                'oldest_record', min(at), 'newest_record', max(at))
                      FROM happened) AS o (o)
    WHERE s->'overall' <> o $$;

-- The merged rollups of every event type: all that a summary holds.
CREATE FUNCTION oracle.check_summaries(hours integer, as_of timestamptz, folded boolean DEFAULT false)
    RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH w AS (
        SELECT * FROM oracle.win($1, $2)
    ), answer AS (
        SELECT r.event_type AS type_key, CASE WHEN NOT folded THEN oracle.key(r.component) END AS key,
               telemetry.merge(r.summary) AS s
        FROM w, telemetry.rollups(w.since, w.until) AS r GROUP BY 1, 2
    ), happened AS (
        SELECT type_key, CASE WHEN NOT folded THEN key END AS key, e.at, e.failed, e.is_thought,
               e.is_thought AND NOT e.failed AS counts, e.prompt_tokens, e.tokens_generated,
               NOT (e.failed AND e.is_model) AS measured, e.value, e.duration_ms, e.first_token_ms, e.is_scored
        FROM w, oracle.event AS e WHERE e.at >= w.since AND e.at < w.until
    ), counted AS (
        SELECT type_key, key, count(*) AS n, count(*) FILTER (WHERE failed) AS errors, min(at) AS first_at,
               max(at) AS last_at, coalesce(sum(tokens_generated) FILTER (WHERE counts), 0) AS tokens,
               coalesce(sum(prompt_tokens) FILTER (WHERE counts), 0) AS prompt,
               count(*) FILTER (WHERE counts AND value IS NULL) AS unscored,
               sum(duration_ms - first_token_ms) FILTER (WHERE decodes)
                   / sum(tokens_generated - 1) FILTER (WHERE decodes) AS decode
        FROM (SELECT *, is_scored AND tokens_generated > 1 AND duration_ms >= first_token_ms AS decodes FROM happened) AS h
        GROUP BY 1, 2
    ), measured AS (
        SELECT type_key, key, metric, count(x) AS n, min(x) AS lowest, max(x) AS highest, sum(x::numeric) AS total,
               sum(abs(x::numeric)) AS magnitude,
               percentile_disc('{0, 0.01, 0.5, 0.95, 1}'::float8[]) WITHIN GROUP (ORDER BY x) AS p,
               CASE WHEN max(abs(x)) BETWEEN 1e-100 AND 1e100 THEN stddev(x::numeric) END AS deviation
        FROM happened, LATERAL (VALUES ('value', value), ('duration_ms', duration_ms), ('first_token_ms', first_token_ms))
                           AS m (metric, x)
        WHERE measured AND x IS NOT NULL
        GROUP BY 1, 2, 3
    )
    SELECT format('%s %s: %s but by events %s', k.type_key, k.key, s::jsonb, row_to_json(c))
    FROM answer AS a FULL JOIN counted AS c ON a.type_key = c.type_key AND a.key IS NOT DISTINCT FROM c.key
         CROSS JOIN LATERAL (SELECT coalesce(a.type_key, c.type_key), coalesce(a.key, c.key)) AS k (type_key, key)
    WHERE (telemetry.event_count(s) = c.n AND telemetry.error_count(s) = c.errors
               AND telemetry.first_at(s) = c.first_at AND telemetry.last_at(s) = c.last_at
               AND telemetry.total_tokens(s) = c.tokens AND telemetry.prompt_tokens(s) = c.prompt
               AND telemetry.unscored_count(s) = c.unscored AND oracle.near(telemetry.decode_ms_per_token(s), c.decode)
               AND (SELECT count(*) FROM measured AS m
                    WHERE m.type_key = a.type_key AND m.key IS NOT DISTINCT FROM a.key)
                   = (SELECT count(*) FROM unnest('{value, duration_ms, first_token_ms}'::text[]) AS u (metric)
                      WHERE telemetry.measurement_count(s, metric) > 0)) IS NOT TRUE
    UNION ALL
    SELECT format('%s of %s %s: %s but by events %s', metric, m.type_key, m.key, s::jsonb, row_to_json(m))
    FROM measured AS m JOIN answer AS a ON a.type_key = m.type_key AND a.key IS NOT DISTINCT FROM m.key
    WHERE (telemetry.measurement_count(s, metric) = m.n
               AND telemetry.min_value(s, metric) = m.lowest AND telemetry.max_value(s, metric) = m.highest
               AND coalesce(abs(telemetry.total(s, metric)::numeric - m.total) <= 1e-9 * m.magnitude,
                            telemetry.total(s, metric) IS NULL AND m.magnitude > 1.7e308)
               AND (m.n < 2 OR m.deviation IS NULL
                    OR abs(telemetry.standard_deviation(s, metric)::numeric - m.deviation)
                       <= 1e-9 * greatest(abs(m.lowest), abs(m.highest))::numeric)
               AND (SELECT bool_and(abs(a::numeric - b::numeric) <= 0.0055 * abs(b::numeric) AND a BETWEEN m.lowest AND m.highest)
                    FROM unnest(telemetry.percentiles(s, '{0, 0.01, 0.5, 0.95, 1}', metric), m.p) AS u (a, b))) IS NOT TRUE $$;

CREATE FUNCTION oracle.check_recent("limit" integer, component text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH answer AS (
        SELECT * FROM telemetry.get_recent_events($1, $2) WITH ORDINALITY
    ), right_answer AS (
        SELECT *, row_number() OVER (ORDER BY "timestamp" DESC, id DESC) AS ordinality
        FROM (SELECT * FROM telemetry.system_telemetry AS t WHERE $2 IS NULL OR t.component = $2
              ORDER BY "timestamp" DESC, id DESC LIMIT $1) AS newest
    )
    SELECT format('recent events of %s, number %s: %s but by events %s', coalesce(left($2, 20), 'all'), ordinality,
                  row_to_json(a), row_to_json(r))
    FROM answer AS a FULL JOIN right_answer AS r USING (ordinality)
    WHERE (a.event_type, a.component, a.value, a.metadata, a.status, a."timestamp")
          IS DISTINCT FROM (r.event_type, r.component, r.value, r.metadata, r.status, r."timestamp") $$;

CREATE FUNCTION oracle.check_folded(hours integer, as_of timestamptz) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT format('folded efficiency: %s but by events %s', row_to_json(a), row_to_json(o))
    FROM (SELECT sum(measurement_count) AS n, sum(error_count) AS errors, sum(total_tokens) AS tokens,
                 min(best_efficiency) AS best, max(worst_efficiency) AS worst
          FROM telemetry.get_aggregated_efficiency(NULL, $1, $2)) AS a,
         (SELECT sum(o.n) AS n, sum(errors) AS errors, sum(tokens) AS tokens, min(best) AS best, max(worst) AS worst
          FROM oracle.win($1, $2) AS w, oracle.efficiency(w.since, w.until) AS o) AS o
    WHERE a IS DISTINCT FROM o
    UNION ALL
    SELECT format('folded 60 days: %s but by events %s', a, n)
    FROM (SELECT (telemetry.get_60day_statistics($2)->'overall'->>'total_measurements')::bigint) AS a (a),
         (SELECT count(*) FROM oracle.win(1440, $2) AS w, oracle.event AS e WHERE e.at >= w.since AND e.at < w.until) AS o (n)
    WHERE a <> n
    UNION ALL
    SELECT oracle.check_summaries($1, $2, true) $$;

-- All of a summary but the floating-point sums, whose last bits know the order of additions.
CREATE FUNCTION oracle.exact_parts(s telemetry.summary) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN s::jsonb #- '{value,sum}' #- '{value,squares}' #- '{duration_ms,sum}' #- '{duration_ms,squares}'
       #- '{first_token_ms,sum}' #- '{first_token_ms,squares}' #- '{weighted,duration_ms}' #- '{decode,duration_ms}'
       #- '{regression,d}' #- '{regression,pd}' #- '{regression,gd}' #- '{regression,dd}';

-- Events summarized in one go, and cut, ordered and merged by chance: as a chain, as a tree, with +.
CREATE FUNCTION oracle.check_merging(salt integer) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH event AS (
        SELECT *, hashint8extended(e.id, $1) AS chance FROM telemetry.event AS e
    ), whole AS (
        SELECT event_type AS t, component AS c, count(*) AS n,
               telemetry.summarize(event_type, "timestamp", value, duration_ms, first_token_ms, prompt_tokens,
                                   tokens_generated, status ORDER BY id) AS s
        FROM event GROUP BY 1, 2
    ), piece AS (
        SELECT event_type AS t, component AS c, chance % 17 AS piece, chance % 4 AS branch,
               telemetry.summarize(event_type, "timestamp", value, duration_ms, first_token_ms, prompt_tokens,
                                   tokens_generated, status ORDER BY chance) AS s
        FROM event GROUP BY 1, 2, 3, 4
    ), branch AS (
        SELECT t, c, branch, telemetry.merge(s ORDER BY piece DESC) AS s FROM piece GROUP BY 1, 2, 3
    ), merged AS (
        SELECT t, c, 'chain' AS way, telemetry.merge(s ORDER BY piece, branch) AS s FROM piece GROUP BY 1, 2
        UNION ALL
        SELECT t, c, 'tree', telemetry.merge(s ORDER BY branch) FROM branch GROUP BY 1, 2
    )
    SELECT format('merged as %s: %s, but in one go %s', way, m.s, w.s)
    FROM merged AS m JOIN whole AS w ON w.t = m.t AND w.c IS NOT DISTINCT FROM m.c
    WHERE oracle.exact_parts(m.s) <> oracle.exact_parts(w.s) OR (w.n <= 8 AND m.s OPERATOR(telemetry.<>) w.s)
       OR telemetry.sketch(m.s) OPERATOR(telemetry.<>) telemetry.sketch(w.s)
    UNION ALL
    SELECT format('a + b: %s, b + a: %s, but merge() gives %s', y, z, m)
    FROM (SELECT a.s, b.s, a.s OPERATOR(telemetry.+) b.s, b.s OPERATOR(telemetry.+) a.s,
                 (SELECT telemetry.merge(u) FROM unnest(ARRAY[a.s, b.s]) AS u)
          FROM branch AS a JOIN branch AS b ON a.t = b.t AND a.c IS NOT DISTINCT FROM b.c AND a.branch = 0 AND b.branch = 1
         ) AS pair (a, b, y, z, m)
    WHERE oracle.exact_parts(y) <> oracle.exact_parts(m) OR oracle.exact_parts(z) <> oracle.exact_parts(m) $$;
"""


def literal(value):
    """As an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"'{value!r}'::float8" if isinstance(value, float) else str(value)
    return "'" + str(value).replace("'", "''") + "'"


def copied(value):
    """As a field of COPY's text format."""
    if value is None:
        return r"\N"
    text = repr(value) if isinstance(value, float) else str(value)
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")


class Generator:
    def __init__(self, seed, crowded):
        self.random = random.Random(seed)
        self.crowded = crowded   # few minutes in which the same components meet again and again
        self.last_time = NOW

    def time(self):
        chance = self.random
        if self.crowded:
            return NOW - timedelta(minutes=chance.choice([0, 0, 1, 45, 1440]), seconds=chance.randrange(60))
        kind = chance.choice(["recent"] * 5 + ["boundary"] * 3 + ["late"] * 3 + ["old", "same", "same", "future"])
        if kind == "same":
            return self.last_time
        if kind == "recent":
            time = NOW - timedelta(microseconds=chance.randrange(26 * 3600 * 10**6))
        elif kind == "late":
            time = NOW - timedelta(microseconds=chance.randrange(59 * 86400 * 10**6))
        elif kind == "future":
            time = NOW + timedelta(microseconds=chance.randrange(30 * 3600 * 10**6))
        elif kind == "old":
            time = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=chance.choice(
                [0, -1, 1, -60_000_000, -59_999_999, -60_000_001, chance.randrange(-9 * 10**9, 9 * 10**9)]))
        else:
            time = NOW - timedelta(minutes=chance.choice([0, 1, 2, 60, 1440, chance.randrange(60 * 1440)]))
            time = time.replace(second=0, microsecond=0)
            width = chance.choice(["minute", "hour", "day"])
            time = time.replace(minute=0) if width != "minute" else time
            time = time.replace(hour=0) if width == "day" else time
            time += timedelta(microseconds=chance.choice([-1, 0, 1]))
        self.last_time = time
        return time

    def figure(self):
        chance = self.random
        return chance.choice([0.0, -0.0, chance.lognormvariate(3, 2), -chance.lognormvariate(3, 2), 1e300, -1e300, 1e-310,
                              float(chance.randrange(-5, 6)), None, chance.uniform(-1, 1), 5e-324, 1.7976931348623157e308,
                              chance.lognormvariate(3, 1), chance.lognormvariate(3, 1), 1e15 + chance.randrange(100)])

    def duration(self):
        chance = self.random
        return chance.choice([0.0, 1e12, 1e-9, chance.lognormvariate(7, 1), chance.lognormvariate(7, 1),
                              chance.lognormvariate(7, 1), float(chance.randrange(1, 9)) * 1000])

    def event(self):
        chance = self.random
        kind = chance.choice(TYPES)
        event = dict.fromkeys(COLUMNS)
        event.update(timestamp=self.time().isoformat(), event_type=kind, component=chance.choice(COMPONENTS),
                     status=chance.choice(STATUSES))
        if kind == "THOUGHT_LATENCY":
            shape = chance.randrange(12)
            tokens = chance.choice([0, 1, 1, 2, 2147483647] + [chance.randrange(1, 2000) for _ in range(8)])
            if shape < 8:
                event.update(duration_ms=self.duration(), tokens_generated=tokens)
            elif shape == 8:
                event.update(value=chance.lognormvariate(2, 1))
            elif shape == 9:
                event.update(value=chance.lognormvariate(2, 1), tokens_generated=min(tokens, 1000))
            elif shape == 10:
                event.update(duration_ms=self.duration())
            event["prompt_tokens"] = chance.choice([None, 0, 10, chance.randrange(5000), 2147483647])
            if chance.randrange(3) == 0:
                event["first_token_ms"] = chance.choice([0.0, 1.5, self.duration()])
            if chance.randrange(8) == 0:   # as older applications do
                event.update(duration_ms=None, tokens_generated=None, value=None,
                             metadata=json.dumps({"inference_time_ms": self.duration(), "tokens_generated": tokens, "x": 1}))
        elif kind == "LOAD_LATENCY":
            event[chance.choice(["value", "duration_ms"])] = chance.choice([None, 0.0, chance.lognormvariate(1, 1), 1e9])
        else:
            event["value"] = self.figure()
            if chance.randrange(3) == 0:
                event.update(duration_ms=self.duration(), first_token_ms=self.duration(), prompt_tokens=7, tokens_generated=8)
        return event

    def count(self):
        return self.random.choice([1, 1, 2, 5, 8, 9, 30, 90])

    def insert(self):
        rows = ",\n".join("(" + ", ".join(literal(event[name]) for name in COLUMNS) + ")"
                          for event in (self.event() for _ in range(self.count())))
        casts = ["timestamptz", "text", "text", "float8", "float8", "float8", "integer", "integer", "text", "jsonb"]
        selected = ", ".join(f"{name}::{cast}" for name, cast in zip(["v." + n for n in COLUMNS], casts))
        return (f"INSERT INTO telemetry.system_telemetry ({', '.join(COLUMNS)})\n"
                f"SELECT {selected} FROM (VALUES {rows}) AS v ({', '.join(COLUMNS)});".replace("timestamp", '"timestamp"')
                .replace('"timestamp"tz', "timestamptz"))

    def copy(self):
        rows = "".join("\t".join(copied(event[name]) for name in COLUMNS) + "\n"
                       for event in (self.event() for _ in range(self.count())))
        columns = ", ".join(COLUMNS).replace("timestamp", '"timestamp"')
        return f"COPY telemetry.system_telemetry ({columns}) FROM STDIN;\n{rows}\\."

    def log(self):
        event = self.event()
        at, name, chance = literal(event["timestamp"]), literal(event["component"] or "model a"), self.random
        if event["event_type"] == "LOAD_LATENCY":
            return (f"SELECT telemetry.log_load_latency({name}, {chance.lognormvariate(1, 1)!r}, "
                    f"{literal(chance.random() < .8)}, {at}) \\g /dev/null")
        if event["event_type"] == "THOUGHT_LATENCY":
            first = chance.choice(["NULL", "0.01"])
            return (f"SELECT telemetry.log_thought_latency({name}, {chance.lognormvariate(1, 1)!r}, {chance.randrange(300)}, "
                    f"{chance.choice(['NULL', '0', '12'])}, {literal(chance.random() < .8)}, {first}, NULL, {at}) \\g /dev/null")
        return (f"SELECT telemetry.log({literal(event['event_type'])}, {literal(event['component'])}, {literal(event['value'])}, "
                f"NULL, {literal(event['status'])}, {at}) \\g /dev/null")

    def statement(self):
        return self.random.choice([self.insert, self.copy, self.log, self.log, self.log])()

    def transaction(self):
        """One or more statements, some of them taken back, and now and then a compaction among them."""
        chance = self.random
        kind = chance.randrange(10)
        if kind < 6:
            return self.statement()
        if kind == 6:
            return "BEGIN;\n" + self.statement() + "\nROLLBACK;"
        compact = "SELECT telemetry.compact() \\g /dev/null"
        end = chance.choice(["COMMIT;", "COMMIT;", "ROLLBACK;"])
        steps = ["BEGIN;", self.statement(), "SAVEPOINT s;", self.statement(),
                 chance.choice(["ROLLBACK TO s;", "RELEASE s;", "ROLLBACK TO s;\n" + compact, compact]),
                 self.statement(), chance.choice(["", "", compact]), end]
        return "\n".join(steps)

    def as_of(self):
        chance = self.random
        boundary = NOW.replace(second=0, microsecond=0)
        return chance.choice([NOW, boundary, boundary + timedelta(microseconds=1), boundary.replace(minute=0),
                              boundary.replace(minute=0, hour=0), boundary.replace(minute=0, hour=0) - timedelta(microseconds=1),
                              boundary.replace(minute=0, hour=0) + timedelta(days=1),
                              NOW - timedelta(microseconds=chance.randrange(59 * 86400 * 10**6)), NOW + timedelta(days=5),
                              datetime(2000, 1, 1, 0, 0, tzinfo=timezone.utc), datetime(1999, 12, 31, 23, 59, 59, 999999, timezone.utc),
                              datetime(2000, 1, 1, 1, 17, 3, tzinfo=timezone.utc)]).isoformat()


def psql(script):
    command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", DATABASE, "-f", "-"]
    result = subprocess.run(command, input="SET timezone = 'UTC';\n" + script, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"this failed: {result.stderr[:4000]}")
    return [re.sub(r"(.)\1{30,}", r"\1…", line) for line in result.stdout.splitlines() if line]


def questions(generator):
    chance = generator.random
    asked = [f"SELECT 'check_rollups: ' || row_to_json(c) FROM telemetry.check_rollups({FAR}) AS c;"]
    for _ in range(4):
        hours, as_of = chance.choice([1, 1, 2, 24, 24, 25, 47, 48, 49, 24 * 7, 1440]), literal(generator.as_of())
        component = literal(chance.choice(COMPONENTS + ["nobody"]))
        asked += [f"SELECT oracle.check_efficiency(NULL, {hours}, {as_of});",
                  f"SELECT oracle.check_efficiency({component}, {hours}, {as_of});",
                  f"SELECT oracle.check_summaries({hours}, {as_of});"]
        asked += [f"SELECT oracle.check_trend({chance.choice(['NULL', component])}, {min(hours, 168)}, '{step}', {as_of});"
                  for step in ("5 minutes", "1 hour", "1 day")]
        asked += [f"SELECT oracle.check_recent({chance.choice([1, 3, 10, 1000000])}, {component});"]
    asked += [f"SELECT oracle.check_statistics({literal(generator.as_of())});" for _ in range(2)]
    asked += [f"SELECT oracle.check_recent({chance.choice([1, 10, 1000])}, NULL);"]
    return asked


def folded_questions(generator):
    chance = generator.random
    asked = [f"SELECT 'check_rollups: ' || row_to_json(c) FROM telemetry.check_rollups({FAR}) AS c;"]
    for _ in range(3):
        hours, as_of = chance.choice([1, 24, 49, 1440]), literal(generator.as_of())
        asked += [f"SELECT oracle.check_folded({hours}, {as_of});"]
    asked += [f"SELECT oracle.check_recent({chance.choice([1, 5, 1000])}, {literal(component)});" for component in COMPONENTS]
    return asked


DAMAGE = [
    "DELETE FROM telemetry.rollup_minute;",
    "DELETE FROM telemetry.rollup_hour WHERE event_type = 'THOUGHT_LATENCY';",
    "UPDATE telemetry.rollup_day SET summary = summary OPERATOR(telemetry.+) summary;",
    "DELETE FROM telemetry.rollup_delta;",
    "TRUNCATE telemetry.rollup_minute, telemetry.rollup_hour, telemetry.rollup_day, telemetry.rollup_delta;",
    "UPDATE telemetry.rollup_minute SET event_type = 'x' || event_type;",
]


def run(seed, settings="", ask=questions):
    """The complaints about one history of events."""
    subprocess.run(["createdb", DATABASE], check=True)
    try:
        psql(ORACLE)
        generator = Generator(seed, crowded=ask is folded_questions)
        compact = "SELECT telemetry.compact() \\g /dev/null"
        complaints = []
        for phase in range(PHASES):
            script = [settings]
            for _ in range(generator.random.choice([10, 15, 20])):
                script.append(generator.transaction())
                script += [compact] * (generator.random.random() < 0.1)
            script += ask(generator)
            script += [compact] * (phase % 2) + ask(generator) * (phase % 2)
            complaints += [f"seed {seed}, phase {phase}: {line}" for line in psql("\n".join(script))]
            if complaints:
                return complaints
        complaints += psql(f"SELECT oracle.check_merging({seed});")
        damage = generator.random.choice(DAMAGE)
        script = [settings, generator.insert(), damage,
                  f"SELECT 'damage was not seen: {damage.replace(chr(39), '')}'\nWHERE NOT EXISTS (SELECT FROM telemetry.check_rollups({FAR}));",
                  f"SELECT telemetry.rebuild_rollups({FAR}) \\g /dev/null"]
        complaints += [f"seed {seed}, rebuilt after {damage} {line}" for line in psql("\n".join(script + ask(generator)))]
        complaints += [f"seed {seed}: too few events" for line in psql("SELECT count(*) FROM telemetry.event;") if int(line) < 150]
        return complaints
    finally:
        subprocess.run(["dropdb", "-f", DATABASE], check=True)


def main():
    complaints = []
    for seed in SEEDS:
        complaints += run(seed)
    complaints += run(SEEDS[0] + 100, "SET gravitas_telemetry.max_series_per_day = 3;", folded_questions)
    for complaint in complaints[:20]:
        print("FAILED:", complaint[:2000])
    if not complaints:
        print(f"seeds {SEEDS}: every question answers as the events do")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
