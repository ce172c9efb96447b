#!/usr/bin/env python3
"""Batches made here from docs/batch-format.md alone, not by our own encoder, and what ingest() does with them.

Needs a running cluster in the PG* environment.
"""

import collections
import json
import math
import os
import random
import struct
import subprocess
import sys
import time
import uuid
import zlib

DATABASE = f"gravitas_ingest_test_{os.getpid()}"
COLUMNS = ["timestamp", "event_type", "component", "value", "duration_ms", "first_token_ms", "prompt_tokens",
           "tokens_generated", "status", "metadata"]
TEXTS = {"event_type", "component", "status"}
REALS = {"value", "duration_ms", "first_token_ms"}
NOW = int(time.time()) * 1_000_000
DAY = 86_400 * 1_000_000


# ---- The format ----

def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def signed_varint(n):
    return varint(2 * n if n >= 0 else -2 * n - 1)


def text_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def sized(text):
    return varint(len(text_bytes(text))) + text_bytes(text)


def body_of(events):
    dictionary = {}
    for event in events:
        for column in TEXTS:
            if event.get(column) is not None:
                dictionary.setdefault(event[column], len(dictionary))
    out = varint(len(events)) + varint(len(dictionary)) + b"".join(map(sized, dictionary))
    for column in COLUMNS:
        present = [event.get(column) is not None for event in events]
        values = b""
        before = 0
        for event in events:
            value = event.get(column)
            if value is None:
                continue
            if column == "timestamp":
                values += signed_varint(value - before)
                before = value
            elif column in TEXTS:
                values += varint(dictionary[value])
            elif column in REALS:
                values += struct.pack("<d", value)
            elif column == "metadata":
                values += sized(value)
            else:
                values += varint(value)
        if not any(present):
            out += b"\0"
        elif all(present):
            out += b"\1" + values
        else:
            bits = sum(1 << i for i, here in enumerate(present) if here)
            out += b"\2" + bits.to_bytes((len(events) + 7) // 8, "little") + values
    return out


def batch(events, producer, sequence, created=None, account=(0, 0, 0, 0, 0, 0), sent=None):
    rest = producer.bytes + struct.pack("<Qqq6Q", sequence, NOW if created is None else created,
                                        NOW if sent is None else sent, *account) + body_of(events)
    return b"GTB\1" + struct.pack("<II", 12 + len(rest), zlib.crc32(rest)) + rest


# ---- The server ----

def sql(statement, database=DATABASE, role=None):
    """The rows that psql prints, or the error's text, in which the SQLSTATE and the detail stand."""
    setup = ["-c", f"SET ROLE {role}"] if role else []
    done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", database,
                           *setup, "-f", "-"], input=statement, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else done.stderr


def ingest(data, **where):
    answer = sql(f"SELECT to_jsonb(r) FROM telemetry.ingest('\\x{data.hex()}') AS r", **where)
    return json.loads(answer) if answer.startswith("{") else answer


def must(condition, what):
    if not condition:
        raise AssertionError(what)


def store(events, **where):
    """A batch of a producer of its own."""
    return ingest(batch(events, uuid.uuid4(), 1), **where)


def refusals(reply):
    must(isinstance(reply, dict), reply)
    return {r["index"]: r["sqlstate"] for r in reply["refused"]}


def count(database=DATABASE):
    return int(sql("SELECT count(*) FROM telemetry.event", database))


GOOD = {"timestamp": NOW, "event_type": "NOTE"}
no_problems = "SELECT count(*) FROM telemetry.check_rollups(now() - interval '70 days', now() + interval '1 day')"


# ---- The tests ----

def test_events_arrive_as_they_were():
    draw = random.Random(1)
    events = []
    for i in range(3000):
        event = {"timestamp": NOW - draw.randrange(59 * DAY), "event_type": draw.choice(["NOTE", "VRAM_CHECK", "Zählung"])}
        for column, make in {"component": lambda: f"c{draw.randrange(40)}", "value": lambda: draw.gauss(0, 100),
                             "duration_ms": lambda: abs(draw.gauss(0, 500)), "first_token_ms": lambda: draw.random(),
                             "prompt_tokens": lambda: draw.randrange(2**31), "tokens_generated": lambda: draw.randrange(99),
                             "status": lambda: draw.choice(["OK", "ERROR", "weiß"]),
                             "metadata": lambda: json.dumps({"i": i, "t": "ü\\"})}.items():
            if draw.random() < 0.7:
                event[column] = make()
        events.append(event)
    reply = store(events)
    must(reply["stored"] == 3000 and reply["refused"] == [] and reply["next_sequence"] == 2 and not reply["duplicate"], reply)
    rows = sql("""SELECT jsonb_build_object('timestamp', (extract(epoch FROM "timestamp") * 1000000)::bigint, 'event_type', event_type,
        'component', component, 'value', value, 'duration_ms', duration_ms, 'first_token_ms', first_token_ms, 'prompt_tokens', prompt_tokens,
        'tokens_generated', tokens_generated, 'status', status, 'metadata', metadata) FROM telemetry.event ORDER BY id""").splitlines()
    must(len(rows) == 3000, len(rows))
    for event, row in zip(events, rows):
        found = {k: v for k, v in json.loads(row).items() if v is not None}
        expected = dict(event)
        if "metadata" in expected:
            expected["metadata"] = json.loads(expected["metadata"])
        must(found == expected, f"{expected} was stored as {found}")
    must(sql(no_problems) == "0", "rollups differ from the events")
    groups = collections.Counter((e["timestamp"] // 60_000_000, e["event_type"], e.get("component")) for e in events)
    must(int(sql("SELECT count(*) FROM telemetry.rollup_delta")) == len(groups), "one delta for each minute, type, component")


def test_figures_are_those_of_the_events():
    calls = [(100 + i, 1 + i % 7) for i in range(500)]
    store([{"timestamp": NOW, "event_type": "THOUGHT_LATENCY", "component": "m", "duration_ms": ms, "tokens_generated": tokens,
            "status": "OK"} for ms, tokens in calls] +
          [{"timestamp": NOW, "event_type": "THOUGHT_LATENCY", "component": "m", "duration_ms": 1, "status": "ERROR"}])
    found = json.loads(sql("SELECT to_jsonb(e) FROM telemetry.get_aggregated_efficiency('m') AS e"))
    must(found["measurement_count"] == 500 and found["error_count"] == 1, found)
    must(math.isclose(found["weighted_efficiency_score"], sum(c[0] for c in calls) / sum(c[1] for c in calls), rel_tol=1e-9), found)
    must(found["best_efficiency"] == min(ms / n for ms, n in calls), found)


def test_sequences():
    producer = uuid.uuid4()
    must("GT001" in ingest(batch([GOOD], producer, 5)), "an unknown producer starts at 1")
    must(ingest(batch([GOOD], producer, 1))["stored"] == 1, "first")
    again = ingest(batch([GOOD], producer, 1))
    must(again["duplicate"] and again["stored"] == 0, again)
    gap = ingest(batch([GOOD], producer, 3))
    must("GT001" in gap and "The next sequence of this producer is 2." in gap, gap)
    must(ingest(batch([], producer, 2))["stored"] == 0, "an empty batch goes on")
    must(ingest(batch([GOOD, GOOD], producer, 3))["stored"] == 2, "third")
    must(ingest(batch([GOOD], producer, 2))["duplicate"], "long stored")
    must(count() == 3, count())
    must("22P03" in ingest(batch([GOOD], producer, 0)) and "22P03" in ingest(batch([GOOD], producer, 2**63)), "impossible sequences")


def test_the_producers_account():
    producer = uuid.uuid4()
    ingest(batch([GOOD], producer, 1, account=(21, 1, 2, 3, 7, 8), sent=NOW + 3_600_000_000))
    row = sql(f"SELECT last_sequence, accepted, stored, queued, spilled, dropped, refused, clock_ahead_ms BETWEEN 3500000 AND 3700000 FROM telemetry.producer WHERE producer = '{producer}'")
    must(row == "1|21|1|2|3|7|8|t", row)
    ingest(batch([], producer, 2, account=(2**64 - 1,) * 6, sent=-2**63))
    must(sql(f"SELECT accepted FROM telemetry.producer WHERE producer = '{producer}'") == str(2**63 - 1), "counts are cut")


def test_batches_older_than_the_memory_of_producers():
    old = NOW - 121 * DAY
    must("GT002" in ingest(batch([GOOD], uuid.uuid4(), 1, created=old)), "its producer may have been forgotten")
    must(ingest(batch([GOOD], uuid.uuid4(), 1, created=NOW - 119 * DAY))["stored"] == 1, "young enough")
    known = uuid.uuid4()
    ingest(batch([], known, 1))
    must(ingest(batch([GOOD], known, 2, created=old))["stored"] == 1, "a producer that is known")
    sql("INSERT INTO telemetry.retention_policy VALUES ('event', NULL)")
    must(ingest(batch([GOOD], uuid.uuid4(), 1, created=0))["stored"] == 1, "nobody is forgotten")
    sql("DELETE FROM telemetry.retention_policy")


def test_damage():
    """Every bit flip and every truncation, in one session."""
    data = batch([{"timestamp": NOW, "event_type": "THOUGHT_LATENCY", "component": "m", "duration_ms": 12.5, "tokens_generated": 3,
                   "status": "OK", "metadata": "{}"}, {"timestamp": NOW + 7, "event_type": "NOTE", "value": 1}], uuid.uuid4(), 1)
    answer = sql(f"""
        CREATE FUNCTION pg_temp.state(data bytea) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM telemetry.ingest(data);
            RETURN 'stored';
        EXCEPTION WHEN OTHERS THEN
            RETURN sqlstate || CASE WHEN sqlerrm ~ '\\(byte \\d+\\)$|version|batch of telemetry' THEN '' ELSE ' ' || sqlerrm END;
        END $$;
        SELECT string_agg(DISTINCT pg_temp.state(set_bit(d, bit, 1 - get_bit(d, bit))), ',') FROM (SELECT '\\x{data.hex()}'::bytea AS d) AS b, generate_series(0, {8 * len(data) - 1}) AS bit;
        SELECT string_agg(DISTINCT pg_temp.state(substr(d, 1, size)), ',') FROM (SELECT '\\x{data.hex()}'::bytea AS d) AS b, generate_series(0, {len(data) - 1}) AS size;
        SELECT pg_temp.state(d || '\\x00') FROM (SELECT '\\x{data.hex()}'::bytea AS d) AS b""")
    must(answer == "22P03\n22P03\n22P03", answer)
    must(count() == 0, "something of a damaged batch was stored")
    must(ingest(data)["stored"] == 2, "the whole one")


def test_one_bad_event_is_refused_alone():
    bad = [({"value": math.nan}, "22023"), ({"value": math.inf}, "22023"), ({"duration_ms": -1.0}, "22023"), ({"event_type": ""}, "22023"),
           ({"component": ""}, "22023"), ({"metadata": "[1]"}, "22023"), ({"metadata": "{oops"}, "22P02"), ({"metadata": '{"a": "\\u0000"}'}, "22P05"),
           ({"metadata": '{"a":' * 20_000 + "1" + "}" * 20_000}, "54001"), ({"metadata": '{"a": 1e999999}'}, "22003"),
           ({"metadata": b'{"a": "\xff"}'}, "22021"), ({"event_type": b"\xc3\x28"}, "22021"), ({"component": b"a\xff"}, "22021"),
           ({"status": b"\xed\xa0\x80"}, "22021"), ({"component": b"a\0b"}, "22021"), ({"timestamp": 2**63 - 1}, "22008"), ({"timestamp": -2**62}, "22008"),
           ({"event_type": "LOAD_LATENCY", "component": "m", "value": -1.0}, "22023")]
    events, expected = [], {}
    for changes, state in bad:
        events.append(GOOD)
        expected[len(events)] = state
        events.append({**GOOD, **changes})
    reply = store(events)
    must(refusals(reply) == expected, (refusals(reply), expected))
    must(reply["stored"] == len(bad) == count(), "the good ones")
    must(sql(no_problems) == "0", "rollups differ from the events")


def test_rules_of_the_users():
    some = [{**GOOD, "component": c} for c in ["a", "bad", "b", "c", "bad", "d"]]
    sql("ALTER TABLE telemetry.event ADD CONSTRAINT no_bad CHECK (component <> 'bad')")
    must(refusals(store(some)) == {1: "23514", 4: "23514"}, "a CHECK")
    sql("ALTER TABLE telemetry.event DROP CONSTRAINT no_bad")
    sql("""CREATE FUNCTION public.raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF new.component = 'bad' THEN RAISE 'not this one'; END IF; RETURN new; END $$;
           CREATE TRIGGER raises BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION public.raises()""")
    must(refusals(store(some)) == {1: "P0001", 4: "P0001"}, "a trigger that raises")
    sql("""CREATE OR REPLACE FUNCTION public.raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF new.component = 'bad' THEN RETURN NULL; END IF; RETURN new; END $$""")
    reply = store(some)
    must(reply["stored"] == 4 and reply["refused"] == [], reply)
    sql("""DROP TRIGGER raises ON telemetry.event; SELECT telemetry.ensure_partitions(now(), now() + interval '1 second');
           DO $$ BEGIN EXECUTE format('CREATE TRIGGER raises BEFORE INSERT ON telemetry.%I FOR EACH ROW EXECUTE FUNCTION public.raises()',
                                      'event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')); END $$""")
    must(store(some)["stored"] == 4, "a trigger on one partition suppresses")
    must(count() == 16 and sql(no_problems) == "0", "what was suppressed is in no rollup")
    sql("DROP FUNCTION public.raises CASCADE")
    sql("ALTER TABLE telemetry.event ADD COLUMN tenant text DEFAULT 'us'")
    must(store(some)["stored"] == 6 and sql("SELECT count(*) FROM telemetry.event WHERE tenant = 'us'") == "22", "a column of their own")
    sql("ALTER TABLE telemetry.event DROP COLUMN tenant")
    sql("ALTER TABLE telemetry.event DROP COLUMN status CASCADE; ALTER TABLE telemetry.event ADD COLUMN status text")


def test_columns_in_another_order():
    day = f"event_{time.strftime('%Y%m%d', time.gmtime(NOW // 1_000_000))}"
    made = sql(f"""CREATE TABLE telemetry.{day} (gone integer, metadata jsonb, id bigint NOT NULL DEFAULT nextval('telemetry.event_id_seq'),
                   event_type text NOT NULL, component text, first_token_ms double precision, prompt_tokens integer, tokens_generated integer,
                   "timestamp" timestamptz NOT NULL DEFAULT clock_timestamp(), value double precision, status text, duration_ms double precision);
                   ALTER TABLE telemetry.{day} DROP COLUMN gone;
                   ALTER TABLE telemetry.event ATTACH PARTITION telemetry.{day} FOR VALUES
                   FROM ('{time.strftime('%Y-%m-%d', time.gmtime(NOW // 1_000_000))} 00:00:00+00') TO ('{time.strftime('%Y-%m-%d', time.gmtime(NOW // 1_000_000 + 86400))} 00:00:00+00')""")
    must(made == "", made)
    store([{**GOOD, "component": "c", "value": 1.5, "duration_ms": 2.5, "prompt_tokens": 3, "status": "OK", "metadata": '{"a": 1}'}])
    row = sql("SELECT component, value, duration_ms, prompt_tokens, status, metadata, tableoid::regclass FROM telemetry.event")
    must(row == f'c|1.5|2.5|3|OK|{{"a": 1}}|telemetry.{day}', row)


def test_row_security_and_privileges():
    role = f"ingest_writer_{os.getpid()}"
    try:
        sql(f"""CREATE ROLE {role}; GRANT USAGE ON SCHEMA telemetry TO {role}; GRANT SELECT, INSERT, UPDATE ON telemetry.producer TO {role};
                GRANT SELECT ON telemetry.retention_policy TO {role}""")
        denied = store([GOOD], role=role)
        must("42501" in denied and "event" in denied, denied)
        must(sql("SELECT count(*) FROM telemetry.producer") == "0", "nothing is left of a failed batch")
        sql(f"GRANT INSERT ON telemetry.event, telemetry.rollup_delta TO {role}; GRANT SELECT (id) ON telemetry.event TO {role}; GRANT USAGE ON telemetry.event_id_seq TO {role}")
        must(store([GOOD], role=role)["stored"] == 1, "a writer")
        sql("ALTER TABLE telemetry.event ENABLE ROW LEVEL SECURITY; CREATE POLICY no_bad ON telemetry.event FOR INSERT WITH CHECK (component <> 'bad');"
            "CREATE POLICY see ON telemetry.event FOR SELECT USING (true)")
        reply = store([{**GOOD, "component": "good"}, {**GOOD, "component": "bad"}], role=role)
        must(refusals(reply) == {1: "42501"} and reply["stored"] == 1, reply)
    finally:
        sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_database_of_another_encoding():
    latin = DATABASE + "_latin1"
    try:
        must(sql(f"CREATE DATABASE {latin} TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'", "postgres") == "", "created")
        sql("CREATE EXTENSION gravitas_telemetry", latin)
        reply = store([{**GOOD, "component": "größer"}, {**GOOD, "component": "日本"}, {**GOOD, "metadata": '{"a": "日"}'},
                       {**GOOD, "metadata": '{"a": "ß"}'}], database=latin)
        must(refusals(reply) == {1: "22P05", 2: "22P05"} and reply["stored"] == 2, reply)
        must(sql("SELECT length(component) FROM telemetry.event WHERE component IS NOT NULL", latin) == "6", "six letters")
    finally:
        sql(f"DROP DATABASE IF EXISTS {latin}", "postgres")


def test_many_events_and_the_server_in_trouble():
    many = [{"timestamp": NOW - i * 1000, "event_type": "THOUGHT_LATENCY", "component": f"m{i % 10}", "duration_ms": float(i), "tokens_generated": 1 + i % 9}
            for i in range(25_000)]
    reply = store(many)
    must(reply["stored"] == 25_000 == count() and sql(no_problems) == "0", reply)
    stopped = sql(f"SET statement_timeout = '1ms'; SELECT telemetry.ingest('\\x{batch(many, uuid.uuid4(), 1).hex()}')")
    must("57014" in stopped and count() == 25_000, stopped)
    must("25006" in sql(f"BEGIN READ ONLY; SELECT telemetry.ingest('\\x{batch([GOOD], uuid.uuid4(), 1).hex()}')"), "read-only")


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    for name, test in tests:
        subprocess.run(["dropdb", "--if-exists", "-f", DATABASE], check=True)
        subprocess.run(["createdb", DATABASE], check=True)
        sql("CREATE EXTENSION gravitas_telemetry; ALTER DATABASE " + DATABASE + " SET timezone = 'UTC'")
        try:
            test()
        except AssertionError as complaint:
            failed += 1
            print(f"{name}: {complaint}")
    subprocess.run(["dropdb", "--if-exists", "-f", DATABASE], check=True)
    print(f"{len(tests) - failed} of {len(tests)} passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
