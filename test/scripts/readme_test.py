#!/usr/bin/env python3
"""What the README shows is true: its SQL runs and prints what stands below it, its C++ is the example, which runs."""

import os
import re
import subprocess
import sys

DATABASE = f"readme_{os.getpid()}"


def psql(sql, database=DATABASE):
    result = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                            capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"this fails:\n{sql}\n{result.stderr}")
    return result.stdout


def blocks(readme):
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)


def lines(text):
    return [line.rstrip() for line in text.strip().splitlines() if not re.fullmatch(r"\(\d+ rows?\)", line)]


def check_sql(fences):
    """Runs every SQL block; one followed by a plain block must print it."""
    ran = 0
    for (language, sql), (next_language, expected) in zip(fences, fences[1:] + [("", "")]):
        if language != "sql":
            continue
        statements = [s.strip() for s in re.split(r";[^\n]*\n", sql) if s.strip()]
        for statement in statements:
            printed = psql(statement)
            ran += 1
        if next_language == "" and "---" in expected and lines(printed) != lines(expected):
            sys.exit(f"the README shows\n{expected}\nbut this prints\n{printed}\n{sql}")
    return ran


def compile_fragment(fragment):
    """Lines that go on from the program above them."""
    program = f"#include <gravitas/telemetry.hpp>\nvoid use(gravitas::telemetry::Client &client)\n{{\n{fragment}}}\n"
    compiler = os.environ.get("CXX", "g++").split()
    subprocess.run([*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iclient/include", "-x", "c++", "-"],
                   input=program, check=True, text=True)


def compile_c(fragment):
    program = ("#include <gravitas/telemetry.h>\n#include <math.h>\nvoid use(void);\n"
               f"void use(void)\n{{\n{fragment}}}\n")
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iclient/include", "-x", "c", "-"],
                   input=program, check=True, text=True)


def check_cpp(fences):
    shown, *fragments = [text for language, text in fences if language == "cpp"]
    for fragment in fragments:
        compile_fragment(fragment)
    for language, fragment in fences:
        if language == "c":
            compile_c(fragment)
    with open("client/examples/quickstart.cpp", encoding="utf-8") as example:
        if shown != example.read():
            sys.exit("the README's program is not client/examples/quickstart.cpp")
    if len(shown.splitlines()) >= 15:
        sys.exit("the first program became long")
    result = subprocess.run(["build/client/examples/quickstart"], env={**os.environ, "PGDATABASE": DATABASE},
                            capture_output=True, text=True, timeout=60)
    if result.returncode != 0 or "ms/token" not in result.stdout:
        sys.exit(f"the example printed: {result.stdout}{result.stderr}")
    return result.stdout.strip()


def main():
    with open("README.md", encoding="utf-8") as file:
        fences = blocks(file.read())
    psql(f'CREATE DATABASE "{DATABASE}"', "postgres")
    try:
        # What "Coming from the Python class" starts from.
        psql("CREATE ROLE my_application")
        psql("""CREATE TABLE public.system_telemetry (
                    id serial PRIMARY KEY, event_type text, component text, value numeric, metadata jsonb,
                    status text, "timestamp" timestamp DEFAULT now());
                INSERT INTO public.system_telemetry (event_type, component, value, metadata, status)
                VALUES ('LOAD_LATENCY', 'old model', 1.5, '{"load_time_ms": 1500}', 'OK')""")
        ran = check_sql(fences)
        moved = psql("COPY (SELECT duration_ms FROM telemetry.event WHERE component = 'old model') TO STDOUT").strip()
        if moved != "1500":
            sys.exit(f"the moved row has duration {moved!r}")
        printed = check_cpp(fences)
        print(f"{ran} statements of the README ran; its program printed: {printed!r}")
    finally:
        psql(f'DROP DATABASE "{DATABASE}" WITH (FORCE)', "postgres")
        psql("DROP ROLE IF EXISTS my_application", "postgres")


main()
