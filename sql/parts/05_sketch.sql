-- The quantile sketch: the distribution of any number of values within 0.55 %, mergeable in any order.

CREATE TYPE telemetry.sketch;

CREATE FUNCTION telemetry.sketch_in(cstring) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_in';
COMMENT ON FUNCTION telemetry.sketch_in(cstring) IS 'Input of sketch';
CREATE FUNCTION telemetry.sketch_out(telemetry.sketch) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_out';
COMMENT ON FUNCTION telemetry.sketch_out(telemetry.sketch) IS 'Output of sketch';
CREATE FUNCTION telemetry.sketch_recv(internal) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_recv';
COMMENT ON FUNCTION telemetry.sketch_recv(internal) IS 'Binary input of sketch';
CREATE FUNCTION telemetry.sketch_send(telemetry.sketch) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_send';
COMMENT ON FUNCTION telemetry.sketch_send(telemetry.sketch) IS 'Binary output of sketch: versioned, the same on every architecture';

-- EXTERNAL: its bytes are dense already and do not compress.
CREATE TYPE telemetry.sketch (
    INPUT = telemetry.sketch_in, OUTPUT = telemetry.sketch_out, RECEIVE = telemetry.sketch_recv, SEND = telemetry.sketch_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external
);
COMMENT ON TYPE telemetry.sketch IS 'Distribution of values on a fixed grid: percentiles within 0.55 %, minimum and maximum exact; merges in any order to the same bytes';

CREATE FUNCTION telemetry.jsonb(telemetry.sketch) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_to_jsonb';
COMMENT ON FUNCTION telemetry.jsonb(telemetry.sketch) IS 'The sketch as a JSON object';
CREATE CAST (telemetry.sketch AS jsonb) WITH FUNCTION telemetry.jsonb(telemetry.sketch);
COMMENT ON CAST (telemetry.sketch AS jsonb) IS 'The sketch as a JSON object';

CREATE FUNCTION telemetry.sketch(bytea) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_from_bytea';
COMMENT ON FUNCTION telemetry.sketch(bytea) IS 'The sketch that sketch_send() wrote';

CREATE FUNCTION telemetry.sketch_eq(telemetry.sketch, telemetry.sketch) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_eq';
COMMENT ON FUNCTION telemetry.sketch_eq(telemetry.sketch, telemetry.sketch) IS 'Implementation of =';
CREATE FUNCTION telemetry.sketch_ne(telemetry.sketch, telemetry.sketch) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_ne';
COMMENT ON FUNCTION telemetry.sketch_ne(telemetry.sketch, telemetry.sketch) IS 'Implementation of <>';
CREATE FUNCTION telemetry.sketch_hash(telemetry.sketch) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_hash';
COMMENT ON FUNCTION telemetry.sketch_hash(telemetry.sketch) IS 'Hash of sketch';
CREATE OPERATOR telemetry.= (
    LEFTARG = telemetry.sketch, RIGHTARG = telemetry.sketch, FUNCTION = telemetry.sketch_eq,
    COMMUTATOR = OPERATOR(telemetry.=), NEGATOR = OPERATOR(telemetry.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR telemetry.= (telemetry.sketch, telemetry.sketch) IS 'Equal: the same bytes';
CREATE OPERATOR telemetry.<> (
    LEFTARG = telemetry.sketch, RIGHTARG = telemetry.sketch, FUNCTION = telemetry.sketch_ne,
    COMMUTATOR = OPERATOR(telemetry.<>), NEGATOR = OPERATOR(telemetry.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR telemetry.<> (telemetry.sketch, telemetry.sketch) IS 'Not equal';
CREATE OPERATOR CLASS telemetry.sketch_hash_ops DEFAULT FOR TYPE telemetry.sketch USING hash AS
    OPERATOR 1 telemetry.= (telemetry.sketch, telemetry.sketch),
    FUNCTION 1 telemetry.sketch_hash(telemetry.sketch);
COMMENT ON OPERATOR CLASS telemetry.sketch_hash_ops USING hash IS 'Hashing of sketch, for GROUP BY and DISTINCT';
COMMENT ON OPERATOR FAMILY telemetry.sketch_hash_ops USING hash IS 'Hashing of sketch';

CREATE FUNCTION telemetry.sketch_add(telemetry.sketch, telemetry.sketch) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_add';
COMMENT ON FUNCTION telemetry.sketch_add(telemetry.sketch, telemetry.sketch) IS 'Implementation of +';
CREATE OPERATOR telemetry.+ (
    LEFTARG = telemetry.sketch, RIGHTARG = telemetry.sketch, FUNCTION = telemetry.sketch_add,
    COMMUTATOR = OPERATOR(telemetry.+));
COMMENT ON OPERATOR telemetry.+ (telemetry.sketch, telemetry.sketch) IS 'Both merged; the order does not matter';

CREATE FUNCTION telemetry.sketch_merge_step(telemetry.sketch, telemetry.sketch) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_merge_step';
COMMENT ON FUNCTION telemetry.sketch_merge_step(telemetry.sketch, telemetry.sketch) IS 'Step and combine function of aggregates over sketch';
CREATE FUNCTION telemetry.sketch_final(telemetry.sketch) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_final';
COMMENT ON FUNCTION telemetry.sketch_final(telemetry.sketch) IS 'End of aggregates over sketch';
CREATE AGGREGATE telemetry.merge(telemetry.sketch) (
    STYPE = telemetry.sketch, SFUNC = telemetry.sketch_merge_step, COMBINEFUNC = telemetry.sketch_merge_step,
    FINALFUNC = telemetry.sketch_final, SSPACE = 1024, PARALLEL = SAFE);
COMMENT ON AGGREGATE telemetry.merge(telemetry.sketch) IS 'All of them merged; NULL for none';

CREATE FUNCTION telemetry.sketch_step(telemetry.sketch, double precision) RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_step';
COMMENT ON FUNCTION telemetry.sketch_step(telemetry.sketch, double precision) IS 'Step of sketch()';
CREATE AGGREGATE telemetry.sketch(double precision) (
    STYPE = telemetry.sketch, SFUNC = telemetry.sketch_step, COMBINEFUNC = telemetry.sketch_merge_step,
    FINALFUNC = telemetry.sketch_final, SSPACE = 1024, PARALLEL = SAFE);
COMMENT ON AGGREGATE telemetry.sketch(double precision) IS 'The distribution of the values; NULLs are skipped, no values give NULL';

CREATE FUNCTION telemetry.value_count(sketch telemetry.sketch) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_value_count';
COMMENT ON FUNCTION telemetry.value_count(telemetry.sketch) IS 'How many values';
CREATE FUNCTION telemetry.min_value(sketch telemetry.sketch) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_min_value';
COMMENT ON FUNCTION telemetry.min_value(telemetry.sketch) IS 'The smallest value, exactly';
CREATE FUNCTION telemetry.max_value(sketch telemetry.sketch) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_max_value';
COMMENT ON FUNCTION telemetry.max_value(telemetry.sketch) IS 'The largest value, exactly';
CREATE FUNCTION telemetry.percentile(sketch telemetry.sketch, p double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_percentile';
COMMENT ON FUNCTION telemetry.percentile(telemetry.sketch, double precision) IS 'The value below which a share p (0 to 1) of the values lies, as percentile_disc defines it, within 0.55 %';
CREATE FUNCTION telemetry.percentiles(sketch telemetry.sketch, p double precision[]) RETURNS double precision[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_percentiles';
COMMENT ON FUNCTION telemetry.percentiles(telemetry.sketch, double precision[]) IS 'percentile() for each element of p';
CREATE FUNCTION telemetry.percentile_rank(sketch telemetry.sketch, x double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_percentile_rank';
COMMENT ON FUNCTION telemetry.percentile_rank(telemetry.sketch, double precision) IS 'The share of values that are at most x, 0 to 1';
CREATE FUNCTION telemetry.exponential_histogram(sketch telemetry.sketch) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_sketch_exponential_histogram';
COMMENT ON FUNCTION telemetry.exponential_histogram(telemetry.sketch) IS 'An OpenTelemetry exponential histogram of scale 6, without loss';
