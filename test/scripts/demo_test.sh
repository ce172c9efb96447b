#!/bin/bash
# The demo, end to end: what it measures stands in a fresh database and in the report; traces of each kind are
# replayed; damaged ones get one clear line. Needs a running cluster in the PG* environment.
set -u
cd "$(dirname "$0")/../.."

demo=build/demo/gravitas-demo
report=client/demo/report.sql
scratch=$(mktemp -d)
databases=()
failed=0

clean_up()
{
    local database
    for database in "${databases[@]}"; do
        PGDATABASE=postgres psql -X -q -c "DROP DATABASE IF EXISTS $database" 2>/dev/null
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fresh_database()
{
    export PGDATABASE=postgres
    local database="gravitas_demo_test_$1_$$"
    databases+=("$database")
    psql -X -q -c "CREATE DATABASE $database" || exit 1
    export PGDATABASE=$database
}

expect()    # WHAT EXPECTED ACTUAL
{
    [ "$2" = "$3" ] && return
    echo "FAILED: $1"
    echo "  expected: $2"
    echo "  actual:   $3"
    failed=1
}

query() { psql -X -q -A -t -F ' ' -c "$1"; }

# ---- Measurements of this machine ----

fresh_database measured
"$demo" > "$scratch/output" 2>&1
expect "the demo succeeds" 0 $?

expect "each model has three loads, sixty answers, one failed call" \
"ngram-2 LOAD_LATENCY OK 3
ngram-2 THOUGHT_LATENCY ERROR 1
ngram-2 THOUGHT_LATENCY OK 60
ngram-3 LOAD_LATENCY OK 3
ngram-3 THOUGHT_LATENCY ERROR 1
ngram-3 THOUGHT_LATENCY OK 60
ngram-4 LOAD_LATENCY OK 3
ngram-4 THOUGHT_LATENCY ERROR 1
ngram-4 THOUGHT_LATENCY OK 60" \
    "$(query "SELECT component, event_type, status, count(*) FROM telemetry.system_telemetry
              WHERE event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")"

expect "an answer has tokens, a prompt, and its first token before its end" t \
    "$(query "SELECT bool_and(tokens_generated BETWEEN 1 AND 60 AND prompt_tokens BETWEEN 4 AND 12
                              AND first_token_ms > 0 AND first_token_ms <= duration_ms AND value > 0)
              FROM telemetry.system_telemetry WHERE event_type = 'THOUGHT_LATENCY' AND status = 'OK'")"

expect "efficiency scores the answers and counts the failed calls" \
"ngram-2 60 1
ngram-3 60 1
ngram-4 60 1" \
    "$(query "SELECT component, measurement_count, error_count FROM telemetry.get_aggregated_efficiency()
              ORDER BY component")"

error=$(sed -n 's/^ *timer error: *\([0-9.]*\) %.*/\1/p' "$scratch/output")
resolution=$(sed -n 's/^ *timer resolution: *\([0-9.]*\) µs.*/\1/p' "$scratch/output")
expect "the timer is less than 0.1 % off (printed: ${error:-nothing})" yes \
    "$(awk -v error="${error:-1}" 'BEGIN { print error < 0.1 ? "yes" : "no" }')"
expect "the timer resolves a microsecond (printed: ${resolution:-nothing})" yes \
    "$(awk -v step="${resolution:-9}" 'BEGIN { print step <= 1 ? "yes" : "no" }')"
expect "the timer's error stands in the database" 1 \
    "$(query "SELECT count(*) FROM telemetry.system_telemetry WHERE event_type = 'TIMER_CHECK' AND value < 0.1")"

psql -X -q -f "$report" > "$scratch/report" 2>&1
expect "the report succeeds" 0 $?
expect "the report has its six parts" 6 "$(grep -c '^== ' "$scratch/report")"
expect "the report fits 110 columns" "" "$(awk 'length > 110' "$scratch/report")"

"$demo" --corpus "$scratch/nowhere" > /dev/null 2> "$scratch/error"
expect "a missing corpus fails" 1 $?
expect "and says so" "gravitas-demo: $scratch/nowhere: no such folder; name one with text files: --corpus DIR" \
    "$(cat "$scratch/error")"

# ---- Traces ----

traces=$scratch/traces
mkdir -p "$traces/more"
cat > "$traces/model_a.json" <<'JSON'
[{"error_code": null, "ttft_s": 0.5, "end_to_end_latency_s": 2, "number_output_tokens": 100, "number_input_tokens": 10},
 {"error_code": 429, "error_msg": "slow\u0000down", "ttft_s": 0, "end_to_end_latency_s": 0, "number_output_tokens": 1,
  "number_input_tokens": 10},
 {"error_code": "lost", "ttft_s": null},
 {"error_code": null, "ttft_s": 0.25, "end_to_end_latency_s": 1, "number_output_tokens": 25, "number_input_tokens": 10}]
JSON
printf '%s\r\n' 'TIMESTAMP,ContextTokens,GeneratedTokens' '2023-11-16 18:17:03.9799600,4808,10' \
    '2023-11-16 18:17:04.4799600,3180,8' > "$traces/more/AzureLLMInferenceTrace_code.csv"
cat > "$traces/more/gpu_log.json" <<'JSON'
{"0": {"record_time": 1000.5, "GPU_used_mem": 500, "GPU_total_mem": 2000, "GPU_utilization": 7, "GPU_temperature": 40},
 "1": {"record_time": 1003.5, "GPU_used_mem": 600, "GPU_total_mem": 2000, "GPU_utilization": 8, "GPU_temperature": 41}}
JSON
echo 'not a trace' > "$traces/notes.txt"
echo 'a,b' > "$traces/other.csv"

fresh_database traces
before=$(date +%s.%N)
"$demo" --trace "$traces" --trace "$traces/model_a.json" > "$scratch/output" 2>&1
expect "a folder of several kinds is replayed" 0 $?
after=$(date +%s.%N)
expect "unknown files are named" \
"  skipped $traces/notes.txt: not a trace that is known
  skipped $traces/other.csv: not a trace that is known" "$(grep skipped "$scratch/output")"
expect "every event is there once" \
"REQUEST_ARRIVAL azure-code OK 2
THOUGHT_LATENCY model_a ERROR 2
THOUGHT_LATENCY model_a OK 2
VRAM_CHECK gpu0 OK 2" \
    "$(query "SELECT event_type, component, status, count(*) FROM telemetry.system_telemetry
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")"
expect "llmperf: figures of the calls" "2000 500 100 10 20
1000 250 25 10 40" \
    "$(query "SELECT duration_ms, first_token_ms, tokens_generated, prompt_tokens, value
              FROM telemetry.system_telemetry WHERE component = 'model_a' AND status = 'OK' ORDER BY timestamp")"
expect "llmperf: why a call failed" '429 slowdown' \
    "$(query "SELECT metadata ->> 'error_code', metadata ->> 'error_msg' FROM telemetry.system_telemetry
              WHERE metadata ->> 'error_code' = '429'")"
expect "Azure: token counts without a latency" "t t 4808 10
t t 3180 8" \
    "$(query "SELECT value IS NULL, duration_ms IS NULL, metadata ->> 'prompt_tokens', metadata ->> 'tokens_generated'
              FROM telemetry.system_telemetry WHERE event_type = 'REQUEST_ARRIVAL' ORDER BY timestamp")"
expect "GPU: free memory and the rest as metadata" "1500 500 2000 7 40
1400 600 2000 8 41" \
    "$(query "SELECT value, metadata ->> 'used_mb', metadata ->> 'total_mb', metadata ->> 'utilization_percent',
                     metadata ->> 'temperature_c'
              FROM telemetry.system_telemetry WHERE event_type = 'VRAM_CHECK' ORDER BY timestamp")"
expect "the last event of each trace is now, the others as long before it as they were" \
"azure-code 00:00:00.5 t
gpu0 00:00:03 t
model_a 00:00:01 t" \
    "$(query "SELECT component, max(timestamp) - min(timestamp),
                     extract(epoch FROM max(timestamp)) BETWEEN $before AND $after
              FROM telemetry.system_telemetry GROUP BY component ORDER BY component")"

psql -X -q -f "$report" > "$scratch/report" 2>&1
expect "the report succeeds on traces" 0 $?
expect "the report explains that a trace has no loads" 1 "$(grep -c 'No model load was recorded' "$scratch/report")"

# ---- Damaged traces: one line with file and place, exit 1, nothing stored ----

fresh_database damaged
damaged()   # NAME CONTENT START-OF-MESSAGE
{
    printf "$2" > "$scratch/$1"
    "$demo" --trace "$scratch/$1" > /dev/null 2> "$scratch/error"
    expect "$1 fails" 1 $?
    local message="gravitas-demo: $scratch/$3"
    expect "$1 gets a clear message" "$message" "$(head -c ${#message} "$scratch/error")"
    expect "$1 gets one line" 1 "$(wc -l < "$scratch/error")"
}
call='{"ttft_s": 0.5, "end_to_end_latency_s": 2, "number_output_tokens": 9, "number_input_tokens": 1}'
damaged cut_off.json "[$call,\n{\"error_code\": " \
    'cut_off.json:2:16: not valid JSON: syntax error while parsing value - unexpected end of input'
damaged empty.json '' \
    'empty.json:1:1: not valid JSON: '
damaged missing.json "[$call, {\"error_code\": null}]" 'missing.json: call 2: "end_to_end_latency_s" is missing'
damaged negative.json "[${call/0.5/-1}]" 'negative.json: call 1: "ttft_s" is out of range: -1'
damaged text.json "[${call/: 9/: \"nine\"}]" 'text.json: call 1: "number_output_tokens" is not a number'
damaged number.json "[$call, 7]" 'number.json: call 2: not an object'
damaged gpu.json '{"0": {"record_time": 1, "GPU_used_mem": 5, "GPU_total_mem": 4}}' \
    'gpu.json: sample "0": more memory used than there is'
header='TIMESTAMP,ContextTokens,GeneratedTokens'
damaged time.csv "$header\n2023-13-16 18:17:03,1,2\n" 'time.csv:2: not a time: "2023-13-16 18:17:03"'
damaged fields.csv "$header\n2023-11-16 18:17:03,1,2\n2023-11-16 18:17:04,1\n" 'fields.csv:3: 2 fields, not 3'
damaged tokens.csv "$header\n2023-11-16 18:17:03,1,-2\n" 'tokens.csv:2: GeneratedTokens is not a number of tokens: "-2"'
damaged column.csv "TIMESTAMP,ContextTokens\n" 'column.csv:1: the column "GeneratedTokens" is missing'
damaged no_rows.csv "$header\n" 'no_rows.csv:1: no arrival follows the header'
damaged unknown.json '{"a": 1}' 'unknown.json: not a trace that is known (llmperf'
"$demo" --trace "$scratch/nowhere" > /dev/null 2> "$scratch/error"
expect "a missing trace fails" 1 $?
expect "and says so" "gravitas-demo: $scratch/nowhere: no such file or folder" "$(cat "$scratch/error")"
expect "nothing was stored" 0 "$(query "SELECT count(*) FROM pg_extension WHERE extname = 'gravitas_telemetry'")"

# ---- The command line ----

"$demo" --help > "$scratch/output"
expect "--help succeeds" 0 $?
expect "--help explains --trace" 1 "$(grep -c '^  --trace PATH' "$scratch/output")"
"$demo" --tracks 2> /dev/null
expect "an unknown argument is refused" 2 $?
PGHOST=$scratch/no-server "$demo" > /dev/null 2> "$scratch/error"
expect "a server that is away fails" 1 $?
expect "and says so in one line" 1 "$(grep -c '^gravitas-demo: could not connect: ' "$scratch/error")"

exit $failed
