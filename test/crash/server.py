"""The server of tools/cluster, which a test may kill and start again."""

import os
import random
import signal
import subprocess
import time

PATIENCE_SECONDS = 120
BINDIR = os.environ["GRAVITAS_PG_BINDIR"]


def psql(sql, database="postgres"):
    result = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{sql}\n{result.stderr}")
    return result.stdout.strip()


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.02)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


class Server:
    """Its data directory tells whose it is: the server starts as that user again."""

    def __init__(self):
        self.directory = psql("SHOW data_directory")
        owner = os.stat(self.directory)
        self.user = [] if os.getuid() == owner.st_uid else [
            "setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--"]
        self.process = None  # where this program has started it

    def pid(self):
        with open(f"{self.directory}/postmaster.pid", encoding="ascii") as file:
            return int(file.readline())

    def is_up(self):
        return subprocess.run([f"{BINDIR}/pg_isready", "-q"], check=False).returncode == 0

    def kill(self):
        """As when the machine's memory ends: the postmaster and all that it has started."""
        postmaster = self.pid()
        os.kill(postmaster, signal.SIGSTOP)  # it starts no more
        for child in children_of(postmaster):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.kill(postmaster, signal.SIGKILL)

    def start(self):
        """Again and again, while what was killed still holds its memory. It ends with this program."""
        def try_to_start():
            if self.is_up():
                return True
            if self.process is None or self.process.poll() is not None:
                with open(os.environ["GRAVITAS_PG_LOG"], "ab") as log:
                    self.process = subprocess.Popen(
                        ["setsid", *self.user, "setpriv", "--pdeathsig", "QUIT", "--", f"{BINDIR}/postgres", "-D", self.directory],
                        cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            return False
        eventually(try_to_start, "the server starts again")

    def restart(self, mode):
        """A mode of pg_ctl stop: fast, immediate."""
        subprocess.run([*self.user, f"{BINDIR}/pg_ctl", "-D", self.directory, "-s", "-w", "-m", mode, "stop"], check=True,
                       cwd=self.directory, stdin=subprocess.DEVNULL)
        self.start()

    def backends_of(self, database):
        return [int(pid) for pid in psql("SELECT pid FROM pg_stat_activity WHERE datname = "
                                         f"'{database}' AND backend_type = 'client backend'").split()]


class Storm:
    """The program of storm.cpp, running."""

    def __init__(self, database, threads=4):
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", "build/test/storm", str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "PGDATABASE": database})

    def end(self):
        """Its account."""
        import json
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS + 60)
        return json.loads(output)


def check_events(database, account):
    """Each acknowledged event is stored once; each other one is in the account; the summaries agree."""
    assert account["closed"], account
    assert account["accepted"] == account["stored"] + account["queued"] + account["dropped"] + account["refused"], account
    assert account["queued"] == account["dropped"] == account["refused"] == 0, account
    found = psql("SELECT concat_ws(' ', count(*), count(DISTINCT (component, value)),"
                 " (SELECT sum(most) FROM (SELECT max(value) AS most FROM telemetry.event GROUP BY component) AS c))"
                 " FROM telemetry.event", database)
    assert found == " ".join([str(account["stored"])] * 3), f"{account}, but the table has {found}"
    wrong = psql("SELECT count(*) FROM telemetry.check_rollups(now() - interval '2 days', now() + interval '1 hour')",
                 database)
    assert wrong == "0", f"check_rollups() finds {wrong} differences"


def seeded_random():
    """GRAVITAS_SEED repeats a run."""
    seed = int(os.environ.get("GRAVITAS_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"GRAVITAS_SEED={seed}", flush=True)
    return random.Random(seed)
