-- Elapsed time in SQL.

CREATE FUNCTION telemetry.start_timer() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_start_timer';
COMMENT ON FUNCTION telemetry.start_timer() IS
    'The server''s monotonic clock in nanoseconds, for measure_latency()';

CREATE FUNCTION telemetry.measure_latency(start bigint) RETURNS double precision
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_measure_latency';
COMMENT ON FUNCTION telemetry.measure_latency(bigint) IS
    'Seconds since start_timer() returned start';
