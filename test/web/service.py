"""What the page's tests run against: databases of their own, the HTTP service, and a way to it that can be closed."""

import json
import os
import pathlib
import selectors
import socket
import subprocess
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = TOP / "build" / "http" / "gravitas-telemetry-http"


class Database:
    def __init__(self, name, script=None, extension=True):
        self.name = f"gravitas_web_{name}_{os.getpid()}"
        self.conninfo = f"dbname={self.name}"
        self.socket = f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ.get('PGPORT', '5432')}"
        self._psql("-d", "postgres", "-c", f'CREATE DATABASE "{self.name}"')
        self._psql("-d", "postgres", "-c", f"ALTER DATABASE \"{self.name}\" SET timezone = 'UTC'")
        if extension:
            self.run("CREATE EXTENSION gravitas_telemetry")
        if script:
            self._psql("-d", self.name, "-f", str(script))

    @staticmethod
    def _psql(*arguments, **options):
        run = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments], capture_output=True, text=True, **options)
        if run.returncode:
            raise RuntimeError(run.stderr)
        return run.stdout

    def run(self, statements):
        return self._psql("-d", self.name, input=statements)

    def rows(self, select):
        """The rows of a question, as JSON has them."""
        return json.loads(self.run(f"SELECT coalesce(json_agg(r), '[]') FROM ({select}) AS r"))

    def drop(self):
        self._psql("-d", "postgres", "-c", f'DROP DATABASE "{self.name}" WITH (FORCE)')


class Service:
    """gravitas-telemetry-http on a port of its own."""

    def __init__(self, conninfo, port=0, arguments=()):
        self.process = subprocess.Popen([PROGRAM, "--port", str(port), "--conninfo", conninfo, *arguments],
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Forwarder:
    """A TCP port that leads to a Unix socket, as long as the way is open."""

    def __init__(self, path):
        self.path = path
        self.is_open = True
        self.pairs = {}
        self.lock = threading.Lock()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.is_ending = False
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ending = True
        self.thread.join()
        self.close_way()
        self.listener.close()

    def _run(self):
        while not self.is_ending:
            ready = self.selector.select(0.05)
            with self.lock:
                for key, _ in ready:
                    self._accept() if key.fileobj is self.listener else self._forward(key.fileobj)

    def _accept(self):
        near, _ = self.listener.accept()
        if not self.is_open:
            near.close()
            return
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.path)
        for one, other in ((near, far), (far, near)):
            self.pairs[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def _forward(self, one):
        other = self.pairs.get(one)
        if other is None:
            return
        try:
            data = one.recv(65536)
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(one)

    def _drop(self, one):
        for each in (one, self.pairs[one]):
            del self.pairs[each]
            self.selector.unregister(each)
            each.close()

    def close_way(self):
        with self.lock:
            self.is_open = False
            while self.pairs:
                self._drop(next(iter(self.pairs)))

    def open_way(self):
        with self.lock:
            self.is_open = True
