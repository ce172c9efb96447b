-- Run by CREATE EXTENSION; not meant for psql.
\echo Use "CREATE EXTENSION gravitas_telemetry" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Refused with a hint. The function is gone before the extension is there.
CREATE FUNCTION pg_temp.refuse_taken_schema() RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'telemetry_refuse_taken_schema';
SELECT pg_temp.refuse_taken_schema();
DROP FUNCTION pg_temp.refuse_taken_schema();

-- In the extension, so that it owns it and nobody can have put anything into it before.
CREATE SCHEMA telemetry;
COMMENT ON SCHEMA telemetry IS 'Gravitas Telemetry: how long language models take to load and to answer';
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
-- The summary: what a number of events amount to. One is made from events by summarize(), many are merged into one, and
-- the accessors below answer from it: the questions may change after the events are gone.

CREATE TYPE telemetry.summary;

CREATE FUNCTION telemetry.summary_in(cstring) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_in';
COMMENT ON FUNCTION telemetry.summary_in(cstring) IS 'Input of summary';
CREATE FUNCTION telemetry.summary_out(telemetry.summary) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_out';
COMMENT ON FUNCTION telemetry.summary_out(telemetry.summary) IS 'Output of summary';
CREATE FUNCTION telemetry.summary_recv(internal) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_recv';
COMMENT ON FUNCTION telemetry.summary_recv(internal) IS 'Binary input of summary';
CREATE FUNCTION telemetry.summary_send(telemetry.summary) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_send';
COMMENT ON FUNCTION telemetry.summary_send(telemetry.summary) IS 'Binary output of summary: versioned, the same on every architecture';

-- EXTERNAL: its bytes are dense already and do not compress.
CREATE TYPE telemetry.summary (
    INPUT = telemetry.summary_in, OUTPUT = telemetry.summary_out, RECEIVE = telemetry.summary_recv, SEND = telemetry.summary_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external
);
COMMENT ON TYPE telemetry.summary IS 'What a number of events amount to: counts, errors, tokens, sums and distributions of value, duration and time to first token; mergeable in any order';

CREATE FUNCTION telemetry.jsonb(telemetry.summary) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_to_jsonb';
COMMENT ON FUNCTION telemetry.jsonb(telemetry.summary) IS 'The summary as a JSON object';
CREATE CAST (telemetry.summary AS jsonb) WITH FUNCTION telemetry.jsonb(telemetry.summary);
COMMENT ON CAST (telemetry.summary AS jsonb) IS 'The summary as a JSON object';

CREATE FUNCTION telemetry.summary(bytea) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_from_bytea';
COMMENT ON FUNCTION telemetry.summary(bytea) IS 'The summary that summary_send() wrote';

CREATE FUNCTION telemetry.summary_eq(telemetry.summary, telemetry.summary) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_eq';
COMMENT ON FUNCTION telemetry.summary_eq(telemetry.summary, telemetry.summary) IS 'Implementation of =';
CREATE FUNCTION telemetry.summary_ne(telemetry.summary, telemetry.summary) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_ne';
COMMENT ON FUNCTION telemetry.summary_ne(telemetry.summary, telemetry.summary) IS 'Implementation of <>';
CREATE FUNCTION telemetry.summary_hash(telemetry.summary) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_hash';
COMMENT ON FUNCTION telemetry.summary_hash(telemetry.summary) IS 'Hash of summary';
CREATE OPERATOR telemetry.= (
    LEFTARG = telemetry.summary, RIGHTARG = telemetry.summary, FUNCTION = telemetry.summary_eq,
    COMMUTATOR = OPERATOR(telemetry.=), NEGATOR = OPERATOR(telemetry.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR telemetry.= (telemetry.summary, telemetry.summary) IS 'Equal: the same bytes';
CREATE OPERATOR telemetry.<> (
    LEFTARG = telemetry.summary, RIGHTARG = telemetry.summary, FUNCTION = telemetry.summary_ne,
    COMMUTATOR = OPERATOR(telemetry.<>), NEGATOR = OPERATOR(telemetry.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR telemetry.<> (telemetry.summary, telemetry.summary) IS 'Not equal';
CREATE OPERATOR CLASS telemetry.summary_hash_ops DEFAULT FOR TYPE telemetry.summary USING hash AS
    OPERATOR 1 telemetry.= (telemetry.summary, telemetry.summary),
    FUNCTION 1 telemetry.summary_hash(telemetry.summary);
COMMENT ON OPERATOR CLASS telemetry.summary_hash_ops USING hash IS 'Hashing of summary, for GROUP BY and DISTINCT';
COMMENT ON OPERATOR FAMILY telemetry.summary_hash_ops USING hash IS 'Hashing of summary';

CREATE FUNCTION telemetry.summary_add(telemetry.summary, telemetry.summary) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_add';
COMMENT ON FUNCTION telemetry.summary_add(telemetry.summary, telemetry.summary) IS 'Implementation of +';
CREATE OPERATOR telemetry.+ (
    LEFTARG = telemetry.summary, RIGHTARG = telemetry.summary, FUNCTION = telemetry.summary_add,
    COMMUTATOR = OPERATOR(telemetry.+));
COMMENT ON OPERATOR telemetry.+ (telemetry.summary, telemetry.summary) IS 'Both merged; the order does not matter';

CREATE FUNCTION telemetry.summary_merge_step(telemetry.summary, telemetry.summary) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_merge_step';
COMMENT ON FUNCTION telemetry.summary_merge_step(telemetry.summary, telemetry.summary) IS 'Step and combine function of aggregates over summary';
CREATE FUNCTION telemetry.summary_final(telemetry.summary) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_final';
COMMENT ON FUNCTION telemetry.summary_final(telemetry.summary) IS 'End of aggregates over summary';
-- SSPACE, what the planner takes a state for, is that of a group of few events: many small groups are to be hashed,
-- not sorted. Hashing that finds larger ones spills.
CREATE AGGREGATE telemetry.merge(telemetry.summary) (
    STYPE = telemetry.summary, SFUNC = telemetry.summary_merge_step, COMBINEFUNC = telemetry.summary_merge_step,
    FINALFUNC = telemetry.summary_final, SSPACE = 1024, PARALLEL = SAFE);
COMMENT ON AGGREGATE telemetry.merge(telemetry.summary) IS 'All of them merged; NULL for none';

CREATE FUNCTION telemetry.summarize_step(telemetry.summary, event_type text, "timestamp" timestamptz,
                                         value double precision, duration_ms double precision,
                                         first_token_ms double precision, prompt_tokens integer,
                                         tokens_generated integer, status text) RETURNS telemetry.summary
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summarize_step';
COMMENT ON FUNCTION telemetry.summarize_step(telemetry.summary, text, timestamptz, double precision, double precision, double precision, integer, integer, text) IS 'Step of summarize()';
CREATE AGGREGATE telemetry.summarize(event_type text, "timestamp" timestamptz, value double precision,
                                     duration_ms double precision, first_token_ms double precision,
                                     prompt_tokens integer, tokens_generated integer, status text) (
    STYPE = telemetry.summary, SFUNC = telemetry.summarize_step, COMBINEFUNC = telemetry.summary_merge_step,
    FINALFUNC = telemetry.summary_final, SSPACE = 1024, PARALLEL = SAFE);
COMMENT ON AGGREGATE telemetry.summarize(text, timestamptz, double precision, double precision, double precision, integer, integer, text) IS
    'The summary of events, given the columns of telemetry.event; NULL for no events';

-- Counts and rates.
CREATE FUNCTION telemetry.event_count(summary telemetry.summary) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_event_count';
COMMENT ON FUNCTION telemetry.event_count(telemetry.summary) IS 'All events';
CREATE FUNCTION telemetry.error_count(summary telemetry.summary) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_error_count';
COMMENT ON FUNCTION telemetry.error_count(telemetry.summary) IS 'Events whose status is a failure';
CREATE FUNCTION telemetry.unscored_count(summary telemetry.summary) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_unscored_count';
COMMENT ON FUNCTION telemetry.unscored_count(telemetry.summary) IS 'Inferences that did not fail and have no score';
CREATE FUNCTION telemetry.error_rate(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_error_rate';
COMMENT ON FUNCTION telemetry.error_rate(telemetry.summary) IS 'Errors over events, 0 to 1';
CREATE FUNCTION telemetry.first_at(summary telemetry.summary) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_first_at';
COMMENT ON FUNCTION telemetry.first_at(telemetry.summary) IS 'Time of the first event';
CREATE FUNCTION telemetry.last_at(summary telemetry.summary) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_last_at';
COMMENT ON FUNCTION telemetry.last_at(telemetry.summary) IS 'Time of the last event';
CREATE FUNCTION telemetry.total_tokens(summary telemetry.summary) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_total_tokens';
COMMENT ON FUNCTION telemetry.total_tokens(telemetry.summary) IS 'Tokens generated';
CREATE FUNCTION telemetry.prompt_tokens(summary telemetry.summary) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_prompt_tokens';
COMMENT ON FUNCTION telemetry.prompt_tokens(telemetry.summary) IS 'Tokens of prompts';
CREATE FUNCTION telemetry.ms_per_token(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_ms_per_token';
COMMENT ON FUNCTION telemetry.ms_per_token(telemetry.summary) IS 'Token-weighted score: sum of durations over sum of generated tokens';
CREATE FUNCTION telemetry.tokens_per_second(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_tokens_per_second';
COMMENT ON FUNCTION telemetry.tokens_per_second(telemetry.summary) IS '1000 / ms_per_token';
CREATE FUNCTION telemetry.decode_ms_per_token(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_decode_ms_per_token';
COMMENT ON FUNCTION telemetry.decode_ms_per_token(telemetry.summary) IS 'Pace after the first token: sum of (duration - first token) over sum of (tokens - 1)';

-- Scores: milliseconds per generated token, lower is better.
CREATE FUNCTION telemetry.mean_score(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_mean_score';
COMMENT ON FUNCTION telemetry.mean_score(telemetry.summary) IS 'Mean of the scores';
CREATE FUNCTION telemetry.best_score(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_best_score';
COMMENT ON FUNCTION telemetry.best_score(telemetry.summary) IS 'Lowest score';
CREATE FUNCTION telemetry.worst_score(summary telemetry.summary) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_worst_score';
COMMENT ON FUNCTION telemetry.worst_score(telemetry.summary) IS 'Highest score';

-- What most questions ask of a summary, with one look into it.
CREATE FUNCTION telemetry.figures(summary telemetry.summary,
                                  OUT event_count bigint, OUT error_count bigint, OUT measurement_count bigint,
                                  OUT total_tokens bigint, OUT prompt_tokens bigint,
                                  OUT first_at timestamptz, OUT last_at timestamptz,
                                  OUT ms_per_token double precision, OUT mean_value double precision,
                                  OUT min_value double precision, OUT max_value double precision,
                                  OUT p50 double precision, OUT p95 double precision, OUT p99 double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_figures';
COMMENT ON FUNCTION telemetry.figures(telemetry.summary) IS
    'Counts, tokens, times, token-weighted score, and mean, ends and percentiles of the value of a summary, in one row';

-- The distribution of one metric: value (the score of inferences, ms per token; the seconds of loads), duration_ms, or
-- first_token_ms.
CREATE FUNCTION telemetry.measurement_count(summary telemetry.summary, metric text DEFAULT 'value') RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_measurement_count';
COMMENT ON FUNCTION telemetry.measurement_count(telemetry.summary, text) IS 'Events that have the metric; for inferences and value: scored calls';
CREATE FUNCTION telemetry.total(summary telemetry.summary, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_total';
COMMENT ON FUNCTION telemetry.total(telemetry.summary, text) IS 'Sum of the metric';
CREATE FUNCTION telemetry.mean(summary telemetry.summary, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_mean';
COMMENT ON FUNCTION telemetry.mean(telemetry.summary, text) IS 'Mean of the metric';
CREATE FUNCTION telemetry.min_value(summary telemetry.summary, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_min_value';
COMMENT ON FUNCTION telemetry.min_value(telemetry.summary, text) IS 'Smallest value';
CREATE FUNCTION telemetry.max_value(summary telemetry.summary, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_max_value';
COMMENT ON FUNCTION telemetry.max_value(telemetry.summary, text) IS 'Largest value';
CREATE FUNCTION telemetry.standard_deviation(summary telemetry.summary, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_standard_deviation';
COMMENT ON FUNCTION telemetry.standard_deviation(telemetry.summary, text) IS 'Standard deviation of the sample, as stddev()';
CREATE FUNCTION telemetry.percentile(summary telemetry.summary, p double precision, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_percentile';
COMMENT ON FUNCTION telemetry.percentile(telemetry.summary, double precision, text) IS 'The value below which a share p (0 to 1) of the values lies, as percentile_disc defines it, within 0.55 %';
CREATE FUNCTION telemetry.percentiles(summary telemetry.summary, p double precision[], metric text DEFAULT 'value') RETURNS double precision[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_percentiles';
COMMENT ON FUNCTION telemetry.percentiles(telemetry.summary, double precision[], text) IS 'percentile() for each element of p';
CREATE FUNCTION telemetry.percentile_rank(summary telemetry.summary, x double precision, metric text DEFAULT 'value') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_percentile_rank';
COMMENT ON FUNCTION telemetry.percentile_rank(telemetry.summary, double precision, text) IS 'The share of values that are at most x, 0 to 1';
CREATE FUNCTION telemetry.sketch(summary telemetry.summary, metric text DEFAULT 'value') RETURNS telemetry.sketch
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_summary_sketch';
COMMENT ON FUNCTION telemetry.sketch(telemetry.summary, text) IS 'The distribution on its own';
-- Are these values larger than those? What alerts about efficiency ask, and anybody may.

CREATE FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch,
                                       OUT superiority double precision, OUT z double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_mann_whitney';
COMMENT ON FUNCTION telemetry.mann_whitney(telemetry.sketch, telemetry.sketch) IS
    'Rank test of two distributions. superiority: the probability that a value of the first is larger than one of the second, ties half, 0.5 where neither is; z: how many standard deviations that is away from 0.5 if both were one. NULL where one is empty';
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
-- Storage of events. People read and write telemetry.system_telemetry; this may change behind it.
--
-- This script makes no dated partition and no index on the partitioned parent: what a script creates belongs to the
-- extension, and pg_dump would leave out its rows. ensure_partitions() makes the days at run time.

-- Cached: a session takes ids in blocks, which costs a third of taking each one.
CREATE SEQUENCE telemetry.event_id_seq CACHE 64;
COMMENT ON SEQUENCE telemetry.event_id_seq IS 'Ids of events; each session takes them in blocks of 64';

CREATE TABLE telemetry.event (
    "timestamp"      timestamptz NOT NULL DEFAULT clock_timestamp(),
    id               bigint NOT NULL DEFAULT nextval('telemetry.event_id_seq'),
    event_type       text NOT NULL,
    component        text,
    value            double precision,
    duration_ms      double precision,
    first_token_ms   double precision,
    prompt_tokens    integer,
    tokens_generated integer,
    status           text,
    metadata         jsonb
) PARTITION BY RANGE ("timestamp");

ALTER SEQUENCE telemetry.event_id_seq OWNED BY telemetry.event.id;

CREATE TABLE telemetry.event_default PARTITION OF telemetry.event DEFAULT;
CREATE INDEX event_default_timestamp_idx ON telemetry.event_default ("timestamp");

COMMENT ON TABLE telemetry.event IS 'Every event as it was measured, one partition a UTC day; read and write it through telemetry.system_telemetry';
COMMENT ON TABLE telemetry.event_default IS 'Events of days that have no partition of their own';
COMMENT ON COLUMN telemetry.event."timestamp" IS 'When the event ended, by the clock of who logged it';
COMMENT ON COLUMN telemetry.event.id IS 'Id of the event; grows with every event that a session stores';
COMMENT ON COLUMN telemetry.event.event_type IS 'LOAD_LATENCY, THOUGHT_LATENCY, VRAM_CHECK, VRAM_LOCKOUT, or any other name';
COMMENT ON COLUMN telemetry.event.component IS 'Model, GPU or subsystem that the event is about';
COMMENT ON COLUMN telemetry.event.value IS 'The event''s own figure: seconds for LOAD_LATENCY, ms per generated token for THOUGHT_LATENCY (NULL for 0 tokens)';
COMMENT ON COLUMN telemetry.event.duration_ms IS 'Elapsed time of the load or the inference, in milliseconds';
COMMENT ON COLUMN telemetry.event.first_token_ms IS 'Milliseconds from the request to the first token, where known';
COMMENT ON COLUMN telemetry.event.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.event.tokens_generated IS 'Tokens generated';
COMMENT ON COLUMN telemetry.event.status IS 'OK, WARNING, or a failure: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED, ABORTED';
COMMENT ON COLUMN telemetry.event.metadata IS 'What has no column of its own, as a JSON object';

SELECT pg_extension_config_dump('telemetry.event_default', '');
SELECT pg_extension_config_dump('telemetry.event_id_seq', '');

CREATE FUNCTION telemetry.ensure_partitions("from" timestamptz, "to" timestamptz) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD'
    AS 'MODULE_PATHNAME', 'telemetry_ensure_partitions';
COMMENT ON FUNCTION telemetry.ensure_partitions(timestamptz, timestamptz) IS
    'Makes the missing daily partitions from "from" to "to" (UTC days, at most 1000), moves their events out of the default partition, and returns how many were made';
-- Who sends batches to ingest(), and how far each of them is stored: what makes delivery exactly once.

CREATE TABLE telemetry.producer (
    producer       uuid PRIMARY KEY,
    last_sequence  bigint NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    clock_ahead_ms double precision NOT NULL,
    accepted       bigint NOT NULL,
    stored         bigint NOT NULL,
    queued         bigint NOT NULL,
    spilled        bigint NOT NULL,
    dropped        bigint NOT NULL,
    refused        bigint NOT NULL
) WITH (fillfactor = 50);   -- a row is updated with every batch, on its own page
COMMENT ON TABLE telemetry.producer IS 'Each client that has sent batches, up to which sequence they are stored, and what it said became of its events';
COMMENT ON COLUMN telemetry.producer.producer IS 'The UUID that the client chose when it started';
COMMENT ON COLUMN telemetry.producer.last_sequence IS 'Sequence of the last batch that is stored';
COMMENT ON COLUMN telemetry.producer.first_seen_at IS 'When its first batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.last_seen_at IS 'When its last batch came, by the server''s clock';
COMMENT ON COLUMN telemetry.producer.clock_ahead_ms IS 'By how many milliseconds its clock was ahead when it sent the last batch, the time of transport included';
COMMENT ON COLUMN telemetry.producer.accepted IS 'Events given to the client when it sent the last batch: the sum of the following';
COMMENT ON COLUMN telemetry.producer.stored IS 'Events of which it knew that they are stored';
COMMENT ON COLUMN telemetry.producer.queued IS 'Events in its memory, in flight included';
COMMENT ON COLUMN telemetry.producer.spilled IS 'Events in its spill file';
COMMENT ON COLUMN telemetry.producer.dropped IS 'Events that it lost';
COMMENT ON COLUMN telemetry.producer.refused IS 'Events that can never be stored';

SELECT pg_extension_config_dump('telemetry.producer', '');
-- Token usage per model and layer.

CREATE SEQUENCE telemetry.usage_stats_id_seq;

CREATE TABLE telemetry.usage_stats (
    id                bigint PRIMARY KEY DEFAULT nextval('telemetry.usage_stats_id_seq'),
    "timestamp"       timestamptz NOT NULL DEFAULT clock_timestamp(),
    model             text NOT NULL,
    layer             text,
    prompt_tokens     integer CHECK (prompt_tokens >= 0),
    completion_tokens integer CHECK (completion_tokens >= 0),
    duration_ms       double precision CHECK (duration_ms >= 0)
);
CREATE INDEX usage_stats_timestamp_idx ON telemetry.usage_stats ("timestamp");
ALTER SEQUENCE telemetry.usage_stats_id_seq OWNED BY telemetry.usage_stats.id;

COMMENT ON SEQUENCE telemetry.usage_stats_id_seq IS 'Numbers the rows of usage_stats';
COMMENT ON TABLE telemetry.usage_stats IS 'Tokens used by a model in a layer of the application, a row a call';
COMMENT ON COLUMN telemetry.usage_stats.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.usage_stats."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.usage_stats.model IS 'Name of the model';
COMMENT ON COLUMN telemetry.usage_stats.layer IS 'Part of the application that made the call';
COMMENT ON COLUMN telemetry.usage_stats.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.usage_stats.completion_tokens IS 'Tokens generated';
COMMENT ON COLUMN telemetry.usage_stats.duration_ms IS 'Elapsed time of the call, in milliseconds';

SELECT pg_extension_config_dump('telemetry.usage_stats', '');
SELECT pg_extension_config_dump('telemetry.usage_stats_id_seq', '');

CREATE FUNCTION telemetry.log_usage(model text, layer text, prompt_tokens integer, completion_tokens integer,
                                    duration_ms double precision) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_usage';
COMMENT ON FUNCTION telemetry.log_usage(text, text, integer, integer, double precision) IS
    'Stores one row of usage_stats and returns its id';
-- What was said: prompts and answers, where an application chooses to keep them.

CREATE SEQUENCE telemetry.history_id_seq;

CREATE TABLE telemetry.history (
    id          bigint PRIMARY KEY DEFAULT nextval('telemetry.history_id_seq'),
    "timestamp" timestamptz NOT NULL DEFAULT clock_timestamp(),
    role        text NOT NULL,
    content     text NOT NULL,
    ghost_id    text,
    shell_id    text
);
CREATE INDEX history_timestamp_idx ON telemetry.history ("timestamp");
ALTER SEQUENCE telemetry.history_id_seq OWNED BY telemetry.history.id;

COMMENT ON SEQUENCE telemetry.history_id_seq IS 'Numbers the rows of history';
COMMENT ON TABLE telemetry.history IS 'Prompts and answers that the application chose to keep; it holds text of people';
COMMENT ON COLUMN telemetry.history.id IS 'Number of the row';
COMMENT ON COLUMN telemetry.history."timestamp" IS 'When the row was logged';
COMMENT ON COLUMN telemetry.history.role IS 'Who spoke: user, assistant, system, tool or any other';
COMMENT ON COLUMN telemetry.history.content IS 'The text';
COMMENT ON COLUMN telemetry.history.ghost_id IS 'The application''s id of the persona';
COMMENT ON COLUMN telemetry.history.shell_id IS 'The application''s id of the session';

SELECT pg_extension_config_dump('telemetry.history', '');
SELECT pg_extension_config_dump('telemetry.history_id_seq', '');

CREATE FUNCTION telemetry.log_history(role text, content text, ghost_id text DEFAULT NULL, shell_id text DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_history';
COMMENT ON FUNCTION telemetry.log_history(text, text, text, text) IS
    'Stores one row of history and returns its id';
-- How long rows stay. Defaults live in retention_keep(), the table holds what was changed.

CREATE TABLE telemetry.retention_policy (
    table_name text PRIMARY KEY CHECK (table_name IN ('event', 'rollup_minute', 'rollup_hour', 'rollup_day', 'usage_stats',
                                                      'history', 'maintenance_log', 'alert_log', 'producer')),
    keep       interval CHECK (keep >= interval '1 day')
);
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table; set_retention() writes it';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, rollup_minute, rollup_hour, rollup_day, usage_stats, history, maintenance_log, alert_log or producer';
COMMENT ON COLUMN telemetry.retention_policy.keep IS 'How long rows stay; NULL: for ever';

SELECT pg_extension_config_dump('telemetry.retention_policy', '');

CREATE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                THEN (SELECT p.keep FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                WHEN $1 IN ('event', 'rollup_minute', 'usage_stats', 'maintenance_log', 'alert_log', 'producer')
                THEN interval '60 days'
                WHEN $1 = 'rollup_hour' THEN interval '2 years'
           END;
END;
COMMENT ON FUNCTION telemetry.retention_keep(text) IS
    'How long rows of a table are meant to stay: what retention_policy says, or the default; NULL: for ever';

CREATE FUNCTION telemetry.set_retention(table_name text, keep interval) RETURNS interval
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_set_retention';
COMMENT ON FUNCTION telemetry.set_retention(text, interval) IS
    'Sets how long rows of a table stay, NULL for ever, and returns what held before; at least one day. What other tables need longer stays longer';

-- Dumped: rollups alone do not tell what is missing of them.
CREATE TABLE telemetry.retention_horizon (
    table_name     text PRIMARY KEY,
    expired_before timestamptz NOT NULL
);
COMMENT ON TABLE telemetry.retention_horizon IS 'Since when tables are complete, a row for each from which retention has removed something';
COMMENT ON COLUMN telemetry.retention_horizon.table_name IS 'event, rollup_minute, rollup_hour, rollup_day or producer';
COMMENT ON COLUMN telemetry.retention_horizon.expired_before IS 'Rows of earlier times may be gone';

SELECT pg_extension_config_dump('telemetry.retention_horizon', '');

CREATE FUNCTION telemetry.expired_before(table_name text) RETURNS timestamptz
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_expired_before';
COMMENT ON FUNCTION telemetry.expired_before(text) IS
    'The time before which retention may have removed rows of a table; -infinity: it has removed none';

CREATE TABLE telemetry.retention_delay (
    partition     text PRIMARY KEY,
    reason        text NOT NULL CHECK (reason IN ('locked', 'missing in rollups', 'failed')),
    detail        text,
    since         timestamptz NOT NULL,
    tried_at      timestamptz NOT NULL,
    rollup_events bigint
);
COMMENT ON TABLE telemetry.retention_delay IS 'Days of events whose time is over and that could not be dropped';
COMMENT ON COLUMN telemetry.retention_delay.partition IS 'Name of the partition; event_default with its day for days without one';
COMMENT ON COLUMN telemetry.retention_delay.reason IS 'locked: others used it every time; missing in rollups: rebuild_rollups() mends that; failed';
COMMENT ON COLUMN telemetry.retention_delay.detail IS 'What is missing, or the error';
COMMENT ON COLUMN telemetry.retention_delay.since IS 'When dropping it was tried for the first time';
COMMENT ON COLUMN telemetry.retention_delay.tried_at IS 'When it was tried last; what is missing in rollups is tried again within an hour, or once they have changed';
COMMENT ON COLUMN telemetry.retention_delay.rollup_events IS 'Of what is missing in rollups: the events that they held when it was tried last';
-- What closed days take, so that nobody has to open their partitions to know it.

CREATE TABLE telemetry.partition_size (
    partition   name PRIMARY KEY,
    day_start   timestamptz NOT NULL,
    row_count   bigint NOT NULL,
    heap_bytes  bigint NOT NULL,
    index_bytes bigint NOT NULL,
    toast_bytes bigint NOT NULL,
    oldest      timestamptz,
    newest      timestamptz,
    recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE telemetry.partition_size IS 'Rows and bytes of the days that are over, recorded by maintenance';
COMMENT ON COLUMN telemetry.partition_size.partition IS 'Name of the partition in schema telemetry';
COMMENT ON COLUMN telemetry.partition_size.day_start IS 'Start of its UTC day';
COMMENT ON COLUMN telemetry.partition_size.row_count IS 'Events in it';
COMMENT ON COLUMN telemetry.partition_size.heap_bytes IS 'Bytes of the table itself';
COMMENT ON COLUMN telemetry.partition_size.index_bytes IS 'Bytes of its indexes';
COMMENT ON COLUMN telemetry.partition_size.toast_bytes IS 'Bytes of its long values, with their index';
COMMENT ON COLUMN telemetry.partition_size.oldest IS 'Time of its first event';
COMMENT ON COLUMN telemetry.partition_size.newest IS 'Time of its last event';
COMMENT ON COLUMN telemetry.partition_size.recorded_at IS 'When this was recorded';
-- What maintenance did.

CREATE TABLE telemetry.maintenance_log (
    step        text NOT NULL,
    started_at  timestamptz NOT NULL,
    duration_ms double precision NOT NULL,
    result      text,
    sqlstate    text,
    error       text
);
CREATE INDEX maintenance_log_started_at_idx ON telemetry.maintenance_log (started_at);
CREATE INDEX maintenance_log_step_started_at_idx ON telemetry.maintenance_log (step, started_at);
COMMENT ON TABLE telemetry.maintenance_log IS 'Rounds of maintenance (step maintain), and those of their steps that did something, failed, or succeeded after a failure';
COMMENT ON COLUMN telemetry.maintenance_log.step IS 'What was done';
COMMENT ON COLUMN telemetry.maintenance_log.started_at IS 'When it began';
COMMENT ON COLUMN telemetry.maintenance_log.duration_ms IS 'How long it took, in milliseconds';
COMMENT ON COLUMN telemetry.maintenance_log.result IS 'What came of it';
COMMENT ON COLUMN telemetry.maintenance_log.sqlstate IS 'SQLSTATE of what stopped it, or a part of it; NULL: nothing';
COMMENT ON COLUMN telemetry.maintenance_log.error IS 'What stopped it; NULL: nothing';
-- Rollups: summaries that every insert appends beside its events, and that compact() gathers by minute, hour and day.
--
-- At any snapshot each event is either in rollup_delta or in all three levels, so a question merges the levels that cover
-- its window and the deltas, and never touches an event.

CREATE FUNCTION telemetry.bucket_start(minutes integer, "timestamp" timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_bucket_start';
COMMENT ON FUNCTION telemetry.bucket_start(integer, timestamptz) IS 'Start of the UTC bucket of so many minutes (1, 60 or 1440) that holds the time';

CREATE FUNCTION telemetry.rollup_key(name text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_rollup_key';
COMMENT ON FUNCTION telemetry.rollup_key(text) IS 'The name under which an event type or component stands in the rollups: itself, or cut to 512 bytes with a hash at its end';

CREATE TABLE telemetry.rollup_delta (
    added_by   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    bucket     timestamptz NOT NULL,
    event_type text NOT NULL,
    component  text,
    summary    telemetry.summary NOT NULL
);
-- Reads and compaction start here at the mark of the last compaction, so that deltas which were compacted but which an
-- old snapshot keeps from being vacuumed are not looked at again.
CREATE INDEX rollup_delta_added_by_idx ON telemetry.rollup_delta (added_by);
COMMENT ON TABLE telemetry.rollup_delta IS 'Summaries appended by inserts and not compacted yet';
COMMENT ON COLUMN telemetry.rollup_delta.added_by IS 'The transaction that appended it';
COMMENT ON COLUMN telemetry.rollup_delta.bucket IS 'Start of the minute';
COMMENT ON COLUMN telemetry.rollup_delta.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_delta.component IS 'rollup_key() of the component';
COMMENT ON COLUMN telemetry.rollup_delta.summary IS 'What the events amount to';

CREATE TABLE telemetry.rollup_minute (
    bucket     timestamptz NOT NULL,
    event_type text NOT NULL,
    component  text,
    summary    telemetry.summary NOT NULL,
    UNIQUE NULLS NOT DISTINCT (bucket, event_type, component)
);
CREATE TABLE telemetry.rollup_hour (LIKE telemetry.rollup_minute INCLUDING ALL);
CREATE TABLE telemetry.rollup_day (LIKE telemetry.rollup_minute INCLUDING ALL);
-- Summaries do not compress, and a scan of them out of line costs three times one of them inline.
ALTER TABLE telemetry.rollup_minute SET (toast_tuple_target = 8160);
ALTER TABLE telemetry.rollup_hour SET (toast_tuple_target = 8160);
ALTER TABLE telemetry.rollup_day SET (toast_tuple_target = 8160);

COMMENT ON TABLE telemetry.rollup_minute IS 'Summaries by minute, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_minute.bucket IS 'Start of the minute';
COMMENT ON COLUMN telemetry.rollup_minute.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_minute.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_minute.summary IS 'What the events amount to';
COMMENT ON TABLE telemetry.rollup_hour IS 'Summaries by hour, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_hour.bucket IS 'Start of the hour';
COMMENT ON COLUMN telemetry.rollup_hour.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_hour.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_hour.summary IS 'What the events amount to';
COMMENT ON TABLE telemetry.rollup_day IS 'Summaries by UTC day, event type and component; written by compact() only';
COMMENT ON COLUMN telemetry.rollup_day.bucket IS 'Start of the UTC day';
COMMENT ON COLUMN telemetry.rollup_day.event_type IS 'rollup_key() of the event type';
COMMENT ON COLUMN telemetry.rollup_day.component IS 'rollup_key() of the component, or (other) beyond max_series_per_day';
COMMENT ON COLUMN telemetry.rollup_day.summary IS 'What the events amount to';

SELECT pg_extension_config_dump('telemetry.rollup_delta', '');
SELECT pg_extension_config_dump('telemetry.rollup_minute', '');
SELECT pg_extension_config_dump('telemetry.rollup_hour', '');
SELECT pg_extension_config_dump('telemetry.rollup_day', '');

-- Not dumped: a transaction number of one cluster means nothing in another.
CREATE TABLE telemetry.compaction (
    mark xid8 NOT NULL
);
COMMENT ON TABLE telemetry.compaction IS 'One row once something was compacted; none: nothing was';
COMMENT ON COLUMN telemetry.compaction.mark IS 'Every delta of an earlier transaction is compacted';

CREATE TABLE telemetry.compaction_lock ();
COMMENT ON TABLE telemetry.compaction_lock IS 'Empty; locked by whoever compacts or rebuilds, so that one does at a time';

CREATE FUNCTION telemetry.compaction_mark() RETURNS xid8
    LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((SELECT c.mark FROM telemetry.compaction AS c), '0'::xid8);
COMMENT ON FUNCTION telemetry.compaction_mark() IS 'Deltas of earlier transactions are compacted';

CREATE TYPE telemetry.rollup AS (
    bucket     timestamptz,
    event_type text,
    component  text,
    summary    telemetry.summary
);
COMMENT ON TYPE telemetry.rollup IS 'A row of a rollup';

-- Not inlined, because of its SET: whatever the statistics say, what was compacted and is not vacuumed yet is not read.
CREATE FUNCTION telemetry.deltas(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
    LANGUAGE sql STABLE PARALLEL SAFE
    SET enable_seqscan = off
    SET jit = off   -- what makes a plan without choice look expensive must not have it compiled
BEGIN ATOMIC
    SELECT d.bucket, d.event_type, d.component, d.summary
    FROM telemetry.rollup_delta AS d
    WHERE d.added_by >= telemetry.compaction_mark() AND d.bucket >= $1 AND d.bucket < $2;
END;
COMMENT ON FUNCTION telemetry.deltas(timestamptz, timestamptz) IS
    'The summaries of a window that were appended and not compacted yet';

CREATE FUNCTION telemetry.compact() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_compact';
COMMENT ON FUNCTION telemetry.compact() IS 'Moves all deltas into the minute, hour and day rollups and returns how many there were; NULL where another session is at it';

-- Which level answers for which part of a window of whole minutes: minutes up to hours_start, hours up to days_start,
-- days up to days_end, hours up to hours_end, then minutes again.
CREATE FUNCTION telemetry.window_levels(window_start timestamptz, window_end timestamptz,
                                        OUT hours_start timestamptz, OUT days_start timestamptz,
                                        OUT days_end timestamptz, OUT hours_end timestamptz)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_window_levels';
COMMENT ON FUNCTION telemetry.window_levels(timestamptz, timestamptz) IS 'The largest buckets that cover a window of whole minutes';

CREATE FUNCTION telemetry.readable_window(INOUT window_start timestamptz, INOUT window_end timestamptz)
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_readable_window';
COMMENT ON FUNCTION telemetry.readable_window(timestamptz, timestamptz) IS 'The window, widened to whole hours or days where retention has removed smaller rollups';

CREATE FUNCTION telemetry.rollups(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH readable AS (SELECT * FROM telemetry.readable_window($1, $2))
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= w.window_start AND m.bucket < l.hours_start
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.hours_start AND h.bucket < l.days_start
    UNION ALL
    SELECT d.bucket, d.event_type, d.component, d.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_day AS d
    WHERE d.bucket >= l.days_start AND d.bucket < l.days_end
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.days_end AND h.bucket < l.hours_end
    UNION ALL
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM readable AS w, telemetry.window_levels(w.window_start, w.window_end) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= l.hours_end AND m.bucket < w.window_end
    UNION ALL
    SELECT d.* FROM readable AS w, telemetry.deltas(w.window_start, w.window_end) AS d;
END;
COMMENT ON FUNCTION telemetry.rollups(timestamptz, timestamptz) IS
    'Rollups of the fewest rows that cover a window of whole minutes, each event in exactly one of them; the window is widened as readable_window() says';
-- Do the rollups hold what the events hold? And making them again from the events.

CREATE TYPE telemetry.rollup_difference AS (
    problem      text,
    level        text,
    bucket       timestamptz,
    event_type   text,
    component    text,
    expected     bigint,
    found        bigint
);
COMMENT ON TYPE telemetry.rollup_difference IS 'A row of check_rollups(): how many events a bucket should hold and holds';

CREATE FUNCTION telemetry.check_rollups("from" timestamptz, "to" timestamptz)
    RETURNS SETOF telemetry.rollup_difference
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    WITH days AS (
        SELECT telemetry.bucket_start(1440, $1) AS first,
               telemetry.bucket_start(1440, $2 - interval '1 microsecond') + interval '24 hours' AS past_last,
               telemetry.expired_before('event') AS events_from,
               telemetry.expired_before('rollup_minute') AS minutes_from,
               telemetry.expired_before('rollup_hour') AS hours_from
    ), stored AS (
        SELECT 1 AS minutes, m.bucket, m.event_type, m.component, m.summary
        FROM days, telemetry.rollup_minute AS m WHERE m.bucket >= greatest(first, minutes_from) AND m.bucket < past_last
        UNION ALL
        SELECT 60, h.bucket, h.event_type, h.component, h.summary
        FROM days, telemetry.rollup_hour AS h WHERE h.bucket >= greatest(first, hours_from) AND h.bucket < past_last
        UNION ALL
        SELECT 1440, d.bucket, d.event_type, d.component, d.summary
        FROM days, telemetry.rollup_day AS d WHERE d.bucket >= first AND d.bucket < past_last
        UNION ALL   -- an event is in a delta or in all levels
        SELECT l.minutes, telemetry.bucket_start(l.minutes, d.bucket), d.event_type, d.component, d.summary
        FROM days, telemetry.deltas(first, past_last) AS d, unnest('{1, 60, 1440}'::integer[]) AS l (minutes)
    ), found AS (   -- NULL components must join, too: the key tells them from every name
        SELECT minutes, bucket, event_type, component, coalesce('=' || component, '') AS key,
               sum(telemetry.event_count(summary))::bigint AS n
        FROM stored
        GROUP BY 1, 2, 3, 4
    ), raw AS (
        SELECT telemetry.bucket_start(1, e."timestamp") AS bucket, telemetry.rollup_key(e.event_type) AS event_type,
               telemetry.rollup_key(e.component) AS component, count(*) AS n
        FROM days, telemetry.event AS e WHERE e."timestamp" >= greatest(first, minutes_from) AND e."timestamp" < past_last
        GROUP BY 1, 2, 3
    ), placed AS (   -- what a component has no place for in its own row was folded into (other), where there is one
        SELECT r.bucket, r.event_type, r.component, r.n,
               CASE WHEN other.n IS NULL OR r.component IS NULL THEN r.n ELSE least(r.n, coalesce(own.n, 0)) END AS own
        FROM raw AS r
        LEFT JOIN found AS own ON own.minutes = 1 AND own.bucket = r.bucket AND own.event_type = r.event_type
                              AND own.key = coalesce('=' || r.component, '')
        LEFT JOIN found AS other ON other.minutes = 1 AND other.bucket = r.bucket AND other.event_type = r.event_type
                                AND other.key = '=(other)'
    ), minute AS (
        SELECT bucket, event_type, component, own AS n FROM placed WHERE own > 0
        UNION ALL
        SELECT bucket, event_type, '(other)', n - own FROM placed WHERE n > own
    ), expected AS (   -- minutes as the events say, larger buckets as the next smaller ones do
        SELECT 1 AS minutes, bucket, event_type, component, coalesce('=' || component, '') AS key, sum(n)::bigint AS n
        FROM minute GROUP BY 2, 3, 4
        UNION ALL
        SELECT l.minutes, telemetry.bucket_start(l.minutes, f.bucket), f.event_type, f.component, f.key, sum(f.n)::bigint
        FROM found AS f JOIN (VALUES (60, 1), (1440, 60)) AS l (minutes, smaller) ON f.minutes = l.smaller
        GROUP BY 1, 2, 3, 4, 5
    )
    SELECT CASE WHEN minutes > 1 THEN 'levels disagree'
                WHEN coalesce(e.n, 0) > coalesce(f.n, 0) THEN 'missing in rollups'
                ELSE 'events deleted' END,
           CASE minutes WHEN 1 THEN 'minute' WHEN 60 THEN 'hour' ELSE 'day' END,
           bucket, event_type, coalesce(e.component, f.component), coalesce(e.n, 0), coalesce(f.n, 0)
    FROM expected AS e FULL JOIN found AS f USING (minutes, bucket, event_type, key), days
    WHERE e.n IS DISTINCT FROM f.n
      AND bucket >= CASE minutes WHEN 1440 THEN hours_from ELSE minutes_from END   -- what there is nothing to check by
      AND NOT (minutes = 1 AND bucket < events_from AND coalesce(e.n, 0) < f.n)    -- what retention has dropped
    ORDER BY bucket, minutes, event_type, key;
END;
COMMENT ON FUNCTION telemetry.check_rollups(timestamptz, timestamptz) IS
    'Compares the UTC days from "from" to "to": "missing in rollups" and "levels disagree" are mended by rebuild_rollups(); "events deleted" is no error, since rollups keep what was measured';

CREATE FUNCTION telemetry.rebuild_rollups("from" timestamptz, "to" timestamptz) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_rebuild_rollups';
COMMENT ON FUNCTION telemetry.rebuild_rollups(timestamptz, timestamptz) IS
    'Makes the rollups of the UTC days from "from" to "to" again from their events, and returns how many minute summaries that gave; refuses where the events of a day are gone';
-- The face of the event storage: read it, insert into it, delete from it.

CREATE FUNCTION telemetry.event_metadata(event_type text, component text, value double precision,
                                         duration_ms double precision, prompt_tokens integer, tokens_generated integer,
                                         metadata jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    COST 1000   -- so that the planner computes it above ORDER BY ... LIMIT, for the rows that are shown only
    AS 'MODULE_PATHNAME', 'telemetry_event_metadata';
COMMENT ON FUNCTION telemetry.event_metadata(text, text, double precision, double precision, integer, integer, jsonb) IS
    'The metadata document of an event: for LOAD_LATENCY and THOUGHT_LATENCY completed from the columns; a key that was stored wins';

-- security_invoker: privileges and row security on telemetry.event are those of whoever asks.
CREATE VIEW telemetry.system_telemetry WITH (security_invoker = true) AS
    SELECT "timestamp", id, event_type, component, value, duration_ms, first_token_ms, prompt_tokens, tokens_generated,
           status,
           telemetry.event_metadata(event_type, component, value, duration_ms, prompt_tokens, tokens_generated, metadata)
               AS metadata
    FROM telemetry.event;

ALTER VIEW telemetry.system_telemetry ALTER COLUMN "timestamp" SET DEFAULT clock_timestamp();
ALTER VIEW telemetry.system_telemetry ALTER COLUMN status SET DEFAULT 'OK';

-- With session_replication_role = replica the trigger below does not fire, and rows inserted into a view vanish with
-- success reported. A trigger that fires ALWAYS is not to be had on a view: pg_upgrade could not restore it. But a column
-- that is never given has its default evaluated for every row.
CREATE FUNCTION telemetry.id_to_generate() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_id_to_generate';
COMMENT ON FUNCTION telemetry.id_to_generate() IS
    'Default of system_telemetry.id: NULL, or an error where session_replication_role would make inserted events vanish';
ALTER VIEW telemetry.system_telemetry ALTER COLUMN id SET DEFAULT telemetry.id_to_generate();

COMMENT ON VIEW telemetry.system_telemetry IS 'All events. INSERT and COPY FROM store events, DELETE removes them; events are never updated';
COMMENT ON COLUMN telemetry.system_telemetry."timestamp" IS 'When the event ended, by the clock of who logged it; now by default';
COMMENT ON COLUMN telemetry.system_telemetry.id IS 'Id of the event; grows with every event that a session stores; always generated';
COMMENT ON COLUMN telemetry.system_telemetry.event_type IS 'LOAD_LATENCY, THOUGHT_LATENCY, VRAM_CHECK, VRAM_LOCKOUT, or any other name';
COMMENT ON COLUMN telemetry.system_telemetry.component IS 'Model, GPU or subsystem that the event is about';
COMMENT ON COLUMN telemetry.system_telemetry.value IS 'The event''s own figure: seconds for LOAD_LATENCY, ms per generated token for THOUGHT_LATENCY (NULL for 0 tokens)';
COMMENT ON COLUMN telemetry.system_telemetry.duration_ms IS 'Elapsed time of the load or the inference, in milliseconds';
COMMENT ON COLUMN telemetry.system_telemetry.first_token_ms IS 'Milliseconds from the request to the first token, where known';
COMMENT ON COLUMN telemetry.system_telemetry.prompt_tokens IS 'Tokens of the prompt';
COMMENT ON COLUMN telemetry.system_telemetry.tokens_generated IS 'Tokens generated';
COMMENT ON COLUMN telemetry.system_telemetry.status IS 'OK, WARNING, or a failure: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED, ABORTED';
COMMENT ON COLUMN telemetry.system_telemetry.metadata IS 'JSON object; for LOAD_LATENCY and THOUGHT_LATENCY it also shows the columns under the keys that older applications know';

CREATE FUNCTION telemetry.system_telemetry_write() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_system_telemetry_write';
COMMENT ON FUNCTION telemetry.system_telemetry_write() IS 'All triggers of telemetry.system_telemetry';

CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON telemetry.system_telemetry
    FOR EACH ROW EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER write ON telemetry.system_telemetry IS 'Stores, deletes, and refuses updates';
-- The rows of a statement are stored together.
CREATE TRIGGER open_stream BEFORE INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER open_stream ON telemetry.system_telemetry IS 'Makes ready for the rows of a statement';
CREATE TRIGGER close_stream AFTER INSERT ON telemetry.system_telemetry
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.system_telemetry_write();
COMMENT ON TRIGGER close_stream ON telemetry.system_telemetry IS 'Stores what is left of the rows of a statement, and their summaries';
-- Logging, one event a call. Each returns the id of the stored event.

CREATE FUNCTION telemetry.log(event_type text, component text DEFAULT NULL, value double precision DEFAULT NULL,
                              metadata jsonb DEFAULT NULL, status text DEFAULT 'OK',
                              event_time timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log';
COMMENT ON FUNCTION telemetry.log(text, text, double precision, jsonb, text, timestamptz) IS
    'Stores one event of any type and returns its id; event_time is when it ended, now if NULL';

CREATE FUNCTION telemetry.log_load_latency(model_name text, load_time_seconds double precision,
                                           success boolean DEFAULT true, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_load_latency';
COMMENT ON FUNCTION telemetry.log_load_latency(text, double precision, boolean, timestamptz) IS
    'Stores how long a model took to load, in seconds, and returns the id; success => false stores status ERROR';

CREATE FUNCTION telemetry.log_thought_latency(model_name text, inference_time_seconds double precision,
                                              tokens_generated integer, prompt_tokens integer DEFAULT 0,
                                              success boolean DEFAULT true,
                                              first_token_seconds double precision DEFAULT NULL,
                                              metadata jsonb DEFAULT NULL, event_time timestamptz DEFAULT NULL)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_thought_latency';
COMMENT ON FUNCTION telemetry.log_thought_latency(text, double precision, integer, integer, boolean, double precision, jsonb, timestamptz) IS
    'Stores how long an inference took, in seconds, with its tokens, and returns the id; the score is ms per generated token';
-- Logging, many events a call.

CREATE TYPE telemetry.ingest_reply AS (
    stored        integer,
    refused       jsonb,
    duplicate     boolean,
    next_sequence bigint
);
COMMENT ON TYPE telemetry.ingest_reply IS 'What became of a batch';
COMMENT ON COLUMN telemetry.ingest_reply.stored IS 'How many of its events were stored';
COMMENT ON COLUMN telemetry.ingest_reply.refused IS 'Those that can never be: an array of index (from 0), sqlstate, reason';
COMMENT ON COLUMN telemetry.ingest_reply.duplicate IS 'Whether the batch was stored before, and so nothing was done';
COMMENT ON COLUMN telemetry.ingest_reply.next_sequence IS 'Sequence that the batch after it has';

CREATE FUNCTION telemetry.ingest(batch bytea) RETURNS telemetry.ingest_reply
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_ingest';
COMMENT ON FUNCTION telemetry.ingest(bytea) IS
    'Stores a batch of a client exactly once; docs/batch-format.md describes it. SQLSTATE 22P03: damaged; GT001: not the next one of its producer; GT002: too old';

CREATE TYPE telemetry.batch_result AS (
    stored  integer,
    refused jsonb
);
COMMENT ON TYPE telemetry.batch_result IS 'What became of the events of log_batch()';
COMMENT ON COLUMN telemetry.batch_result.stored IS 'How many events were stored';
COMMENT ON COLUMN telemetry.batch_result.refused IS 'Those that cannot be: an array of index (from 0), sqlstate, reason';

CREATE FUNCTION telemetry.log_batch(events jsonb, on_error text DEFAULT 'abort') RETURNS telemetry.batch_result
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'telemetry_log_batch';
COMMENT ON FUNCTION telemetry.log_batch(jsonb, text) IS
    'Stores an array of events, objects with the columns of system_telemetry as fields. Where one cannot be stored: on_error => ''abort'' raises its error and stores none, ''skip'' stores the others and lists it';
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
-- What keeps it running: days made ahead, deltas compacted, old rows removed.

-- What one table is needed for keeps the other: minutes lead to events, hours are checked by their minutes, and a batch is
-- told from its duplicate for twice the time that events stay.
CREATE FUNCTION telemetry.retention_cutoff(table_name text, as_of timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) = count(k.keep)
                THEN telemetry.bucket_start(1440, ($2 AT TIME ZONE 'UTC' - max(k.keep)) AT TIME ZONE 'UTC') END
    FROM (VALUES ('rollup_minute', 'event', 1), ('rollup_hour', 'event', 1), ('rollup_hour', 'rollup_minute', 1),
                 ('rollup_day', 'event', 1), ('rollup_day', 'rollup_minute', 1), ('rollup_day', 'rollup_hour', 1),
                 ('producer', 'event', 2), ($1, $1, 1)) AS n (name, needs, times),
         LATERAL (SELECT n.times * telemetry.retention_keep(n.needs) AS keep) AS k
    WHERE n.name = $1;
END;
COMMENT ON FUNCTION telemetry.retention_cutoff(text, timestamptz) IS
    'The start of the first UTC day of which a table keeps everything, with what other tables need of it; NULL: it keeps all';

CREATE TABLE telemetry.maintenance_lock ();
COMMENT ON TABLE telemetry.maintenance_lock IS 'Empty; locked by whoever maintains, so that one does at a time';

-- Not dumped: what was done in one database is to do in its copy.
CREATE TABLE telemetry.maintenance_state (
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    has_failed  boolean NOT NULL,
    worker_at   timestamptz
) WITH (fillfactor = 50);   -- its row is updated with every round, on its own page
COMMENT ON TABLE telemetry.maintenance_state IS 'The last round of maintenance, one row once there was one';
COMMENT ON COLUMN telemetry.maintenance_state.started_at IS 'When maintain() began';
COMMENT ON COLUMN telemetry.maintenance_state.finished_at IS 'When it, or a compaction of a worker since, ended';
COMMENT ON COLUMN telemetry.maintenance_state.has_failed IS 'Whether its compaction failed, which then waits before it is tried again';
COMMENT ON COLUMN telemetry.maintenance_state.worker_at IS 'When a background worker last did a round or a compaction; NULL: none ever did';

CREATE TYPE telemetry.event_partition AS (
    partition name,
    "from"    timestamptz,
    "to"      timestamptz
);
COMMENT ON TYPE telemetry.event_partition IS 'A row of event_partitions(): the times that a partition of event holds, "to" not among them';

CREATE FUNCTION telemetry.event_partitions() RETURNS SETOF telemetry.event_partition
    LANGUAGE c STABLE PARALLEL SAFE ROWS 70
    AS 'MODULE_PATHNAME', 'telemetry_event_partitions';
COMMENT ON FUNCTION telemetry.event_partitions() IS 'The partitions of event but for the default one, oldest first';

CREATE FUNCTION telemetry.missing_days(as_of timestamptz) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE kept AS (
        SELECT coalesce(telemetry.retention_cutoff('event', $1), '1970-01-01 00:00:00+00') AS first,
               telemetry.bucket_start(1440, $1) AS today,
               telemetry.bucket_start(1440, $1) + current_setting('gravitas_telemetry.premake_days')::integer * interval '24 hours' AS last
    ), settled (day) AS (   -- days of the events in the default partition, each found by the index
        SELECT (SELECT telemetry.bucket_start(1440, d."timestamp") FROM telemetry.event_default AS d
                WHERE d."timestamp" >= kept.first AND d."timestamp" < kept.last + interval '24 hours'
                ORDER BY d."timestamp" LIMIT 1)
        FROM kept
        UNION ALL
        SELECT (SELECT telemetry.bucket_start(1440, d."timestamp") FROM telemetry.event_default AS d
                WHERE d."timestamp" >= settled.day + interval '24 hours' AND d."timestamp" < kept.last + interval '24 hours'
                ORDER BY d."timestamp" LIMIT 1)
        FROM settled, kept WHERE settled.day IS NOT NULL
    )
    SELECT day
    FROM (SELECT day FROM settled WHERE day IS NOT NULL
          UNION SELECT generate_series(today, last, interval '24 hours') FROM kept) AS d
    WHERE NOT EXISTS (SELECT FROM telemetry.event_partitions() AS p
                      WHERE coalesce(p."from", '-infinity') <= d.day AND coalesce(p."to", 'infinity') > d.day)
    ORDER BY day < (SELECT today FROM kept), day;
END;
COMMENT ON FUNCTION telemetry.missing_days(timestamptz) IS
    'UTC days that should have a partition and have none: from as_of for premake_days ahead, then those of events in the default partition that are to be kept';

CREATE TYPE telemetry.day_proof AS (
    row_count bigint,
    missing   bigint
);
COMMENT ON TYPE telemetry.day_proof IS 'What prove_rollups() found: events, and how many of them the rollups lack';

-- At day level and one-sided: rollups may hold more, of what was deleted. What a component has no place for in its own
-- row was folded into (other).
CREATE FUNCTION telemetry.prove_rollups("from" timestamptz, "to" timestamptz) RETURNS telemetry.day_proof
    LANGUAGE sql STABLE PARALLEL SAFE
    SET jit = off
BEGIN ATOMIC
    WITH raw AS (
        SELECT telemetry.rollup_key(event_type) AS event_type, telemetry.rollup_key(component) AS component, sum(n) AS n
        FROM (SELECT e.event_type, e.component, count(*) AS n FROM telemetry.event AS e
              WHERE e."timestamp" >= $1 AND e."timestamp" < $2 GROUP BY 1, 2) AS e
        GROUP BY 1, 2
    ), found AS (
        SELECT event_type, component, sum(telemetry.event_count(summary)) AS n
        FROM (SELECT event_type, component, summary FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2
              UNION ALL SELECT event_type, component, summary FROM telemetry.deltas($1, $2)) AS stored
        GROUP BY 1, 2
    ), lacking AS (   -- NULL components must join, too
        SELECT r.event_type, r.component IS NULL AS is_nameless,
               sum(greatest(r.n - CASE WHEN r.component = '(other)' THEN 0 ELSE coalesce(f.n, 0) END, 0)) AS n
        FROM raw AS r LEFT JOIN found AS f ON f.event_type = r.event_type
                                          AND coalesce('=' || f.component, '') = coalesce('=' || r.component, '')
        GROUP BY 1, 2
    )
    SELECT coalesce((SELECT sum(n) FROM raw), 0)::bigint,
           coalesce(sum(greatest(l.n - CASE WHEN l.is_nameless THEN 0 ELSE coalesce(other.n, 0) END, 0)), 0)::bigint
    FROM lacking AS l LEFT JOIN found AS other ON other.event_type = l.event_type AND other.component = '(other)';
END;
COMMENT ON FUNCTION telemetry.prove_rollups(timestamptz, timestamptz) IS
    'Counts the events of UTC days, and those of them that day rollups and deltas lack';

CREATE TYPE telemetry.retention_action AS (
    table_name text,
    partition  text,
    row_count  bigint,
    size_bytes bigint,
    action     text,
    reason     text
);
COMMENT ON TYPE telemetry.retention_action IS 'A row of retention_plan()';

CREATE FUNCTION telemetry.retention_plan(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.retention_action
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_retention_plan';
COMMENT ON FUNCTION telemetry.retention_plan(timestamptz) IS
    'What apply_retention() would do: drop (a day of event), delete (rows of another table), or keep (a day that the rollups do not hold)';

CREATE PROCEDURE telemetry.apply_retention(as_of timestamptz DEFAULT now(), dry_run boolean DEFAULT false,
                                           INOUT dropped_days bigint DEFAULT NULL, INOUT removed_rows bigint DEFAULT NULL,
                                           INOUT freed_bytes bigint DEFAULT NULL, INOUT kept_days bigint DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'telemetry_apply_retention';
COMMENT ON PROCEDURE telemetry.apply_retention(timestamptz, boolean, bigint, bigint, bigint, bigint) IS
    'Removes what is older than its retention: days of events, one in a transaction, after proving that the rollups hold them, and rows of other tables in small batches; dry_run only says what it would do';

CREATE PROCEDURE telemetry.maintain(as_of timestamptz DEFAULT now())
    LANGUAGE c AS 'MODULE_PATHNAME', 'telemetry_maintain';
COMMENT ON PROCEDURE telemetry.maintain(timestamptz) IS
    'One round of maintenance: makes days, moves events into them, compacts, applies retention, records sizes, checks alerts, forgets old producers; each step commits, one that fails is logged and does not stop the others';

REVOKE ALL ON PROCEDURE telemetry.apply_retention(timestamptz, boolean, bigint, bigint, bigint, bigint),
                        telemetry.maintain(timestamptz) FROM PUBLIC;
-- Questions. Their bodies are parsed when they are created, so no search_path can change what they mean.

CREATE FUNCTION telemetry.row_limit("limit" integer) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_row_limit';
COMMENT ON FUNCTION telemetry.row_limit(integer) IS 'Its argument, or an error unless it is between 1 and 1000000';

CREATE FUNCTION telemetry.reading_window(hours integer, as_of timestamptz,
                                         OUT window_start timestamptz, OUT window_end timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_reading_window';
COMMENT ON FUNCTION telemetry.reading_window(integer, timestamptz) IS
    'The half-open window of the last hours before as_of, widened to whole minutes, or to whole hours or days where retention has removed what is smaller';

CREATE FUNCTION telemetry.is_error_status(status text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_is_error_status';
COMMENT ON FUNCTION telemetry.is_error_status(text) IS
    'Whether the status is that of a failed call: ERROR, FAILED, FAILURE, TIMEOUT, CANCELLED or ABORTED, in any case';

CREATE TYPE telemetry.recent_event AS (
    event_type  text,
    component   text,
    value       double precision,
    metadata    jsonb,
    status      text,
    "timestamp" timestamptz
);
COMMENT ON TYPE telemetry.recent_event IS 'A row of get_recent_events()';

CREATE FUNCTION telemetry.recent_events_of(component text, "limit" bigint) RETURNS SETOF telemetry.recent_event
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_recent_events_of';
COMMENT ON FUNCTION telemetry.recent_events_of(text, bigint) IS
    'The newest events of one component, found by way of its rollups';

CREATE FUNCTION telemetry.get_recent_events("limit" integer DEFAULT 10, component text DEFAULT NULL)
    RETURNS SETOF telemetry.recent_event
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    (SELECT e.event_type, e.component, e.value, e.metadata, e.status, e."timestamp"
     FROM telemetry.system_telemetry AS e
     WHERE $2 IS NULL
     ORDER BY e."timestamp" DESC, e.id DESC
     LIMIT telemetry.row_limit($1))
    UNION ALL
    SELECT * FROM telemetry.recent_events_of($2, telemetry.row_limit($1)) WHERE $2 IS NOT NULL;
END;
COMMENT ON FUNCTION telemetry.get_recent_events(integer, text) IS
    'The newest events first, of all components or of one';

CREATE TYPE telemetry.series_figures AS (
    step_start        timestamptz,
    event_type        text,
    component         text,
    event_count       bigint,
    error_count       bigint,
    measurement_count bigint,
    total_tokens      bigint,
    prompt_tokens     bigint,
    first_at          timestamptz,
    last_at           timestamptz,
    ms_per_token      double precision,
    mean_value        double precision,
    min_value         double precision,
    max_value         double precision,
    p50               double precision,
    p95               double precision,
    p99               double precision
);
COMMENT ON TYPE telemetry.series_figures IS 'A row of series_figures(): figures() of one event type and component, and step';

CREATE FUNCTION telemetry.series_figures(window_start timestamptz, window_end timestamptz, step_minutes integer,
                                         event_type text, component text, percentiles boolean DEFAULT true)
    RETURNS SETOF telemetry.series_figures
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'telemetry_series_figures';
COMMENT ON FUNCTION telemetry.series_figures(timestamptz, timestamptz, integer, text, text, boolean) IS
    'The rollups that cover a window of whole minutes, or of whole steps, merged by event type and component, and by step where step_minutes is not null; event_type and component: rollup_key() of the only one wanted, or null; percentiles: false leaves them null, which is quicker';

CREATE TYPE telemetry.component_efficiency AS (
    component                 text,
    measurement_count         bigint,
    error_count               bigint,
    avg_efficiency_score      double precision,
    weighted_efficiency_score double precision,
    best_efficiency           double precision,
    worst_efficiency          double precision,
    p50_efficiency            double precision,
    p95_efficiency            double precision,
    p99_efficiency            double precision,
    total_tokens              bigint,
    window_start              timestamptz,
    window_end                timestamptz
);
COMMENT ON TYPE telemetry.component_efficiency IS
    'A row of get_aggregated_efficiency(). Scores are milliseconds per generated token, lower is better; failed calls are in error_count only';

CREATE FUNCTION telemetry.get_aggregated_efficiency(component text DEFAULT NULL, hours integer DEFAULT 24,
                                                    as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.component_efficiency
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.component, s.measurement_count, s.error_count, s.mean_value, s.ms_per_token, s.min_value, s.max_value,
           s.p50, s.p95, s.p99, s.total_tokens, w.window_start, w.window_end
    FROM telemetry.reading_window($2, $3) AS w,
         telemetry.series_figures(w.window_start, w.window_end, NULL, 'THOUGHT_LATENCY', telemetry.rollup_key($1)) AS s
    ORDER BY s.ms_per_token NULLS LAST, s.component;
END;
COMMENT ON FUNCTION telemetry.get_aggregated_efficiency(text, integer, timestamptz) IS
    'Efficiency per component over the last hours before as_of, best (lowest weighted ms per token) first';

CREATE FUNCTION telemetry.get_60day_statistics(as_of timestamptz DEFAULT now()) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH series AS MATERIALIZED (
        SELECT s.*
        FROM telemetry.reading_window(60 * 24, $1) AS w,
             telemetry.series_figures(w.window_start, w.window_end, NULL, NULL, NULL, false) AS s
    ), model AS (
        SELECT component,
               coalesce(sum(measurement_count) FILTER (WHERE event_type = 'THOUGHT_LATENCY'), 0) AS measurement_count,
               sum(error_count) AS error_count,
               min(mean_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS avg_efficiency_score,
               min(ms_per_token) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS weighted_efficiency_score,
               min(min_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS best_efficiency,
               min(max_value) FILTER (WHERE event_type = 'THOUGHT_LATENCY') AS worst_efficiency,
               coalesce(sum(total_tokens + prompt_tokens) FILTER (WHERE event_type = 'THOUGHT_LATENCY'), 0) AS total_tokens_processed,
               coalesce(sum(event_count - error_count) FILTER (WHERE event_type = 'LOAD_LATENCY'), 0) AS load_count,
               min(mean_value) FILTER (WHERE event_type = 'LOAD_LATENCY') AS avg_load_time_seconds
        FROM series WHERE event_type IN ('THOUGHT_LATENCY', 'LOAD_LATENCY')
        GROUP BY component
    )
    SELECT jsonb_build_object(
        'overall', (SELECT jsonb_build_object(
                               'total_measurements', coalesce(sum(event_count), 0),
                               'unique_models', (SELECT count(component) FROM model),
                               'oldest_record', min(first_at),
                               'newest_record', max(last_at))
                    FROM series),
        'model_trends', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.weighted_efficiency_score NULLS LAST,
                                                                        t.component), '[]')
                         FROM model AS t),
        'retention_window_days', extract(epoch FROM telemetry.retention_keep('event'))::double precision / 86400);
END;
COMMENT ON FUNCTION telemetry.get_60day_statistics(timestamptz) IS
    'The 60 days before as_of: overall figures, a trend per model (best first), and for how many days events are meant to stay';

CREATE TYPE telemetry.efficiency_step AS (
    component                 text,
    step_start                timestamptz,
    measurement_count         bigint,
    error_count               bigint,
    weighted_efficiency_score double precision,
    p50_efficiency            double precision,
    p95_efficiency            double precision,
    total_tokens              bigint
);
COMMENT ON TYPE telemetry.efficiency_step IS 'A row of efficiency_trend()';

CREATE FUNCTION telemetry.trend_step(step interval, hours integer) RETURNS integer
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'telemetry_trend_step';
COMMENT ON FUNCTION telemetry.trend_step(interval, integer) IS
    'The step of a trend in minutes, or an error unless whole steps fill hours or days and there are at most 10000 of them';

CREATE FUNCTION telemetry.efficiency_trend(component text DEFAULT NULL, hours integer DEFAULT 24,
                                           step interval DEFAULT '1 hour', as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.efficiency_step
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.component, f.step_start, f.measurement_count, f.error_count, f.ms_per_token, f.p50, f.p95, f.total_tokens
    FROM telemetry.reading_window($2, $4) AS w, telemetry.trend_step($3, $2) AS t (minutes),
         telemetry.series_figures(telemetry.bucket_start(t.minutes, w.window_start),
                                  telemetry.bucket_start(t.minutes, w.window_end - interval '1 microsecond')
                                      + t.minutes * interval '1 minute',
                                  t.minutes, 'THOUGHT_LATENCY', telemetry.rollup_key($1)) AS f
    ORDER BY f.component, f.step_start;
END;
COMMENT ON FUNCTION telemetry.efficiency_trend(text, integer, interval, timestamptz) IS
    'Efficiency per component and step over the last hours before as_of, for charts; steps are UTC-aligned and the first and last are whole';
-- What is worth an alert. Defaults live in alert_defaults(), the table holds what was changed.

CREATE TABLE telemetry.alert_rule (
    rule            text PRIMARY KEY,
    threshold       double precision,
    clear_threshold double precision,
    is_enabled      boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE telemetry.alert_rule IS 'Alert rules that differ from the defaults; changed by set_alert()';
COMMENT ON COLUMN telemetry.alert_rule.rule IS 'A rule of alert_defaults()';
COMMENT ON COLUMN telemetry.alert_rule.threshold IS 'The alert fires above it; NULL: the default';
COMMENT ON COLUMN telemetry.alert_rule.clear_threshold IS 'The alert is resolved at it or below; NULL: the default';
COMMENT ON COLUMN telemetry.alert_rule.is_enabled IS 'false: never fires';

SELECT pg_extension_config_dump('telemetry.alert_rule', '');

CREATE TYPE telemetry.alert_setting AS (
    rule            text,
    threshold       double precision,
    clear_threshold double precision,
    unit            text,
    measured_over   interval,
    minimum_samples integer,
    is_enabled      boolean,
    meaning         text
);
COMMENT ON TYPE telemetry.alert_setting IS 'An alert rule: it fires above threshold and is resolved at clear_threshold or below';

CREATE FUNCTION telemetry.alert_defaults() RETURNS SETOF telemetry.alert_setting
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
    VALUES ('size', 104857600::double precision, 94371840::double precision, 'bytes', NULL::interval, NULL::integer, true,
            'what all tables of telemetry take on disk'),
           ('rows', 1000000, 900000, 'rows', NULL, NULL, true,
            'rows of system_telemetry, of usage_stats or of history'),
           ('efficiency_drop', 0.2, 0.1, 'share', '1 hour', 30, true,
            'by how much the weighted ms per token of a model rose over its previous 60 days'),
           ('error_rate', 0.05, 0.02, 'share', '1 hour', 30, true, 'failed calls of a component among all of them'),
           ('no_data', 86400, 3600, 's', NULL, NULL, true, 'time since the last event'),
           ('maintenance_overdue', 3600, 600, 's', NULL, NULL, true, 'time since a step of maintenance last succeeded'),
           ('maintenance_failed', 0, 0, 'failures', NULL, NULL, true, 'whether a step of maintenance failed when it last ran'),
           ('clock_skew', 10000, 5000, 'ms', '1 day', NULL, true, 'by how much the clock of a producer differs from the server''s'),
           ('too_many_series', 0.9, 0.8, 'share', NULL, NULL, true,
            'event types and components of the day, of gravitas_telemetry.max_series_per_day');
END;
COMMENT ON FUNCTION telemetry.alert_defaults() IS 'The alert rules as they are unless set_alert() changes them';

CREATE FUNCTION telemetry.alert_rules() RETURNS SETOF telemetry.alert_setting
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
    SELECT d.rule, coalesce(r.threshold, d.threshold), coalesce(r.clear_threshold, d.clear_threshold), d.unit,
           d.measured_over, d.minimum_samples, coalesce(r.is_enabled, d.is_enabled), d.meaning
    FROM telemetry.alert_defaults() AS d LEFT JOIN telemetry.alert_rule AS r USING (rule);
END;
COMMENT ON FUNCTION telemetry.alert_rules() IS 'The alert rules as they are: what alert_rule says, or the defaults';
-- How much disk and how many rows telemetry takes.

CREATE TYPE telemetry.footprint_row AS (
    table_name            text,
    heap_bytes            bigint,
    index_bytes           bigint,
    toast_bytes           bigint,
    total_bytes           bigint,
    row_count             bigint,
    row_count_is_estimate boolean,
    oldest_record         timestamptz,
    newest_record         timestamptz,
    partitions            integer,
    bytes_per_row         double precision,
    growth_bytes_per_day  double precision,
    days_until_cap        double precision
);
COMMENT ON TYPE telemetry.footprint_row IS 'A row of the view footprint';

CREATE FUNCTION telemetry.footprint(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.footprint_row
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 12
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_footprint';
COMMENT ON FUNCTION telemetry.footprint(timestamptz) IS
    'What each table of telemetry takes and holds, and all of them together (total), as the view footprint shows it. Waits for no lock: rows of what is locked, or not to be read by the caller, are estimated';

CREATE VIEW telemetry.footprint WITH (security_invoker = true) AS SELECT * FROM telemetry.footprint(now());
COMMENT ON VIEW telemetry.footprint IS 'What each table of telemetry takes and holds, and all of them together (total). Rows of events are those of the rollups: what was deleted by hand still counts';
COMMENT ON COLUMN telemetry.footprint.table_name IS 'system_telemetry (with all its days), a table of schema telemetry, or total';
COMMENT ON COLUMN telemetry.footprint.heap_bytes IS 'Bytes of the table itself; of days that are over, as maintenance recorded it';
COMMENT ON COLUMN telemetry.footprint.index_bytes IS 'Bytes of its indexes';
COMMENT ON COLUMN telemetry.footprint.toast_bytes IS 'Bytes of its long values, with their index';
COMMENT ON COLUMN telemetry.footprint.total_bytes IS 'All of these';
COMMENT ON COLUMN telemetry.footprint.row_count IS 'Rows; events are counted by the rollups of the days that are stored';
COMMENT ON COLUMN telemetry.footprint.row_count_is_estimate IS 'Whether row_count is an estimate: of a large table, of one that is locked or not to be read';
COMMENT ON COLUMN telemetry.footprint.oldest_record IS 'Time of the first row; NULL where finding it would take long';
COMMENT ON COLUMN telemetry.footprint.newest_record IS 'Time of the last row';
COMMENT ON COLUMN telemetry.footprint.partitions IS 'Tables that it is stored in';
COMMENT ON COLUMN telemetry.footprint.bytes_per_row IS 'total_bytes for each row';
COMMENT ON COLUMN telemetry.footprint.growth_bytes_per_day IS 'What a day adds: of events the last 7 whole days on average, of others since the oldest record';
COMMENT ON COLUMN telemetry.footprint.days_until_cap IS 'Of the total: after how many days it reaches the threshold of the alert rule size at this growth and with this retention; NULL: never';

CREATE FUNCTION telemetry.get_telemetry_footprint() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT jsonb_build_object(
        'table_sizes', jsonb_object_agg(table_name, total_bytes) FILTER (WHERE table_name <> 'total'),
        'row_counts', jsonb_object_agg(table_name, row_count) FILTER (WHERE table_name <> 'total'),
        'oldest_record', jsonb_object_agg(table_name, oldest_record) FILTER (WHERE table_name <> 'total'),
        'newest_record', jsonb_object_agg(table_name, newest_record) FILTER (WHERE table_name <> 'total'),
        'estimated_row_counts', coalesce(jsonb_agg(table_name) FILTER (WHERE row_count_is_estimate AND table_name <> 'total'), '[]'),
        'partitions', max(partitions) FILTER (WHERE table_name = 'system_telemetry'),
        'bytes_per_event', max(bytes_per_row) FILTER (WHERE table_name = 'system_telemetry'),
        'total_size_bytes', max(total_bytes) FILTER (WHERE table_name = 'total'),
        'growth_bytes_per_day', max(growth_bytes_per_day) FILTER (WHERE table_name = 'total'),
        'cap_bytes', (SELECT r.threshold FROM telemetry.alert_rules() AS r WHERE r.rule = 'size'),
        'days_until_cap', max(days_until_cap) FILTER (WHERE table_name = 'total'))
    FROM telemetry.footprint(now());
END;
COMMENT ON FUNCTION telemetry.get_telemetry_footprint() IS
    'The view footprint as a document: bytes (heap, indexes, TOAST), rows, oldest and newest record of each table, all bytes, growth, and days until the cap';
-- What charts show: every figure of every event type and component, over time or of a whole window; and the events behind.

CREATE TYPE telemetry.series_row AS (
    event_type         text,
    component          text,
    step_start         timestamptz,
    event_count        bigint,
    error_count        bigint,
    measurement_count  bigint,
    mean_value         double precision,
    min_value          double precision,
    max_value          double precision,
    p50                double precision,
    p95                double precision,
    p99                double precision,
    total_tokens       bigint,
    prompt_tokens      bigint,
    first_token_p50_ms double precision,
    first_token_p95_ms double precision,
    last_at            timestamptz
);
COMMENT ON TYPE telemetry.series_row IS
    'A row of get_series(). Values are those of the event type: ms per token of inferences, seconds of loads; step_start is NULL where there are no steps';

CREATE FUNCTION telemetry.series_rows(window_start timestamptz, window_end timestamptz, step_minutes integer,
                                      event_type text, component text)
    RETURNS SETOF telemetry.series_row
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20
    AS 'MODULE_PATHNAME', 'telemetry_series_rows';
COMMENT ON FUNCTION telemetry.series_rows(timestamptz, timestamptz, integer, text, text) IS
    'As series_figures(), with the percentiles of the time to the first token';

CREATE FUNCTION telemetry.get_series(event_type text DEFAULT NULL, component text DEFAULT NULL, hours integer DEFAULT 24,
                                     step interval DEFAULT NULL, as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.series_row
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.*
    FROM telemetry.reading_window($3, $5) AS w,
         (SELECT CASE WHEN $4 IS NOT NULL THEN telemetry.trend_step($4, $3) END) AS t (minutes),
         telemetry.series_rows(CASE WHEN t.minutes IS NULL THEN w.window_start
                                    ELSE telemetry.bucket_start(t.minutes, w.window_start) END,
                               CASE WHEN t.minutes IS NULL THEN w.window_end
                                    ELSE telemetry.bucket_start(t.minutes, w.window_end - interval '1 microsecond')
                                         + t.minutes * interval '1 minute' END,
                               t.minutes, telemetry.rollup_key($1), telemetry.rollup_key($2)) AS r
    ORDER BY r.event_type, r.component, r.step_start;
END;
COMMENT ON FUNCTION telemetry.get_series(text, text, integer, interval, timestamptz) IS
    'Figures per event type and component over the last hours before as_of; with a step, per step, for charts: steps are UTC-aligned and the first and last are whole';

CREATE FUNCTION telemetry.events_where(event_type text, component text, since timestamptz, "limit" bigint)
    RETURNS SETOF telemetry.recent_event
    LANGUAGE c STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_events_where';
COMMENT ON FUNCTION telemetry.events_where(text, text, timestamptz, bigint) IS
    'The newest events of one event type, one component, or both, found by way of the rollups; NULL: any';

CREATE FUNCTION telemetry.get_events(event_type text DEFAULT NULL, component text DEFAULT NULL, hours integer DEFAULT NULL,
                                     "limit" integer DEFAULT 50, as_of timestamptz DEFAULT now())
    RETURNS SETOF telemetry.recent_event
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH since AS MATERIALIZED (
        SELECT CASE WHEN $3 IS NULL THEN '-infinity'
                    ELSE (SELECT w.window_start FROM telemetry.reading_window($3, $5) AS w) END AS start
    )
    (SELECT e.event_type, e.component, e.value, e.metadata, e.status, e."timestamp"
     FROM telemetry.system_telemetry AS e
     WHERE $1 IS NULL AND $2 IS NULL AND e."timestamp" >= (SELECT s.start FROM since AS s)
     ORDER BY e."timestamp" DESC, e.id DESC
     LIMIT telemetry.row_limit($4))
    UNION ALL
    SELECT e.* FROM since AS s, telemetry.events_where($1, $2, s.start, telemetry.row_limit($4)) AS e
    WHERE $1 IS NOT NULL OR $2 IS NOT NULL;
END;
COMMENT ON FUNCTION telemetry.get_events(text, text, integer, integer, timestamptz) IS
    'The newest events first, of one event type, one component, or all; hours: none older than that before as_of';
-- Alerts: what is measured, what fires now, and what has fired.
--
-- An alert fires when its measurement exceeds the threshold, and is resolved when it falls to the clear threshold or its
-- subject is gone. In between nothing changes: what lasts fires once, and what hovers about the threshold does not flap.

CREATE SEQUENCE telemetry.alert_id_seq;
COMMENT ON SEQUENCE telemetry.alert_id_seq IS 'Numbers the alerts';

CREATE TABLE telemetry.alert_firing (
    alert_id bigint PRIMARY KEY,
    rule     text NOT NULL,
    subject  text,
    since    timestamptz NOT NULL,
    value    double precision NOT NULL,
    UNIQUE NULLS NOT DISTINCT (rule, subject)
);
ALTER SEQUENCE telemetry.alert_id_seq OWNED BY telemetry.alert_firing.alert_id;
COMMENT ON TABLE telemetry.alert_firing IS 'Alerts that fire; the view alerts shows them. Written by check_alerts() only';
COMMENT ON COLUMN telemetry.alert_firing.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_firing.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_firing.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_firing.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alert_firing.value IS 'What was measured last';

CREATE TABLE telemetry.alert_log (
    alert_id   bigint NOT NULL,
    rule       text NOT NULL,
    subject    text,
    state      text NOT NULL CHECK (state IN ('firing', 'resolved')),
    changed_at timestamptz NOT NULL,
    value      double precision,
    threshold  double precision
);
CREATE INDEX alert_log_changed_at_idx ON telemetry.alert_log (changed_at);
COMMENT ON TABLE telemetry.alert_log IS 'Every alert that fired or was resolved';
COMMENT ON COLUMN telemetry.alert_log.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alert_log.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alert_log.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alert_log.state IS 'What it became: firing or resolved';
COMMENT ON COLUMN telemetry.alert_log.changed_at IS 'When that was found';
COMMENT ON COLUMN telemetry.alert_log.value IS 'What was measured; NULL where the subject is gone or the rule disabled';
COMMENT ON COLUMN telemetry.alert_log.threshold IS 'The threshold that was passed: to fire, or to be resolved';

SELECT pg_extension_config_dump('telemetry.alert_id_seq', '');
SELECT pg_extension_config_dump('telemetry.alert_firing', '');
SELECT pg_extension_config_dump('telemetry.alert_log', '');

CREATE TABLE telemetry.alert_lock ();
COMMENT ON TABLE telemetry.alert_lock IS 'Empty; locked by whoever checks alerts, so that one does at a time';

CREATE TYPE telemetry.alert_measurement AS (
    rule         text,
    subject      text,
    value        double precision,
    is_confirmed boolean
);
COMMENT ON TYPE telemetry.alert_measurement IS
    'A row of alert_measurements(). value: NULL where there are too few samples, then nothing changes; is_confirmed: whether the samples are evidence enough to fire';

-- Efficiency: the weighted ms per token of the last hour over that of the 60 days before it, less 1. It fires only where
-- the scores themselves have shifted, by the rank test of mann_whitney(): four standard deviations or more. So a few
-- calls with many tokens or a single outlier do not fire it. Of the last hour and of the days before, 30 calls at least.
-- Only models of which there is enough to compare are looked up in the 60 days, and those that fire.
CREATE FUNCTION telemetry.efficiency_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'efficiency_drop'
    ), recent AS MATERIALIZED (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component <> '(other)' GROUP BY 1
    ), wanted AS MATERIALIZED (
        SELECT r.component FROM rule, recent AS r WHERE telemetry.measurement_count(r.summary) >= rule.minimum_samples
        UNION
        SELECT f.subject FROM telemetry.alert_firing AS f WHERE f.rule = 'efficiency_drop'
    ), earlier AS (
        SELECT s.component, telemetry.merge(s.summary) AS summary
        FROM rule, telemetry.rollups(rule.window_start - interval '1440 hours', rule.window_start) AS s
        WHERE s.event_type = 'THOUGHT_LATENCY' AND s.component IN (SELECT w.component FROM wanted AS w) GROUP BY 1
    ), compared AS (
        SELECT component, telemetry.ms_per_token(r.summary) / nullif(telemetry.ms_per_token(e.summary), 0) - 1 AS rise,
               least(telemetry.measurement_count(r.summary), telemetry.measurement_count(e.summary)) >= rule.minimum_samples AS enough,
               (telemetry.mann_whitney(telemetry.sketch(r.summary), telemetry.sketch(e.summary))).z AS z
        FROM rule, earlier AS e LEFT JOIN recent AS r USING (component)
    )
    SELECT 'efficiency_drop', component, CASE WHEN enough THEN rise END, coalesce(z >= 4, false) FROM compared;
END;
COMMENT ON FUNCTION telemetry.efficiency_measurements(timestamptz) IS
    'By how much the weighted ms per token of each model rose in the last hour over the 60 days before it, and whether the rank test confirms it';

-- A component that fires and has too few calls stays as it is for a day; silent for longer, it is none any longer.
CREATE FUNCTION telemetry.error_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT r.minimum_samples, w.window_start, w.window_end
        FROM telemetry.alert_rules() AS r,
             telemetry.reading_window((extract(epoch FROM r.measured_over) / 3600)::integer, $1) AS w
        WHERE r.rule = 'error_rate'
    ), measured AS MATERIALIZED (
        SELECT s.component, (sum(telemetry.error_count(s.summary)) / sum(telemetry.event_count(s.summary)))::double precision AS rate
        FROM rule, telemetry.rollups(rule.window_start, rule.window_end) AS s
        WHERE s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY') AND s.component <> '(other)'
        GROUP BY 1, rule.minimum_samples HAVING sum(telemetry.event_count(s.summary)) >= rule.minimum_samples
    )
    SELECT 'error_rate', m.component, m.rate, true FROM measured AS m
    UNION ALL
    SELECT DISTINCT 'error_rate', f.subject, NULL::double precision, false
    FROM telemetry.alert_firing AS f, rule, telemetry.rollups(rule.window_end - interval '24 hours', rule.window_end) AS s
    WHERE f.rule = 'error_rate' AND s.component = f.subject AND s.event_type IN ('LOAD_LATENCY', 'THOUGHT_LATENCY')
      AND f.subject NOT IN (SELECT m.component FROM measured AS m);
END;
COMMENT ON FUNCTION telemetry.error_measurements(timestamptz) IS
    'The share of failed loads and inferences of each component in the last hour';

CREATE FUNCTION telemetry.upkeep_measurements(as_of timestamptz) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT 'maintenance_overdue', NULL::text, extract(epoch FROM $1 - max(l.started_at))::double precision, true
    FROM telemetry.maintenance_log AS l WHERE l.started_at <= $1 AND l.error IS NULL
    UNION ALL
    (SELECT DISTINCT ON (l.step) 'maintenance_failed', l.step, (l.error IS NOT NULL)::integer::double precision, true
     FROM telemetry.maintenance_log AS l WHERE l.started_at > $1 - interval '24 hours' AND l.started_at <= $1
     ORDER BY l.step, l.started_at DESC)
    UNION ALL
    SELECT 'clock_skew', p.producer::text, abs(p.clock_ahead_ms), true
    FROM telemetry.producer AS p, telemetry.alert_rules() AS r
    WHERE r.rule = 'clock_skew' AND p.last_seen_at > $1 - r.measured_over
    UNION ALL   -- not the newest event of all, which may be of a clock that is years ahead
    SELECT 'no_data', NULL, extract(epoch FROM $1 - greatest(c.last_at, d.last_at))::double precision, true
    FROM (SELECT max(telemetry.last_at(r.summary)) AS last_at FROM telemetry.rollup_day AS r
          WHERE r.bucket = (SELECT max(n.bucket) FROM telemetry.rollup_day AS n WHERE n.bucket <= $1)) AS c,
         (SELECT max(telemetry.last_at(d.summary)) AS last_at FROM telemetry.deltas('-infinity', $1) AS d) AS d
    UNION ALL   -- of the day before, too, so that it is not resolved at every midnight
    SELECT 'too_many_series', NULL,
           coalesce(max(d.series), 0) / current_setting('gravitas_telemetry.max_series_per_day')::double precision, true
    FROM (SELECT count(*) AS series FROM telemetry.rollup_day AS d
          WHERE d.bucket IN (telemetry.bucket_start(1440, $1), telemetry.bucket_start(1440, $1) - interval '24 hours')
          GROUP BY d.bucket) AS d;
END;
COMMENT ON FUNCTION telemetry.upkeep_measurements(timestamptz) IS
    'Time since the last event, how late maintenance is and what of it failed, clocks of producers, and how near the number of series is to its limit';

CREATE FUNCTION telemetry.alert_measurements(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_measurement
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH footprint AS MATERIALIZED (SELECT * FROM telemetry.footprint($1))
    SELECT 'size', NULL::text, f.total_bytes::double precision, true FROM footprint AS f WHERE f.table_name = 'total'
    UNION ALL
    SELECT 'rows', f.table_name, f.row_count::double precision, true FROM footprint AS f
    WHERE f.table_name IN ('system_telemetry', 'usage_stats', 'history')
    UNION ALL
    SELECT * FROM telemetry.efficiency_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.error_measurements($1)
    UNION ALL
    SELECT * FROM telemetry.upkeep_measurements($1);
END;
COMMENT ON FUNCTION telemetry.alert_measurements(timestamptz) IS 'What the alert rules measure, whether it is worth an alert or not';

CREATE TYPE telemetry.alert_transition AS (
    alert_id   bigint,
    rule       text,
    subject    text,
    state      text,
    changed_at timestamptz,
    value      double precision,
    threshold  double precision
);
COMMENT ON TYPE telemetry.alert_transition IS 'A row of check_alerts(): an alert that fires from now on, or is resolved';

CREATE FUNCTION telemetry.check_alerts(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.alert_transition
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'telemetry_check_alerts';
COMMENT ON FUNCTION telemetry.check_alerts(timestamptz) IS
    'Measures, writes what fires or is resolved to alert_log, tells the channel telemetry_alert, and returns it; nothing where another session is at it';

CREATE FUNCTION telemetry.set_alert(rule text, threshold double precision DEFAULT NULL,
                                    clear_threshold double precision DEFAULT NULL, is_enabled boolean DEFAULT true)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_set_alert';
COMMENT ON FUNCTION telemetry.set_alert(text, double precision, double precision, boolean) IS
    'Changes an alert rule. threshold: NULL for the default; clear_threshold: NULL for the same share of the threshold as by default';

CREATE VIEW telemetry.alerts WITH (security_invoker = true) AS
    SELECT f.alert_id, f.rule, f.subject, f.since, f.value, r.threshold, r.clear_threshold, r.unit, r.meaning
    FROM telemetry.alert_firing AS f JOIN telemetry.alert_rules() AS r USING (rule)
    ORDER BY f.since, f.alert_id;
COMMENT ON VIEW telemetry.alerts IS 'Alerts that fire now';
COMMENT ON COLUMN telemetry.alerts.alert_id IS 'Number of the alert, the same from firing to resolved';
COMMENT ON COLUMN telemetry.alerts.rule IS 'The rule of alert_rules()';
COMMENT ON COLUMN telemetry.alerts.subject IS 'The model, table, producer or step that it is about; NULL: telemetry as a whole';
COMMENT ON COLUMN telemetry.alerts.since IS 'When it fired';
COMMENT ON COLUMN telemetry.alerts.value IS 'What was measured last';
COMMENT ON COLUMN telemetry.alerts.threshold IS 'It fired above this';
COMMENT ON COLUMN telemetry.alerts.clear_threshold IS 'It is resolved at this or below';
COMMENT ON COLUMN telemetry.alerts.unit IS 'Unit of value and thresholds';
COMMENT ON COLUMN telemetry.alerts.meaning IS 'What value is';
-- Is it healthy? One row for each thing that may be wrong, what is wrong first, each with what to type next.

CREATE TYPE telemetry.status_row AS (
    item  text,
    value text,
    is_ok boolean,
    hint  text
);
COMMENT ON TYPE telemetry.status_row IS 'A row of the view status';

-- Maintenance, and what waits for it. Counting ends at 100,000.
CREATE FUNCTION telemetry.maintenance_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH backlog AS MATERIALIZED (
        SELECT count(*) AS deltas FROM (SELECT FROM telemetry.deltas('-infinity', 'infinity') LIMIT 100000) AS d
    ), run AS MATERIALIZED (
        SELECT max(l.started_at) AS last FROM telemetry.maintenance_log AS l WHERE l.started_at <= $1 AND l.error IS NULL
    ), failed AS MATERIALIZED (
        SELECT string_agg(step || ': ' || error, '; ' ORDER BY step) AS errors
        FROM (SELECT DISTINCT ON (l.step) l.step, l.error FROM telemetry.maintenance_log AS l
              WHERE l.started_at > $1 - interval '24 hours' AND l.started_at <= $1 ORDER BY l.step, l.started_at DESC) AS latest
        WHERE error IS NOT NULL
    )
    SELECT 'last maintenance', coalesce(run.last::text, 'never'),
           CASE WHEN run.last IS NULL THEN backlog.deltas <= 2000
                ELSE $1 - run.last <= r.threshold * interval '1 second' END,
           'CALL telemetry.maintain(); where it should run by itself, see item worker, and the server''s log'
    FROM run, backlog, telemetry.alert_rules() AS r WHERE r.rule = 'maintenance_overdue'
    UNION ALL
    SELECT 'next maintenance', coalesce((run.last + interval '1 minute')::text, 'with the next events'), true, NULL FROM run
    UNION ALL
    SELECT 'failed maintenance', coalesce(failed.errors, 'none'), failed.errors IS NULL,
           'SELECT * FROM telemetry.maintenance_log WHERE error IS NOT NULL ORDER BY started_at DESC'
    FROM failed
    UNION ALL
    SELECT 'delta backlog', CASE WHEN backlog.deltas < 100000 THEN backlog.deltas::text ELSE '100000 or more' END,
           backlog.deltas <= 20000, 'SELECT telemetry.compact(); reads take 1 to 2 us longer for each'
    FROM backlog;
END;
COMMENT ON FUNCTION telemetry.maintenance_status(timestamptz) IS 'The part of status about maintenance and what waits for it';

-- What the server has for maintenance that runs by itself.
CREATE FUNCTION telemetry.workers(OUT is_preloaded boolean, OUT has_launcher boolean, OUT slots integer, OUT free_slots integer,
                                  OUT owner_may_connect boolean)
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'telemetry_workers';
COMMENT ON FUNCTION telemetry.workers() IS
    'Whether the library is preloaded and its launcher runs, how many background workers the server may have and how many are free, and whether one can connect as the owner of schema telemetry';

-- What keeps maintenance from running by itself is wrong once nobody else does it.
CREATE FUNCTION telemetry.worker_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH fact AS MATERIALIZED (
        SELECT w.*, current_setting('gravitas_telemetry.maintenance')::boolean AS is_on,
               (SELECT s.worker_at FROM telemetry.maintenance_state AS s) AS worker_at,
               EXISTS (SELECT FROM telemetry.maintenance_log AS l, telemetry.alert_rules() AS r
                       WHERE r.rule = 'maintenance_overdue' AND l.error IS NULL AND l.started_at <= $1
                         AND l.started_at >= $1 - r.threshold * interval '1 second') AS is_maintained
        FROM telemetry.workers() AS w
    )
    SELECT 'worker',
           concat_ws('; ', CASE WHEN is_on THEN 'on' ELSE 'off' END,
                     CASE WHEN NOT is_preloaded THEN 'not preloaded' WHEN has_launcher THEN 'launcher runs' ELSE 'launcher does not run' END,
                     format('%s of %s worker slots free', free_slots, slots),
                     CASE WHEN NOT owner_may_connect THEN 'the owner of schema telemetry cannot log in' END,
                     'last worker ' || coalesce(worker_at::text, 'never')),
           is_maintained OR pg_is_in_recovery() OR (is_on AND owner_may_connect AND free_slots > 0),
           CASE WHEN NOT is_on THEN format('ALTER DATABASE %I SET gravitas_telemetry.maintenance = on; or have cron CALL telemetry.maintain() every minute', current_database())
                WHEN NOT owner_may_connect THEN format('ALTER ROLE %s LOGIN, as which workers connect before PostgreSQL 17; or have cron CALL telemetry.maintain() every minute', (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'telemetry'))
                ELSE 'raise max_worker_processes and restart the server; or have cron CALL telemetry.maintain() every minute' END
    FROM fact;
END;
COMMENT ON FUNCTION telemetry.worker_status(timestamptz) IS 'The part of status about what maintenance needs to run by itself';

CREATE FUNCTION telemetry.partition_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH kept AS MATERIALIZED (
        SELECT coalesce($1 - telemetry.retention_keep('event'), '-infinity') AS since
    ), misplaced AS MATERIALIZED (
        SELECT count(*) AS events
        FROM (SELECT FROM kept, telemetry.event_default AS e
              WHERE e."timestamp" >= kept.since AND e."timestamp" < $1 + interval '24 hours' LIMIT 100000) AS e
    ), future AS MATERIALIZED (
        SELECT count(*) AS events
        FROM (SELECT FROM telemetry.event_default AS e WHERE e."timestamp" >= $1 + interval '24 hours' LIMIT 100000) AS e
    ), ahead AS MATERIALIZED (
        SELECT count(*) AS days FROM telemetry.event_partitions() AS p WHERE p."from" > $1
    ), starved AS MATERIALIZED (   -- what others use goes a little later, as a rule
        SELECT string_agg(d.partition || ' (' || d.reason || ')', ', ' ORDER BY d.partition) AS days
        FROM telemetry.retention_delay AS d
        WHERE d.since <= $1 - CASE d.reason WHEN 'locked' THEN interval '1 hour' ELSE interval '0' END
    )
    SELECT 'misplaced events', CASE WHEN misplaced.events < 100000 THEN misplaced.events::text ELSE '100000 or more' END,
           misplaced.events = 0, 'they lie in the default partition, where reads of a day do not find them quickly: CALL telemetry.maintain()'
    FROM misplaced
    UNION ALL
    SELECT 'future events', CASE WHEN future.events < 100000 THEN future.events::text ELSE '100000 or more' END,
           future.events = 0, 'they count when their time comes; a clock is wrong: SELECT component, max("timestamp") FROM telemetry.event_default GROUP BY 1'
    FROM future
    UNION ALL
    SELECT 'partitions ahead', ahead.days::text, ahead.days > 0,
           'CALL telemetry.maintain()'
    FROM ahead
    UNION ALL
    SELECT 'starved drops', coalesce(starved.days, 'none'), starved.days IS NULL,
           'SELECT * FROM telemetry.retention_delay; locked: end what reads them for long, SELECT pid, query FROM pg_stat_activity ORDER BY xact_start; missing in rollups: rebuild_rollups() of their days'
    FROM starved;
END;
COMMENT ON FUNCTION telemetry.partition_status(timestamptz) IS 'The part of status about the days that events are stored in';

-- All producers together, and those in trouble one by one, the ten worst.
CREATE FUNCTION telemetry.producer_status(as_of timestamptz) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH seen AS MATERIALIZED (
        SELECT p.*, abs(p.clock_ahead_ms) > r.threshold AS has_wrong_clock
        FROM telemetry.producer AS p, telemetry.alert_rules() AS r
        WHERE r.rule = 'clock_skew' AND p.last_seen_at > $1 - r.measured_over AND p.last_seen_at <= $1
    )
    SELECT 'producers', format('%s seen within a day; of %s events %s dropped, %s refused', count(*), coalesce(sum(s.accepted), 0),
                               coalesce(sum(s.dropped), 0), coalesce(sum(s.refused), 0)),
           coalesce(sum(s.dropped) = 0 AND NOT bool_or(s.has_wrong_clock), true), 'see those named here, and telemetry.producer'
    FROM seen AS s
    UNION ALL
    (SELECT 'producer ' || s.producer,
            format('clock %s ms ahead; of %s events %s dropped, %s refused', round(s.clock_ahead_ms), s.accepted, s.dropped, s.refused),
            false,
            concat_ws('; ', CASE WHEN s.has_wrong_clock THEN 'its clock is wrong: set it by NTP' END,
                            CASE WHEN s.dropped > 0 THEN 'it lost events: give it a larger queue, or OnFull::spill or block' END)
     FROM seen AS s WHERE s.has_wrong_clock OR s.dropped > 0
     ORDER BY s.dropped DESC, abs(s.clock_ahead_ms) DESC, s.producer LIMIT 10);
END;
COMMENT ON FUNCTION telemetry.producer_status(timestamptz) IS 'The part of status about the clients that were seen within a day';

CREATE FUNCTION telemetry.status(as_of timestamptz DEFAULT now()) RETURNS SETOF telemetry.status_row
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT item, value, is_ok, CASE WHEN NOT is_ok THEN hint END
    FROM (SELECT 'version' AS item, e.extversion AS value, e.extversion = coalesce(a.default_version, e.extversion) AS is_ok,
                 'ALTER EXTENSION gravitas_telemetry UPDATE' AS hint, 1 AS place
          FROM pg_extension AS e LEFT JOIN pg_available_extensions() AS a (name, default_version, comment) ON a.name = e.extname
          WHERE e.extname = 'gravitas_telemetry'
          UNION ALL
          SELECT m.*, 2 FROM telemetry.maintenance_status($1) AS m
          UNION ALL
          SELECT w.*, 2 FROM telemetry.worker_status($1) AS w
          UNION ALL
          SELECT p.*, 3 FROM telemetry.partition_status($1) AS p
          UNION ALL
          SELECT p.*, 4 FROM telemetry.producer_status($1) AS p
          UNION ALL
          SELECT 'alerts', CASE count(*) WHEN 0 THEN 'none' ELSE string_agg(concat_ws(' of ', rule, subject), ', ' ORDER BY since, alert_id) END, count(*) = 0, 'SELECT * FROM telemetry.alerts', 5 FROM telemetry.alert_firing
         ) AS s
    ORDER BY is_ok, place, item;
END;
COMMENT ON FUNCTION telemetry.status(timestamptz) IS 'Whether telemetry is healthy, as the view status shows it';

CREATE VIEW telemetry.status WITH (security_invoker = true) AS SELECT * FROM telemetry.status(now());
COMMENT ON VIEW telemetry.status IS 'Whether telemetry is healthy: what is wrong comes first; bool_and(is_ok) says it in one word';
COMMENT ON COLUMN telemetry.status.item IS 'What is looked at';
COMMENT ON COLUMN telemetry.status.value IS 'What there is';
COMMENT ON COLUMN telemetry.status.is_ok IS 'Whether that is as it should be';
COMMENT ON COLUMN telemetry.status.hint IS 'What to do where it is not';
-- Rights for a purpose. They are granted by whoever calls these, who must be able to.

CREATE FUNCTION telemetry.grant_writer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_writer';
COMMENT ON FUNCTION telemetry.grant_writer(text) IS
    'Lets a role log by every function, by INSERT and COPY, and through the client; it sees the ids of what it logs and nothing else';

CREATE FUNCTION telemetry.grant_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_reader';
COMMENT ON FUNCTION telemetry.grant_reader(text) IS
    'Lets a role read everything but history, and ask every question; it can write nothing';

CREATE FUNCTION telemetry.grant_history_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_history_reader';
COMMENT ON FUNCTION telemetry.grant_history_reader(text) IS
    'Lets a role read history, which holds text of people';

CREATE FUNCTION telemetry.grant_maintainer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_maintainer';
COMMENT ON FUNCTION telemetry.grant_maintainer(text) IS
    'Lets a role call maintain() and apply_retention(), set how long rows stay, and see what maintenance did; it can neither read nor write events';
-- Nothing for PUBLIC, not even what only computes: so one sentence says it, and grant_reader() gives the rest. Types stay
-- usable, since a type holds no data.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
