#!/usr/bin/env python3
"""A thousand sessions at once, each logging through every door: nothing is lost, and nothing waits for ever.

GRAVITAS_CROWD: how many, 1,000 where it is not said and there is memory for them."""

import os
import subprocess
import sys

import server as s

MB_A_SESSION = 8


def memory_mb():
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        return next(int(line.split()[1]) // 1024 for line in meminfo if line.startswith("MemAvailable"))


def main():
    sessions = int(os.environ.get("GRAVITAS_CROWD") or 1000)
    if memory_mb() < sessions * MB_A_SESSION:
        print(f"{sessions} sessions need {sessions * MB_A_SESSION} MB of memory, there are {memory_mb()}")
        sys.exit(77)
    server = s.Server()
    s.psql(f"ALTER SYSTEM SET max_connections = {sessions + 20}")
    server.restart("fast")
    database = "crowd"
    s.psql(f"CREATE DATABASE {database}")
    s.psql("CREATE EXTENSION gravitas_telemetry", database)
    s.psql("SELECT telemetry.ensure_partitions(now(), now() + interval '1 day')", database)
    crowd = subprocess.run(["build/test/crowd", str(sessions), "4"], capture_output=True, text=True, check=False,
                           env={**os.environ, "PGDATABASE": database}, timeout=s.PATIENCE_SECONDS * 4)
    assert crowd.returncode == 0, crowd.stderr
    found = s.psql("SELECT concat_ws(' ', count(*), count(DISTINCT (component, value)), count(DISTINCT component))"
                   " FROM telemetry.event", database)
    expected = int(crowd.stdout)
    assert found == f"{expected} {expected} {sessions}", f"{expected} events were acknowledged, the table has {found}"
    summed = s.psql("SELECT sum(telemetry.event_count(summary)) FROM telemetry.rollup_delta", database)
    assert summed == str(expected), f"the summaries count {summed}"
    s.psql("SELECT telemetry.compact()", database)
    wrong = s.psql("SELECT count(*) FROM telemetry.check_rollups('2026-01-01', now() + interval '1 hour')", database)
    assert wrong == "0", f"check_rollups() finds {wrong} differences"
    print(f"{sessions} sessions, {expected} events")


main()
