#!/usr/bin/env python3
"""A table that is locked for longer than anybody wants: the application goes on, and all events come.

GRAVITAS_LOCK_SECONDS: for how long, 3 where it is not said."""

import os
import subprocess
import time

import server as s


def main():
    seconds = float(os.environ.get("GRAVITAS_LOCK_SECONDS") or 3)
    database = "locked"
    s.psql(f"CREATE DATABASE {database}")
    s.psql("CREATE EXTENSION gravitas_telemetry", database)
    storm = s.Storm(database, threads=2)
    s.eventually(lambda: s.psql("SELECT count(*) > 0 FROM telemetry.producer", database) == "t", "the storm begins")
    locker = subprocess.Popen(["psql", "-X", "-q", "-d", database], stdin=subprocess.PIPE, text=True)
    locker.stdin.write("BEGIN; LOCK TABLE telemetry.event IN ACCESS EXCLUSIVE MODE;\n")
    locker.stdin.flush()
    s.eventually(lambda: s.psql("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'telemetry.event'::regclass"
                                " AND mode = 'AccessExclusiveLock' AND granted", database) == "t", "the table is locked")
    time.sleep(seconds)  # how long nothing is stored
    locker.stdin.close()
    locker.wait()
    account = storm.end()
    s.check_events(database, account)
    print(f"locked for {seconds} s, {account['stored']} events, each stored once")


main()
