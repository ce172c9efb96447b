#!/usr/bin/env python3
"""Calls every C function of the extension again and again in one backend and looks whether its memory grows.

Looked at are the backend's memory contexts at the end of a statement of many calls, where what leaks into those of the
statement is still there, and after it; and what the process has in all, as Linux counts it. Ten times the calls must
not take more.

In a cluster of its own, since what others change in the catalogs comes into a backend's caches. GRAVITAS_MEMORY_CALLS is
how often the quick ones are called.
"""

import os
import subprocess
import sys
import uuid

from ingest_test import NOW, batch

CALLS = int(os.environ.get("GRAVITAS_MEMORY_CALLS", "20000"))
DATABASE = f"gravitas_memory_test_{os.getpid()}"
SAMPLES = 100
# What may be more after ten times the calls: caches, and how malloc rounds.
ALLOWED_BYTES = {"at the end": max(100_000, CALLS // 5), "after": 100_000, "of the process": 1_500_000}
SKIPPED = 77
PRODUCER = uuid.uuid4()
NOTE = {"timestamp": NOW, "event_type": "NOTE", "component": "c", "value": 1.5}

# Expressions over a row of `sample`, by the function's name, with the types of its arguments where others have it, too.
# None is constant: a constant one is called once.
QUICK = {
    "nothing": "n",  # what the rows themselves take
    "sketch_in sketch_out": "k::text::telemetry.sketch",
    "sketch_send": "telemetry.sketch_send(k)",
    "jsonb(telemetry.sketch)": "k::jsonb",
    "sketch(bytea)": "telemetry.sketch(telemetry.sketch_send(k))",
    "sketch_eq": "k OPERATOR(telemetry.=) k",
    "sketch_ne": "k OPERATOR(telemetry.<>) k",
    "sketch_hash": "telemetry.sketch_hash(k)",
    "sketch_add": "k OPERATOR(telemetry.+) k",
    "value_count": "telemetry.value_count(k)",
    "min_value(telemetry.sketch)": "telemetry.min_value(k)",
    "max_value(telemetry.sketch)": "telemetry.max_value(k)",
    "percentile(telemetry.sketch,double precision)": "telemetry.percentile(k, 0.9)",
    "percentiles(telemetry.sketch,double precision[])": "telemetry.percentiles(k, '{0.5,0.9}')",
    "percentile_rank(telemetry.sketch,double precision)": "telemetry.percentile_rank(k, n)",
    "exponential_histogram": "telemetry.exponential_histogram(k)",
    "mann_whitney": "telemetry.mann_whitney(k, k)",
    "summary_in summary_out": "s::text::telemetry.summary",
    "summary_send": "telemetry.summary_send(s)",
    "jsonb(telemetry.summary)": "s::jsonb",
    "summary(bytea)": "telemetry.summary(telemetry.summary_send(s))",
    "summary_eq": "s OPERATOR(telemetry.=) s",
    "summary_ne": "s OPERATOR(telemetry.<>) s",
    "summary_hash": "telemetry.summary_hash(s)",
    "summary_add": "s OPERATOR(telemetry.+) s",
    **{f"{name}(telemetry.summary)": f"telemetry.{name}(s)" for name in
       ("event_count error_count unscored_count error_rate first_at last_at total_tokens prompt_tokens ms_per_token "
        "tokens_per_second decode_ms_per_token mean_score best_score worst_score figures").split()},
    **{f"{name}(telemetry.summary,text)": f"telemetry.{name}(s, 'duration_ms')" for name in
       "measurement_count total mean min_value max_value standard_deviation sketch".split()},
    "percentile(telemetry.summary,double precision,text)": "telemetry.percentile(s, 0.9, 'value')",
    "percentiles(telemetry.summary,double precision[],text)": "telemetry.percentiles(s, '{0.5,0.9}', 'value')",
    "percentile_rank(telemetry.summary,double precision,text)": "telemetry.percentile_rank(s, n, 'value')",
    "efficiency_combine": "telemetry.efficiency_combine(ARRAY[n, 0, 2], ARRAY[n, 0, 2])",
    "bucket_start": "telemetry.bucket_start(60, at)",
    "rollup_key": "telemetry.rollup_key(repeat('long', 300) || n)",
    "window_levels": "telemetry.window_levels(date_trunc('hour', at), date_trunc('hour', at) + interval '3 days')",
    "readable_window": "telemetry.readable_window(at, at + interval '1 day')",
    "reading_window": "telemetry.reading_window(24, at)",
    "trend_step": "telemetry.trend_step(n % 2 * interval '1 hour' + interval '1 hour', 24)",
    "row_limit": "telemetry.row_limit(n)",
    "is_error_status": "telemetry.is_error_status('ERROR' || n)",
    "expired_before": "telemetry.expired_before(CASE WHEN n > 0 THEN 'event' END)",
    "event_metadata": "telemetry.event_metadata('THOUGHT_LATENCY', 'm' || n, 10, NULL, 5, 5, jsonb_build_object())",
    "id_to_generate": "coalesce(telemetry.id_to_generate(), n)",
    "workers": "(SELECT slots FROM telemetry.workers() WHERE n > 0)",
    "start_timer": "telemetry.start_timer()",
    "measure_latency": "telemetry.measure_latency(n)",
    "log": "telemetry.log('NOTE', 'c' || n, n, jsonb_build_object('n', n))",
    "log_load_latency": "telemetry.log_load_latency('m' || n, n)",
    "log_thought_latency": "telemetry.log_thought_latency('m' || n, n, 10, metadata => jsonb_build_object('n', n))",
    "log_usage": "telemetry.log_usage('m' || n, 'layer', 1, 1, n)",
    "log_history": "telemetry.log_history('user', 'content' || n)",
    "workers": "(SELECT free_slots FROM telemetry.workers() WHERE n > 0)",
    "event_partitions": "(SELECT count(*) FROM telemetry.event_partitions() WHERE n > 0)",
}
# Queries and statements in which many calls work together, over the rows of :many.
STREAMS = {
    "sketch_step sketch_merge_step sketch_final":
        "SELECT telemetry.merge(k) AS x FROM (SELECT telemetry.sketch(n) AS k FROM :many GROUP BY n) AS k",
    "summarize_step": "SELECT telemetry.summarize('THOUGHT_LATENCY', at, NULL, n, NULL, 5, 5, 'OK') AS x FROM :many",
    "summary_merge_step summary_final": "SELECT telemetry.merge(s) AS x FROM :many",
    "efficiency_step efficiency_inverse efficiency_final":
        "SELECT telemetry.efficiency(n, 1) OVER (ROWS 10 PRECEDING) AS x FROM :many",
}
STATEMENTS = {
    "system_telemetry_write": """
        INSERT INTO telemetry.system_telemetry (event_type, component, value, metadata)
        SELECT 'NOTE', 'c' || n, n, jsonb_build_object('n', n) FROM :many
        UNION ALL SELECT 'MEMORY', NULL, (SELECT sum(total_bytes) FROM pg_backend_memory_contexts), NULL;
        SELECT 'memory', :'function', 'at the end', value, 0 FROM telemetry.system_telemetry
        WHERE event_type = 'MEMORY' ORDER BY id DESC LIMIT 1""",
    **{f"{name}_recv": f"COPY (SELECT {column} FROM :many) TO :'file' (FORMAT binary);"
                       f"COPY copied_{name} FROM :'file' (FORMAT binary)"
       for name, column in (("sketch", "k"), ("summary", "s"))},
}
# Statements that are run far less often, by the number of the run.
SLOW = {
    "ingest": lambda run: f"SELECT telemetry.ingest('\\x{batch([NOTE], PRODUCER, run).hex()}')",
    # Here, because Postgres keeps the number of every subtransaction until the transaction ends.
    "log_batch": lambda run: """SELECT telemetry.log_batch('[{"event_type": "NOTE"}, {"event_type": ""}]', 'skip')""",
    "recent_events_of": lambda run: f"SELECT count(*) FROM telemetry.get_recent_events({run}, 'm')",
    "events_where": lambda run: f"SELECT count(*) FROM telemetry.get_events('NOTE', 'm', 24, {run})",
    "ensure_partitions": lambda run: "SELECT telemetry.ensure_partitions(now(), now() + interval '2 days')",
    "compact": lambda run: "SELECT telemetry.log('NOTE'), telemetry.compact()",
    "rebuild_rollups": lambda run: "SELECT telemetry.rebuild_rollups(day, day + interval '24 hours')"
                                   " FROM telemetry.bucket_start(1440, now()) AS day",
    "retention_plan": lambda run: "SELECT count(*) FROM telemetry.retention_plan()",
    "apply_retention": lambda run: "CALL telemetry.apply_retention()",
    "maintain": lambda run: "CALL telemetry.maintain()",
    "series_figures": lambda run: "SELECT count(*) FROM telemetry.get_aggregated_efficiency()",
    "series_rows": lambda run: "SELECT count(*) FROM telemetry.get_series(step => '1 minute')",
    "footprint": lambda run: "SELECT count(*) FROM telemetry.footprint()",
    "check_alerts": lambda run: "SELECT count(*) FROM telemetry.check_alerts()",
    "set_alert": lambda run: f"SELECT telemetry.set_alert('size', {1e9 + run}, 9e8)",
    "set_retention": lambda run: f"SELECT telemetry.set_retention('event', interval '{60 + run} days')",
    **{f"grant_{name}": lambda run, name=name: f"SELECT telemetry.grant_{name}('{DATABASE}')"
       for name in "writer reader history_reader maintainer".split()},
}

SET_UP = rf"""
SELECT '' AS function \gset
CREATE ROLE {DATABASE};
CREATE EXTENSION gravitas_telemetry;
CALL telemetry.maintain();
SELECT count(telemetry.log_thought_latency('m', 1 + n, 10)) FROM generate_series(1, 50) AS n;
CREATE TABLE sample AS
SELECT n, now() - n * interval '1 minute' AS at,
       (SELECT telemetry.sketch(n + random() * i) FROM generate_series(1, 20) AS i) AS k,
       (SELECT telemetry.summarize('THOUGHT_LATENCY', now(), NULL, n + i, n, 5, 5, 'OK')
        FROM generate_series(1, 20) AS i) AS s
FROM generate_series(1, {SAMPLES}) AS n;
CREATE VIEW many AS SELECT sample.* FROM sample, generate_series(1, {max(CALLS // SAMPLES, 1)});
CREATE VIEW few AS SELECT sample.* FROM sample, generate_series(1, {max(CALLS // SAMPLES // 10, 1)});
CREATE TABLE copied_sketch (k telemetry.sketch);
CREATE TABLE copied_summary (s telemetry.summary);
SELECT current_setting('data_directory') || '/memory_test.copy' AS file \gset
ANALYZE;
"""

CONTEXTS = "(SELECT sum(total_bytes) FROM pg_backend_memory_contexts)"
# psql prints these lines and nothing else that begins so. A scalar subquery is computed when it is first asked for,
# here after all calls.
AT_THE_END = f"SELECT 'memory', :'function', 'at the end', {CONTEXTS}, count(x) FROM"
AFTER = rf"""
SELECT 'memory', :'function', 'after', {CONTEXTS}, 0;
SELECT 'memory', :'function', 'of the process',
       1024 * (regexp_match(pg_read_file('/proc/self/status'), 'VmData:\s+(\d+)'))[1]::bigint, 0;
"""


def psql(script, database=DATABASE):
    command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def script():
    """Of each function thrice the same work, the first time to fill caches, the last time at ten times the length."""
    lines = [SET_UP]
    # The slow ones first: the others leave a million events of the same time.
    few = min(max(CALLS // 10_000, 3), 20)
    for name, statement in SLOW.items():
        lines.append(f"\\set function '{name}'")
        for runs in (range(1, few + 1), range(few + 1, 2 * few + 1), range(2 * few + 1, 12 * few + 1)):
            lines += [f"{statement(run)};" for run in runs] + [AFTER]
    queries = {name: f"SELECT {call} AS x FROM :many" for name, call in QUICK.items()} | STREAMS
    statements = {name: f"{AT_THE_END} ({query}) AS x" for name, query in queries.items()} | STATEMENTS
    for name, statement in statements.items():
        lines.append(f"\\set function '{name}'")
        for many in ("few", "few", "many"):
            lines += [f"\\set many {many}", f"{statement};", AFTER]
    return "\n".join(lines)


def memory():
    """Bytes by function and by where they were counted, the three times."""
    seen = {}
    for line in psql(script()).splitlines():
        if line.startswith("memory|"):
            _, function, where, size, _ = line.split("|")
            seen.setdefault(function, {}).setdefault(where, []).append(int(size))
    return seen


def not_called():
    called = {name for names in (*QUICK, *STREAMS, *STATEMENTS, *SLOW)
              for name in ([names] if "(" in names else names.split())}
    functions = psql("SELECT proname, oidvectortypes(proargtypes) FROM pg_proc "
                     "WHERE pronamespace = 'telemetry'::regnamespace "
                     "AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')")
    for line in functions.splitlines():
        name, types = line.split("|")
        if name not in called and f"{name}({types.replace(', ', ',')})" not in called:
            yield f"{name}({types})"


def judge(function, places, nothing):
    for where, (_, few, many) in places.items():
        print(f"{function}, {where}: {few:,} B, {many:,} B")
        of_rows = nothing[where][2] - nothing[where][1] if where == "at the end" else 0
        if many - few - of_rows > ALLOWED_BYTES[where]:
            yield f"{function} keeps memory: {few:,} B {where}, {many:,} B after ten times the calls"


def main():
    if sys.argv[1:] != ["inside"]:
        os.execv("tools/cluster", ["tools/cluster", "run", "--option", "gravitas_telemetry.maintenance=off", "--",
                                   __file__, "inside"])
    if not os.access("/proc/self/status", os.R_OK):
        print("this system does not tell a process's memory")
        return SKIPPED
    subprocess.run(["createdb", DATABASE], check=True)
    try:
        seen = memory()
        complaints = [f"{name} is not called" for name in not_called()]
    finally:
        subprocess.run(["dropdb", DATABASE], check=True)
        psql(f"DROP ROLE IF EXISTS {DATABASE}", "postgres")
    for function, places in seen.items():
        complaints += judge(function, places, seen["nothing"])
    print(*complaints, f"{len(seen) - 1} functions called, the quick ones {CALLS:,} times in a statement", sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
