#!/usr/bin/env python3
"""A server that is killed, stopped, restarted again and again under load: every event is stored once.

GRAVITAS_KILLS: how often, 20 where it is not said."""

import os
import signal
import time

import server as s


def kill_server(server, _database):
    server.kill()
    server.start()


def kill_a_backend(server, database):
    """One process dies, and the server starts all others anew."""
    backends = server.backends_of(database)
    if backends:
        try:
            os.kill(backends[0], signal.SIGKILL)
        except ProcessLookupError:
            pass
    s.eventually(server.is_up, "the server recovers")


def stop_a_backend(server, database):
    """It answers nothing for a while."""
    backends = server.backends_of(database)
    if not backends:
        return
    try:
        os.kill(backends[0], signal.SIGSTOP)
        time.sleep(0.2)  # not to wait for something: it is how long nothing happens
        os.kill(backends[0], signal.SIGCONT)
    except ProcessLookupError:
        pass


def restart_fast(server, _database):
    server.restart("fast")


def restart_immediate(server, _database):
    server.restart("immediate")


def main():
    random = s.seeded_random()
    kills = int(os.environ.get("GRAVITAS_KILLS") or 20)
    database = "killed"
    s.psql(f"CREATE DATABASE {database}")
    s.psql("CREATE EXTENSION gravitas_telemetry", database)
    server = s.Server()
    storm = s.Storm(database)
    blows = [kill_server, kill_server, kill_a_backend, stop_a_backend,
             restart_fast, restart_immediate]
    for number in range(kills):
        # under load: at any moment between the commits of the batches that come
        def stored():
            try:
                return int(s.psql("SELECT coalesce(sum(stored), 0) FROM telemetry.producer", database))
            except RuntimeError:
                return 0
        before = stored()
        s.eventually(lambda: stored() > before, f"events are stored after blow {number}")
        time.sleep(random.uniform(0, 0.15))
        blow = random.choice(blows)
        print(blow.__name__, flush=True)
        if number % 5 == 4:
            s.psql("SELECT telemetry.compact()", database)
        blow(server, database)
    account = storm.end()
    s.check_events(database, account)
    producers = s.psql("SELECT count(*) FROM telemetry.producer", database)
    assert producers == "1", f"{producers} producers: the server has forgotten one"
    print(f"{kills} blows, {account['stored']} events, each stored once")


main()
