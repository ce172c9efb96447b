#!/usr/bin/env python3
"""Replays the llmperf traces and compares what SQL says with figures computed here, from the files alone.

Needs a running cluster in the PG* environment and the trace data: $GRAVITAS_TRACE_DATA or ../shared/data.
"""

import csv
import io
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("GRAVITAS_TRACE_DATA") or TOP.parent / "shared" / "data")
DEMO = TOP / "build" / "demo" / "gravitas-demo"
DATABASE = f"gravitas_llmperf_test_{os.getpid()}"
TOLERANCE = 1e-9
SKIPPED = 77


def psql(statement, database=DATABASE):
    command = ["psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(csv.DictReader(io.StringIO(output)))


def percentile(ordered, p):
    """As SQL's percentile_cont: linear between the two nearest ranks."""
    position = p * (len(ordered) - 1)
    below = math.floor(position)
    above = math.ceil(position)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def expected_figures(calls):
    answered = [call for call in calls if call["error_code"] is None]
    scored = [call for call in answered if call["number_output_tokens"] > 0]
    milliseconds = [call["end_to_end_latency_s"] * 1000 for call in scored]
    tokens = [call["number_output_tokens"] for call in scored]
    scores = sorted(ms / n for ms, n in zip(milliseconds, tokens))
    return {
        "measurement_count": len(scored),
        "error_count": len(calls) - len(answered),
        "avg_efficiency_score": statistics.fmean(scores),
        "weighted_efficiency_score": math.fsum(milliseconds) / sum(tokens),
        "best_efficiency": scores[0],
        "worst_efficiency": scores[-1],
        "p50_efficiency": percentile(scores, 0.50),
        "p95_efficiency": percentile(scores, 0.95),
        "p99_efficiency": percentile(scores, 0.99),
        "total_tokens": sum(tokens),
    }


def compare(model, expected, actual):
    complaints = []
    for name, figure in expected.items():
        stated = float(actual[name]) if actual[name] else math.nan
        exact = isinstance(figure, int)
        if not (stated == figure if exact else math.isclose(stated, figure, rel_tol=TOLERANCE)):
            complaints.append(f"{model}: {name} is {actual[name]}, not {figure!r}")
    return complaints


def print_table(expected_of):
    columns = ["measurement_count", "error_count", "total_tokens", "weighted_efficiency_score", "avg_efficiency_score",
               "best_efficiency", "p50_efficiency", "p95_efficiency", "p99_efficiency", "worst_efficiency"]
    print("model".ljust(16) + "".join(name.split("_")[0].rjust(12) for name in columns))
    for model, figures in expected_of.items():
        cells = (str(figures[name]) if isinstance(figures[name], int) else f"{figures[name]:.3f}" for name in columns)
        print(model.ljust(16) + "".join(cell.rjust(12) for cell in cells))


def check(files):
    calls_of = {file.stem: json.loads(file.read_text()) for file in files}
    expected_of = {model: expected_figures(calls) for model, calls in calls_of.items()}
    traces = [argument for file in files for argument in ("--trace", str(file))]
    subprocess.run([DEMO, *traces], check=True, env={**os.environ, "PGDATABASE": DATABASE}, stdout=subprocess.DEVNULL)
    rows = psql("SELECT * FROM telemetry.get_aggregated_efficiency()")
    actual_of = {row["component"]: row for row in rows}

    complaints = []
    if set(actual_of) != set(expected_of):
        complaints.append(f"models are {sorted(actual_of)}, not {sorted(expected_of)}")
    for model in sorted(set(actual_of) & set(expected_of)):
        complaints += compare(model, expected_of[model], actual_of[model])
    ranking = sorted(expected_of, key=lambda model: expected_of[model]["weighted_efficiency_score"])
    if [row["component"] for row in rows] != ranking:
        complaints.append(f"ranked {[row['component'] for row in rows]}, not {ranking}")

    # 130 of lepton's calls failed at once, with one token and no time: free of charge, if they were measured.
    if "lepton_7b" in actual_of:
        if actual_of["lepton_7b"]["error_count"] != "130":
            complaints.append(f"lepton_7b has {actual_of['lepton_7b']['error_count']} errors, not 130")
        if rows[0]["component"] == "lepton_7b":
            complaints.append("lepton_7b is ranked first, by calls that failed")
    print_table({model: expected_of[model] for model in ranking})
    return complaints


def main():
    files = sorted((DATA / "llmperf").glob("*.json"))
    if not files:
        print(f"skipped: no llmperf traces in {DATA / 'llmperf'} (set GRAVITAS_TRACE_DATA)")
        return SKIPPED
    psql(f"CREATE DATABASE {DATABASE}", database="postgres")
    try:
        complaints = check(files)
    finally:
        psql(f"DROP DATABASE {DATABASE}", database="postgres")
    for complaint in complaints:
        print("FAILED:", complaint)
    if not complaints:
        print(f"{len(files)} models, each figure equal to {TOLERANCE:g} relative")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
