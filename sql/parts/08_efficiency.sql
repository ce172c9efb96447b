-- The plain aggregate for those who have durations and tokens and want one figure, also over sliding window frames.

CREATE FUNCTION telemetry.efficiency_step(double precision[], duration_ms double precision, tokens bigint)
    RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_efficiency_step';
COMMENT ON FUNCTION telemetry.efficiency_step(double precision[], double precision, bigint) IS 'Step of efficiency()';
CREATE FUNCTION telemetry.efficiency_inverse(double precision[], duration_ms double precision, tokens bigint)
    RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_efficiency_inverse';
COMMENT ON FUNCTION telemetry.efficiency_inverse(double precision[], double precision, bigint) IS 'Step of efficiency() for a row that leaves the frame';
CREATE FUNCTION telemetry.efficiency_combine(double precision[], double precision[]) RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_efficiency_combine';
COMMENT ON FUNCTION telemetry.efficiency_combine(double precision[], double precision[]) IS 'Combine function of efficiency()';
CREATE FUNCTION telemetry.efficiency_final(double precision[]) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_efficiency_final';
COMMENT ON FUNCTION telemetry.efficiency_final(double precision[]) IS 'Final function of efficiency()';

CREATE AGGREGATE telemetry.efficiency(duration_ms double precision, tokens bigint) (
    STYPE = double precision[], SFUNC = telemetry.efficiency_step, COMBINEFUNC = telemetry.efficiency_combine,
    FINALFUNC = telemetry.efficiency_final, INITCOND = '{0,0,0}',
    MSTYPE = double precision[], MSFUNC = telemetry.efficiency_step, MINVFUNC = telemetry.efficiency_inverse,
    MFINALFUNC = telemetry.efficiency_final, MINITCOND = '{0,0,0}',
    PARALLEL = SAFE);
COMMENT ON AGGREGATE telemetry.efficiency(double precision, bigint) IS
    'Token-weighted milliseconds per token: sum of durations over sum of tokens; rows with a NULL or without tokens do not count';
