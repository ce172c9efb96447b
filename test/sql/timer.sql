-- Elapsed time: monotonic, not negative, of better than a microsecond's resolution.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SELECT bool_and(seconds >= 0 AND seconds < 60) AS sane, min(seconds) < 0.00001 AS microseconds
FROM (SELECT telemetry.measure_latency(telemetry.start_timer()) AS seconds FROM generate_series(1, 1000)) AS s;

-- Against another clock, over the same stretch of work.
DO $$
DECLARE
    wall timestamptz := clock_timestamp();
    start bigint := telemetry.start_timer();
    measured double precision;
    elapsed double precision;
BEGIN
    PERFORM count(*) FROM generate_series(1, 200000);
    measured := telemetry.measure_latency(start);
    elapsed := extract(epoch FROM clock_timestamp() - wall);
    IF measured > elapsed + 0.000002 OR measured <= 0 THEN
        RAISE EXCEPTION 'the timer says %, the wall clock %', measured, elapsed;
    END IF;
END $$;

SELECT telemetry.measure_latency(NULL);
SELECT telemetry.measure_latency(-1);
SELECT telemetry.measure_latency(9223372036854775807);
