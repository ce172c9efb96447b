#!/usr/bin/env python3
"""Stands in for gravitas-telemetry-http until that is there: the page's files, and answers by psql."""

import http.server
import json
import pathlib
import subprocess
import sys
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]
WEB = TOP / "client" / "http" / "web"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}


def quote(text):
    return "NULL" if text is None else "'" + text.replace("\x00", "").replace("'", "''") + "'"


def query(sql):
    run = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], input="SET timezone = 'UTC';" + sql,
                         capture_output=True, text=True, timeout=20)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout.strip()


def rows(select):
    return f"(SELECT coalesce(json_agg(r), '[]') FROM ({select}) AS r)"


def answer(path, given):
    hours, step, component = given.get("hours", "24"), given.get("step"), quote(given.get("component"))
    if path == "/telemetry/efficiency":
        return f"""SELECT json_build_object('hours', {int(hours)}, 'window_start', w.window_start, 'window_end', w.window_end, 'rows',
            {rows(f"SELECT e.* FROM telemetry.get_aggregated_efficiency({component}, {int(hours)}) AS e")})
            FROM telemetry.reading_window({int(hours)}, now()) AS w"""
    if path == "/telemetry/trend":
        return f"""SELECT json_build_object('hours', {int(hours)}, 'step_minutes', {int(step)}, 'rows',
            {rows(f"SELECT * FROM telemetry.efficiency_trend({component}, {int(hours)}, {int(step)} * interval '1 minute')")})"""
    if path == "/telemetry/series":
        minutes = int(step) if step else "NULL"
        start, bucket, end = "w.window_start", "NULL::timestamptz", "w.window_end"
        if step:
            start, bucket = f"telemetry.bucket_start({minutes}, w.window_start)", f"telemetry.bucket_start({minutes}, s.bucket)"
            end = f"telemetry.bucket_start({minutes}, w.window_end - interval '1 microsecond') + {minutes} * interval '1 minute'"
        kind = quote(given.get("event_type"))
        merged = f"""SELECT s.event_type, s.component, {bucket} AS step_start, telemetry.merge(s.summary) AS m
                     FROM telemetry.reading_window({int(hours)}, now()) AS w, telemetry.rollups({start}, {end}) AS s
                     WHERE s.event_type = {kind} AND coalesce(s.component = {component}, true) GROUP BY 1, 2, 3"""
        figures = f"""SELECT g.event_type, g.component, g.step_start, f.event_count, f.error_count, f.measurement_count, f.mean_value,
                         f.min_value, f.max_value, f.p50, f.p95, f.p99, f.total_tokens, f.prompt_tokens, t[1] AS first_token_p50_ms,
                         t[2] AS first_token_p95_ms, f.last_at
                      FROM ({merged}) AS g, telemetry.figures(g.m) AS f,
                           telemetry.percentiles(g.m, '{{0.5,0.95}}', 'first_token_ms') AS t ORDER BY 2, 3"""
        return f"""SELECT json_build_object('hours', {int(hours)}, 'step_minutes', {minutes}, 'window_start', w.window_start,
            'window_end', w.window_end, 'rows', {rows(figures)}) FROM telemetry.reading_window({int(hours)}, now()) AS w"""
    if path == "/telemetry/60day":
        return "SELECT telemetry.get_60day_statistics()"
    if path == "/telemetry/footprint":
        return f"SELECT telemetry.get_telemetry_footprint() || jsonb_build_object('tables', {rows('SELECT * FROM telemetry.footprint')})"
    if path == "/telemetry/events":
        return f"SELECT json_build_object('rows', {rows('SELECT * FROM telemetry.get_recent_events(' + str(int(given.get('limit', '10'))) + ')')})"
    if path == "/telemetry/alerts":
        return f"""SELECT json_build_object('firing', {rows('SELECT * FROM telemetry.alerts ORDER BY since, alert_id')}, 'rules',
            {rows('SELECT * FROM telemetry.alert_rules()')}, 'log', {rows('SELECT * FROM telemetry.alert_log ORDER BY changed_at DESC LIMIT 100')})"""
    if path == "/health":
        return f"""SELECT json_build_object('status', 'ok', 'database', 'ok', 'extension_version',
            (SELECT extversion FROM pg_extension WHERE extname = 'gravitas_telemetry'), 'server_version', current_setting('server_version'),
            'maintenance', {rows('SELECT * FROM telemetry.status')})"""
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CSP)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, name):
        served = {line.split()[0]: line.split()[1:] for line in (WEB / "ASSETS").read_text().splitlines()}
        if name in served:
            return self.send(200, " ".join(served[name][1:]), pathlib.Path(served[name][0]).read_bytes())
        file = WEB / name
        if "/" in name or not file.is_file():
            return self.send(404, "application/json", b'{"error":{"message":"not found"}}')
        return self.send(200, TYPES[file.suffix], file.read_bytes())

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/" or url.path.startswith("/web/"):
            return self.send_file("index.html" if url.path == "/" else url.path[5:])
        given = dict(urllib.parse.parse_qsl(url.query))
        try:
            sql = answer(url.path, given)
            if sql is None:
                return self.send(404, "application/json", b'{"error":{"message":"not found"}}')
            text = query(sql)
            self.send(200, "application/json", text.replace("+00:00", "Z").encode())
        except (RuntimeError, subprocess.SubprocessError) as error:
            body = {"error": {"message": "the database cannot be reached", "hint": str(error)[:200]}}
            self.send(503, "application/json", json.dumps(body).encode())


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()
