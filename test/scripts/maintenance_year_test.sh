#!/usr/bin/env bash
# A year of 1,000 events a day, with a round of maintenance at the end of each: what is stored does not grow after the
# retention, and the statistics of the whole year are those of every event there was.
set -euo pipefail

database=maintenance_year_$$
trap 'dropdb --if-exists -f "$database"' EXIT

run() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$database" "$@" 2> >(grep -v NOTICE >&2); }
fail() { echo "$*"; exit 1; }
equals() { [[ $1 == "$2" ]] || fail "$3: $1, not $2"; }

createdb "$database"
run -c 'CREATE EXTENSION gravitas_telemetry' -c "CREATE TABLE size (day integer, events bigint, partitions bigint, event_bytes bigint, minutes bigint, minute_bytes bigint)"

# Most events of a day come on the day, one in fifty a week late; three models, some failures.
for ((day = 0; day < 365; day++)); do
    cat <<SQL
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, tokens_generated, status)
SELECT timestamptz '2026-01-01 00:00:00+00' + $day * interval '1 day' + n * interval '86.4 seconds'
       - CASE WHEN n % 50 = 0 AND $day >= 7 THEN interval '7 days' ELSE '0' END,
       'THOUGHT_LATENCY', 'm' || n % 3, 10 + (n + $day) % 11, 1 + n % 4, CASE WHEN n % 40 = 7 THEN 'ERROR' ELSE 'OK' END
FROM generate_series(0, 999) AS n;
CALL telemetry.maintain('2026-01-02 00:00:00+00'::timestamptz + $day * interval '1 day');
SQL
    ((day % 30 != 29)) || cat <<SQL
INSERT INTO size SELECT $day, (SELECT count(*) FROM telemetry.event), count(*), sum(pg_total_relation_size(relid)),
    (SELECT count(*) FROM telemetry.rollup_minute), pg_total_relation_size('telemetry.rollup_minute')
FROM pg_partition_tree('telemetry.event') WHERE isleaf;
VACUUM telemetry.rollup_minute, telemetry.rollup_delta, telemetry.event_default;
SQL
done | run

[[ -z $(run -c "SELECT step, error FROM telemetry.maintenance_log WHERE error IS NOT NULL") ]] ||
    fail "steps failed: $(run -c "SELECT step, error FROM telemetry.maintenance_log WHERE error IS NOT NULL LIMIT 5")"
equals "$(run -c 'SELECT count(*) FROM size WHERE day > 60')" 10 'months measured'
equals "$(run -c 'SELECT count(DISTINCT (events, partitions, minutes)) FROM size WHERE day > 70')" 1 'events, days and minutes that are stored'
equals "$(run -c 'SELECT partitions FROM size WHERE day = 359')" 69 'partitions: 60 days, today, 7 ahead, the default one'
[[ $(run -c 'SELECT max(event_bytes) < 1.1 * min(event_bytes) AND max(minute_bytes) < 1.3 * min(minute_bytes) FROM size WHERE day > 70') == t ]] ||
    fail "sizes grow: $(run -c 'SELECT * FROM size')"
equals "$(run -c 'SELECT count(*) FROM telemetry.event_default')" 0 'events without a day'

# The year, from what is left of it, against the formulas it was made by.
equals "$(run -c "SELECT sum(telemetry.event_count(summary)), sum(telemetry.error_count(summary)),
                         sum(telemetry.total_tokens(summary)), round(sum(telemetry.total(summary, 'duration_ms')))
                  FROM telemetry.rollups('2026-01-01 00:00:00+00', '2027-01-01 00:00:00+00')")" \
    "$(run -c "SELECT count(*), count(*) FILTER (WHERE n % 40 = 7), sum(1 + n % 4) FILTER (WHERE n % 40 <> 7),
                      round(sum(10 + (n + day) % 11) FILTER (WHERE n % 40 <> 7))
               FROM generate_series(0, 364) AS day, generate_series(0, 999) AS n")" 'the whole year'
for hours in 24 720 8760; do
    equals "$(run -c "SELECT component, measurement_count, error_count, total_tokens, round(weighted_efficiency_score::numeric, 6), best_efficiency, worst_efficiency
                      FROM telemetry.get_aggregated_efficiency(hours => $hours, as_of => '2027-01-01 00:00:00+00') ORDER BY 1")" \
        "$(run -c "SELECT 'm' || n % 3, count(*) FILTER (WHERE n % 40 <> 7), count(*) FILTER (WHERE n % 40 = 7),
                          sum(1 + n % 4) FILTER (WHERE n % 40 <> 7),
                          round((sum(10 + (n + day) % 11) FILTER (WHERE n % 40 <> 7))::numeric / sum(1 + n % 4) FILTER (WHERE n % 40 <> 7), 6),
                          min((10 + (n + day) % 11)::float8 / (1 + n % 4)) FILTER (WHERE n % 40 <> 7), max((10 + (n + day) % 11)::float8 / (1 + n % 4)) FILTER (WHERE n % 40 <> 7)
                   FROM generate_series(0, 364) AS day, generate_series(0, 999) AS n
                   WHERE day - CASE WHEN n % 50 = 0 AND day >= 7 THEN 7 ELSE 0 END >= 365 - $hours / 24 GROUP BY 1 ORDER BY 1")" \
        "the last $hours hours"
done
# Long ago minutes are gone: the window is widened, and says so.
equals "$(run -c "SELECT DISTINCT window_start, window_end FROM telemetry.get_aggregated_efficiency(hours => 1, as_of => '2026-03-01 10:30:00+00')")" \
    '2026-03-01 09:00:00+00|2026-03-01 11:00:00+00' 'an hour in March'
equals "$(run -c "SELECT count(*) FROM telemetry.check_rollups('2026-01-01 00:00:00+00', '2027-01-01 00:00:00+00')")" 0 'differences'
run -c 'SELECT day, events, partitions, event_bytes, minutes, minute_bytes FROM size ORDER BY day'
