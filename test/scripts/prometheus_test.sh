#!/usr/bin/env bash
# A real Prometheus scrapes the HTTP service and answers questions about what is in the database.
set -euo pipefail

service=build/http/gravitas-telemetry-http
type -P prometheus >/dev/null || { echo 'prometheus is missing' && exit 77; }
[[ -x $service ]] || { echo 'the HTTP service is not built' && exit 77; }
scratch=$(mktemp -d)
database=prometheus_$$
clean_up() {
    local process
    for process in $(jobs -p); do kill "$process" 2>/dev/null || true; done
    wait
    dropdb --if-exists -f "$database" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT

fail() {
    echo "$*"
    cat "$scratch"/*.log
    exit 1
}

# Runs a command until it succeeds.
until_it_does() {
    local deadline=$((SECONDS + 60))
    until "$@"; do
        ((SECONDS < deadline)) || fail "in vain: $*"
        sleep 0.2
    done
}

createdb "$database"
psql -X -q -d "$database" -o /dev/null <<'SQL'
CREATE EXTENSION gravitas_telemetry;
SELECT telemetry.log_thought_latency('llama "3"', n, 10, 5, true, 0.3) FROM generate_series(1, 100) AS n;
SQL
: >"$scratch/service.log"
$service --port 0 --conninfo "dbname=$database" >"$scratch/service.log" 2>&1 &
until_it_does grep -q '^serving on ' "$scratch/service.log"
address=$(sed -n 's|^serving on http://\(.*\)/$|\1|p' "$scratch/service.log")

cat >"$scratch/prometheus.yml" <<YAML
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: gravitas, static_configs: [{ targets: ['$address'] }] }]
YAML
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" \
    --web.listen-address="127.0.0.1:$port" >"$scratch/prometheus.log" 2>&1 &

# The value of a query; nothing where there is none yet.
value() {
    python3 - "$port" "$1" <<'PYTHON'
import json, sys, urllib.parse, urllib.request
url = f"http://127.0.0.1:{sys.argv[1]}/api/v1/query?" + urllib.parse.urlencode({"query": sys.argv[2]})
try:
    result = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
except OSError:
    sys.exit()
print(result[0]["value"][1] if result else "")
PYTHON
}
is_value() { [[ $(value "$1") == "$2" ]]; }

until_it_does is_value 'up{job="gravitas"}' 1
until_it_does is_value 'gravitas_telemetry_generated_tokens_total{model="llama \"3\""}' 1000
until_it_does is_value 'gravitas_telemetry_request_duration_seconds_count' 100
until_it_does is_value 'gravitas_telemetry_events_total{event_type="THOUGHT_LATENCY"}' 100
# half of 1, 2, … 100 seconds are in the buckets up to 40.96 and 81.92 s
until_it_does is_value 'histogram_quantile(0.5, gravitas_telemetry_request_duration_seconds_bucket) > bool 40.96' 1
until_it_does is_value 'histogram_quantile(0.5, gravitas_telemetry_request_duration_seconds_bucket) < bool 81.92' 1
psql -X -q -d "$database" -o /dev/null -c "SELECT telemetry.log_thought_latency('llama \"3\"', 1, 10)"
until_it_does is_value 'gravitas_telemetry_events_total{event_type="THOUGHT_LATENCY"}' 101
echo 'scraped by Prometheus'
