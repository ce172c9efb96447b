#!/usr/bin/env python3
"""Replays the llmperf traces and compares what SQL says with figures computed here, from the files alone.

Percentiles come from a sketch: they may be 0.55 % off the exact order statistic and never outside [best, worst].

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
PERCENTILES = {"p50_efficiency": 0.50, "p95_efficiency": 0.95, "p99_efficiency": 0.99}
PERCENTILE_TOLERANCE = 0.0055
SKIPPED = 77


def psql(statement, database=DATABASE):
    command = ["psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(csv.DictReader(io.StringIO(output)))


def percentile(ordered, p):
    """As SQL's percentile_disc: the first value with at least a share p of the values up to it."""
    return ordered[max(math.ceil(p * len(ordered)), 1) - 1]


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
        **{name: percentile(scores, p) for name, p in PERCENTILES.items()},
        "total_tokens": sum(tokens),
    }


def compare(model, expected, actual):
    complaints = []
    for name, figure in expected.items():
        stated = float(actual[name]) if actual[name] else math.nan
        if name in PERCENTILES:
            good = (abs(stated - figure) <= PERCENTILE_TOLERANCE * figure
                    and expected["best_efficiency"] <= stated <= expected["worst_efficiency"])
        elif isinstance(figure, int):
            good = stated == figure
        else:
            good = math.isclose(stated, figure, rel_tol=TOLERANCE)
        if not good:
            complaints.append(f"{model}: {name} is {actual[name]}, not {figure!r}")
    return complaints


def print_table(expected_of):
    columns = ["measurement_count", "error_count", "total_tokens", "weighted_efficiency_score", "avg_efficiency_score",
               "best_efficiency", "worst_efficiency"]
    print("model".ljust(16) + "".join(name.split("_")[0].rjust(12) for name in columns))
    for model, figures in expected_of.items():
        cells = (str(figures[name]) if isinstance(figures[name], int) else f"{figures[name]:.3f}" for name in columns)
        print(model.ljust(16) + "".join(cell.rjust(12) for cell in cells))


def print_percentiles(expected_of, actual_of):
    print("\nms per token: exact, from the sketch, and how far off")
    print("model".ljust(16) + "".join(name.split("_")[0].rjust(30) for name in PERCENTILES))
    for model, figures in expected_of.items():
        cells = []
        for name in PERCENTILES:
            exact, stated = figures[name], float(actual_of[model][name])
            cells.append(f"{exact:10.3f}{stated:10.3f}{100 * (stated - exact) / exact:+8.3f} %")
        print(model.ljust(16) + "".join(cells))


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
    print_percentiles({model: expected_of[model] for model in ranking if model in actual_of}, actual_of)
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
        print(f"{len(files)} models, each figure equal to {TOLERANCE:g} relative, percentiles to {PERCENTILE_TOLERANCE:g}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
