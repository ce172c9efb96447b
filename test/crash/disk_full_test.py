#!/usr/bin/env python3
"""The disk is full while batches are under way: they come when there is room, each event once.

The disk is a small tmpfs, which only root may mount."""

import os
import subprocess
import sys
import tempfile

import server as s


def main():
    database = "disk_full"
    s.psql(f"CREATE DATABASE {database}")
    s.psql("CREATE EXTENSION gravitas_telemetry", database)
    directory = tempfile.mkdtemp(prefix="gravitas-disk-")
    mounted = os.getuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", directory],
                                                  check=False, capture_output=True).returncode == 0
    if not mounted:
        os.rmdir(directory)
        print("a small file system cannot be mounted here")
        sys.exit(77)
    storm = None
    try:
        space = f"{directory}/space"
        os.mkdir(space, 0o700)
        owner = os.stat(s.psql("SHOW data_directory"))
        os.chown(space, owner.st_uid, owner.st_gid)
        s.psql(f"CREATE TABLESPACE small LOCATION '{space}'")
        s.psql("ALTER TABLE telemetry.event_default SET TABLESPACE small", database)
        filler = f"{directory}/filler"
        with open(filler, "wb") as file:
            file.write(b"x" * (3 << 20))
        storm = s.Storm(database)
        log = os.environ["GRAVITAS_PG_LOG"]
        s.eventually(lambda: b"No space left on device" in open(log, "rb").read(), "the disk is full")
        os.remove(filler)
        before = s.psql("SELECT sum(stored) FROM telemetry.producer", database)
        s.eventually(lambda: s.psql("SELECT sum(stored) FROM telemetry.producer", database) != before,
                     "events are stored again")
        account = storm.end()
        storm = None
        s.check_events(database, account)
        print(f"{account['stored']} events, each stored once")
    finally:
        if storm is not None:
            storm.process.kill()
            storm.process.wait()
        s.psql(f"DROP DATABASE {database} WITH (FORCE)")
        s.psql("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", directory], check=False)
        os.rmdir(directory)


main()
