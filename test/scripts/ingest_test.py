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
    sql(f"UPDATE telemetry.producer SET first_seen_at = now() - interval '130 days' WHERE producer = '{known}'")
    must(ingest(batch([GOOD], known, 2, created=old))["stored"] == 1, "a producer that was known all the time")


def test_a_forgotten_producer_comes_back():
    """It resends what it does not know to be stored; nothing is stored a second time."""
    old, producer = NOW - 121 * DAY, uuid.uuid4()
    must("GT002" in ingest(batch([GOOD], producer, 1, created=old)), "refused")
    must(ingest(batch([], producer, 1, created=old))["stored"] == 0, "its empty replacement")
    must("GT002" in ingest(batch([GOOD], producer, 2, created=old)), "known since today only")
    must("GT001" in ingest(batch([GOOD], producer, 3, created=old)), "the one after it waits")
    must(ingest(batch([], producer, 2, created=old))["stored"] == 0, "its empty replacement")
    must(ingest(batch([GOOD], producer, 2, created=old))["duplicate"], "acknowledged")
    must(ingest(batch([GOOD], producer, 3, created=NOW - 119 * DAY))["stored"] == 1, "young enough")
    must(ingest(batch([GOOD], producer, 4))["stored"] == 1, "made today")
    must(count() == 2 and sql(no_problems) == "0", count())


def test_a_clock_of_1970():
    producer = uuid.uuid4()
    must("GT002" in ingest(batch([GOOD], producer, 1, created=0)), "nobody can tell how old it is")
    must(ingest(batch([], producer, 1, created=0))["next_sequence"] == 2, "without events there is nothing to store twice")


def test_forgotten_under_a_shorter_retention():
    producer = uuid.uuid4()
    sql("SELECT telemetry.set_retention('event', '1 day'), telemetry.set_retention('producer', '1 day')")
    ingest(batch([GOOD], producer, 1, created=NOW - DAY))
    sql("UPDATE telemetry.producer SET last_seen_at = now() - interval '9 days'; CALL telemetry.maintain()")
    must(sql("SELECT count(*) FROM telemetry.producer") == "0", "forgotten")
    sql("DELETE FROM telemetry.retention_policy")
    must("GT002" in ingest(batch([GOOD], producer, 1, created=NOW - 9 * DAY)), "a longer memory does not bring it back")


def test_nobody_is_forgotten():
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
            RETURN sqlstate || CASE WHEN sqlerrm ~ '\\(byte \\d+\\)$' THEN '' ELSE ' ' || sqlerrm END;
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
           ({"status": b"\xed\xa0\x80"}, "22021"), ({"component": b"a\0b"}, "22021"), ({"timestamp": -2**62}, "22008"),
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
        sql(f"""CREATE ROLE {role}; SELECT telemetry.grant_writer('{role}');
                REVOKE INSERT, SELECT (id) ON telemetry.event FROM {role}""")
        denied = store([GOOD], role=role)
        must("42501" in denied and "event" in denied, denied)
        must(sql("SELECT count(*) FROM telemetry.producer") == "0", "nothing is left of a failed batch")
        sql(f"SELECT telemetry.grant_writer('{role}')")
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


def test_extreme_values():
    zeros = {"timestamp": 0, "event_type": "VRAM_CHECK", "component": "c", "value": 0.0, "duration_ms": 0.0, "first_token_ms": 0.0,
             "prompt_tokens": 0, "tokens_generated": 0, "status": "OK", "metadata": "{}"}
    others = {"timestamp": -1, "event_type": "NOTE", "value": -1.5e300, "prompt_tokens": 2**31 - 1, "tokens_generated": 2**31 - 1}
    thought = {**zeros, "event_type": "THOUGHT_LATENCY", "value": 7.0}
    must(store([zeros, others, thought])["stored"] == 3, "zeros and extremes")
    rows = sql("SELECT extract(epoch FROM \"timestamp\") * 1000000, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated FROM telemetry.event ORDER BY id")
    must(rows.splitlines() == ["0.000000|0|0|0|0|0", "-1.000000|-1.5e+300|||2147483647|2147483647", "0.000000||0|0|0|0"], rows)
    must(sql("SELECT count(*) FROM telemetry.check_rollups('1969-12-31 00:00:00+00', '1970-01-02 00:00:00+00')") == "0", "rollups differ")
    must(store([{**GOOD, "timestamp": 2**63 - 1}])["stored"] == 1, "the last time that a batch can say is one of PostgreSQL's")
    must(sql("SELECT max(\"timestamp\"), telemetry.compact() > 0 FROM telemetry.event") == "294247-01-10 04:00:54.775807+00|t", "in its year")
    must(refusals(store([{**GOOD, "timestamp": -2**63}])) == {0: "22008"}, "the first one is not")


def test_refused_events_at_the_bounds_of_what_is_stored_at_once():
    """10,000 events share a subtransaction; those around a refused one are made again."""
    bad = {0: "22021", 1: "22P02", 9_999: "23514", 10_000: "23514", 19_999: "22P02", 20_000: "22021", 25_000: "23514"}
    changes = {"22021": {"status": b"\xff"}, "22P02": {"metadata": "{"}, "23514": {"component": "bad"}}
    sql("ALTER TABLE telemetry.event ADD CONSTRAINT no_bad CHECK (component <> 'bad')")
    events = [{**GOOD, "component": "good", "value": float(i), **changes.get(bad.get(i), {})} for i in range(25_001)]
    reply = store(events)
    must(refusals(reply) == bad and reply["stored"] == 25_001 - len(bad), reply)
    wrong = sql(f"""SELECT count(*), sum(value), (SELECT count(*) FROM (SELECT value, lag(value) OVER (ORDER BY id) AS before FROM telemetry.event) AS e WHERE value <= before)
                    FROM telemetry.event""")
    must(wrong == f"{25_001 - len(bad)}|{sum(i for i in range(25_001) if i not in bad)}|0", wrong)
    must(sql(no_problems) == "0", "rollups differ from the events")


def test_memory_does_not_grow_with_the_batch():
    """Neither with many small events, nor with many refused ones."""
    sql("""CREATE SEQUENCE public.peak MINVALUE 0;
           CREATE FUNCTION public.note_memory(result boolean) RETURNS boolean LANGUAGE sql AS
           $$ SELECT setval('public.peak', greatest((SELECT last_value FROM public.peak), (SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts))) > 0 AND result $$;
           ALTER TABLE telemetry.event ADD CONSTRAINT measured CHECK ((event_type = 'NOTE' AND id % 5000 <> 0) OR public.note_memory(event_type = 'NOTE'))""")

    def peak_mb(events):
        sql("SELECT setval('public.peak', 0)")
        store([GOOD] * 6000)
        few = int(sql("SELECT last_value FROM public.peak"))
        store(events)
        return (int(sql("SELECT last_value FROM public.peak")) - few) / 2**20

    many = peak_mb([GOOD] * 150_000)
    must(many < 8, f"150,000 events took {many} MB more than 6,000")
    refused = peak_mb([{**GOOD, "event_type": "BAD"}] * 3000)
    must(refused < 8, f"3,000 refused events took {refused} MB")


def test_a_trigger_that_changes_events():
    sql("""CREATE FUNCTION public.renames() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           new.component := upper(new.component); RETURN new; END $$;
           CREATE TRIGGER renames BEFORE INSERT ON telemetry.event FOR EACH ROW EXECUTE FUNCTION public.renames()""")
    reply = store([{**GOOD, "component": "a"}, {**GOOD, "component": "b"}])
    must(reply["stored"] == 2 and reply["refused"] == [], reply)
    must(sql("SELECT string_agg(component, '' ORDER BY id) FROM telemetry.event") == "AB", "what the trigger made of them")


def day_bounds():
    start = NOW // DAY * 86_400
    return "FOR VALUES FROM ('{}') TO ('{}')".format(*(time.strftime("%Y-%m-%d 00:00:00+00", time.gmtime(s)) for s in (start, start + 86_400)))


def test_partitions_of_other_kinds():
    some = [{**GOOD, "component": c} for c in ["a", "b", "a", "c"]]
    made = sql(f"""CREATE TABLE public.parts (LIKE telemetry.event INCLUDING DEFAULTS) PARTITION BY HASH (component);
                   CREATE TABLE public.part PARTITION OF public.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                   ALTER TABLE telemetry.event ATTACH PARTITION public.parts {day_bounds()}""")
    must(made == "", made)
    reply = store(some)
    must(reply["stored"] == 4 and sql("SELECT count(*) FROM public.part") == "4", reply)
    sql(f"""ALTER TABLE telemetry.event DETACH PARTITION public.parts;
            CREATE TABLE public.single (LIKE telemetry.event INCLUDING DEFAULTS);
            CREATE UNIQUE INDEX ON public.single (component);
            ALTER TABLE telemetry.event ATTACH PARTITION public.single {day_bounds()}""")
    reply = store(some)
    must(refusals(reply) == {2: "23505"} and reply["stored"] == 3 == count(), reply)
    reply = store([{**GOOD, "component": "d"}, {**GOOD, "component": "a"}])
    must(refusals(reply) == {1: "23505"} and reply["stored"] == 1, reply)
    sql("ALTER TABLE telemetry.event DETACH PARTITION public.single")
    if "f" == sql("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw')")[:1]:
        return
    made = sql(f"""CREATE EXTENSION postgres_fdw;
                   CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{os.environ["PGHOST"]}', port '{os.environ["PGPORT"]}', dbname '{DATABASE}');
                   CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user '{os.environ["PGUSER"]}', password_required 'false');
                   CREATE TABLE public.far (LIKE telemetry.event, CHECK (component <> 'b'));
                   CREATE FOREIGN TABLE public.near ("timestamp" timestamptz NOT NULL, id bigint NOT NULL, event_type text NOT NULL, component text, value double precision,
                       duration_ms double precision, first_token_ms double precision, prompt_tokens integer, tokens_generated integer, status text, metadata jsonb) SERVER here OPTIONS (schema_name 'public', table_name 'far');
                   ALTER TABLE telemetry.event ATTACH PARTITION public.near {day_bounds()}""")
    must(made == "", made)
    reply = store(some)
    must(refusals(reply) == {1: "23514"} and reply["stored"] == 3, reply)
    must(sql("SELECT string_agg(component, '' ORDER BY id) FROM public.far") == "aac", "what came to the other server")


def test_a_server_that_cannot_store_refuses_no_event():
    sql("ALTER TABLE telemetry.event DETACH PARTITION telemetry.event_default")
    data = batch([GOOD, GOOD], uuid.uuid4(), 1)
    homeless = ingest(data)
    must("55000" in homeless and "partition" in homeless, homeless)
    sql("ALTER TABLE telemetry.event ATTACH PARTITION telemetry.event_default DEFAULT")
    must(ingest(data)["stored"] == 2 == count(), "sent again")
    sql("ALTER SEQUENCE telemetry.event_id_seq MAXVALUE 9000; SELECT setval('telemetry.event_id_seq', 9000)")
    used_up = store([GOOD])
    must("2200H" in used_up and count() == 2, used_up)


def test_rules_on_the_producers():
    sql("""CREATE FUNCTION public.suppresses() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
           CREATE TRIGGER suppresses BEFORE INSERT OR UPDATE ON telemetry.producer FOR EACH ROW EXECUTE FUNCTION public.suppresses()""")
    producer = uuid.uuid4()
    for known in False, True:
        answer = sql(f"SET statement_timeout = '20s'; SELECT telemetry.ingest('\\x{batch([GOOD], producer, 1 + known).hex()}')")
        must("55000" in answer and "telemetry.producer" in answer and count() == known, answer)
        sql("ALTER TABLE telemetry.producer DISABLE TRIGGER suppresses")
        must(ingest(batch([GOOD], producer, 1 + known))["stored"] == 1, "without the trigger")
        sql("ALTER TABLE telemetry.producer ENABLE TRIGGER suppresses")


def test_producers_that_are_remembered_very_long():
    sql("INSERT INTO telemetry.retention_policy VALUES ('event', '170000 years')")
    reply = ingest(batch([GOOD], uuid.uuid4(), 1, created=-2**63))
    must(isinstance(reply, dict) and reply["stored"] == 1, reply)


def test_within_a_transaction_of_the_callers():
    first, second = (batch([GOOD], uuid.UUID(int=7), n).hex() for n in (1, 2))
    answer = sql(f"""BEGIN; SAVEPOINT s; SELECT stored FROM telemetry.ingest('\\x{first}'); ROLLBACK TO s;
                     SELECT stored, duplicate FROM telemetry.ingest('\\x{first}'); SELECT stored, duplicate FROM telemetry.ingest('\\x{first}');
                     SELECT stored, duplicate FROM telemetry.ingest('\\x{second}'); COMMIT""")
    must(answer == "1\n1|f\n0|t\n1|f" and count() == 2, answer)
    must(sql(no_problems) == "0", "rollups differ from the events")


class Holding:
    """Another session in the midst of a transaction."""

    def __init__(self, statement):
        self.statement = statement

    def __enter__(self):
        self.session = subprocess.Popen(["psql", "-X", "-q", "-At", "-d", DATABASE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.session.stdin.write(f"BEGIN; {self.statement}; SELECT 'held';\n")
        self.session.stdin.flush()
        must(self.session.stdout.readline() == "held\n", "another session")

    def __exit__(self, *_):
        self.session.communicate("ROLLBACK;\n")


def test_locks_of_others():
    producer = uuid.uuid4()
    ingest(batch([GOOD], producer, 1))
    data = batch([GOOD, {**GOOD, "value": math.nan}], producer, 2)
    for held in ("LOCK TABLE telemetry.event IN SHARE MODE", "LOCK TABLE telemetry.event_default IN SHARE MODE", "LOCK TABLE telemetry.rollup_delta IN SHARE MODE",
                 "LOCK TABLE telemetry.producer IN SHARE MODE", f"UPDATE telemetry.producer SET dropped = 1 WHERE producer = '{producer}'"):
        with Holding(held):
            answer = sql(f"SET lock_timeout = '10ms'; SELECT telemetry.ingest('\\x{data.hex()}')")
            must("55P03" in answer and count() == 1, f"{held}: {answer}")
    must(ingest(data)["stored"] == 1 and count() == 2, "afterwards")


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
