-- Are these values larger than those? What alerts about efficiency ask, and anybody may.

CREATE FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch,
                                       OUT superiority double precision, OUT z double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_mann_whitney';
COMMENT ON FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch) IS
    'Rank test of two distributions. superiority: the probability that a value of the first is larger than one of the second, ties half, 0.5 where neither is; z: how many standard deviations that is away from 0.5 if both were one. NULL where one is empty';
