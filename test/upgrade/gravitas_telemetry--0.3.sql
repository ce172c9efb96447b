-- Run by CREATE EXTENSION; not meant for psql.
\echo Use "CREATE EXTENSION gravitas_telemetry" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

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
-- How long rows are meant to stay. Defaults live in retention_keep(), the table holds what was changed.

CREATE TABLE telemetry.retention_policy (
    table_name text PRIMARY KEY CHECK (table_name IN ('event', 'usage_stats', 'history')),
    keep       interval CHECK (keep >= interval '1 day')
);
COMMENT ON TABLE telemetry.retention_policy IS 'Retention times that differ from the defaults, a row for each table';
COMMENT ON COLUMN telemetry.retention_policy.table_name IS 'event, usage_stats or history';
COMMENT ON COLUMN telemetry.retention_policy.keep IS 'How long rows stay; NULL: for ever';

SELECT pg_extension_config_dump('telemetry.retention_policy', '');

CREATE FUNCTION telemetry.retention_keep(table_name text) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                THEN (SELECT p.keep FROM telemetry.retention_policy AS p WHERE p.table_name = $1)
                WHEN $1 IN ('event', 'usage_stats') THEN interval '60 days'
           END;
END;
COMMENT ON FUNCTION telemetry.retention_keep(text) IS
    'How long rows of event, usage_stats or history are meant to stay: what retention_policy says, or the default; NULL: for ever';
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

CREATE FUNCTION telemetry.rollups(window_start timestamptz, window_end timestamptz) RETURNS SETOF telemetry.rollup
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM telemetry.window_levels($1, $2) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= $1 AND m.bucket < l.hours_start
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM telemetry.window_levels($1, $2) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.hours_start AND h.bucket < l.days_start
    UNION ALL
    SELECT d.bucket, d.event_type, d.component, d.summary
    FROM telemetry.window_levels($1, $2) AS l, telemetry.rollup_day AS d
    WHERE d.bucket >= l.days_start AND d.bucket < l.days_end
    UNION ALL
    SELECT h.bucket, h.event_type, h.component, h.summary
    FROM telemetry.window_levels($1, $2) AS l, telemetry.rollup_hour AS h
    WHERE h.bucket >= l.days_end AND h.bucket < l.hours_end
    UNION ALL
    SELECT m.bucket, m.event_type, m.component, m.summary
    FROM telemetry.window_levels($1, $2) AS l, telemetry.rollup_minute AS m
    WHERE m.bucket >= l.hours_end AND m.bucket < $2
    UNION ALL
    SELECT * FROM telemetry.deltas($1, $2);
END;
COMMENT ON FUNCTION telemetry.rollups(timestamptz, timestamptz) IS
    'Rollups of the fewest rows that cover a window of whole minutes, each event in exactly one of them';
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
               telemetry.bucket_start(1440, $2 - interval '1 microsecond') + interval '24 hours' AS past_last
    ), stored AS (
        SELECT 1 AS minutes, m.bucket, m.event_type, m.component, m.summary
        FROM days, telemetry.rollup_minute AS m WHERE m.bucket >= first AND m.bucket < past_last
        UNION ALL
        SELECT 60, h.bucket, h.event_type, h.component, h.summary
        FROM days, telemetry.rollup_hour AS h WHERE h.bucket >= first AND h.bucket < past_last
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
        FROM days, telemetry.event AS e WHERE e."timestamp" >= first AND e."timestamp" < past_last
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
    FROM expected AS e FULL JOIN found AS f USING (minutes, bucket, event_type, key)
    WHERE e.n IS DISTINCT FROM f.n
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
-- Questions. Their bodies are parsed when they are created, so no search_path can change what they mean.

CREATE FUNCTION telemetry.row_limit("limit" integer) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_row_limit';
COMMENT ON FUNCTION telemetry.row_limit(integer) IS 'Its argument, or an error unless it is between 1 and 1000000';

CREATE FUNCTION telemetry.reading_window(hours integer, as_of timestamptz,
                                         OUT window_start timestamptz, OUT window_end timestamptz)
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'telemetry_reading_window';
COMMENT ON FUNCTION telemetry.reading_window(integer, timestamptz) IS
    'The half-open window of the last hours before as_of, widened to whole minutes';

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

CREATE FUNCTION telemetry.get_telemetry_footprint() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH footprint (name, size_bytes, row_count, oldest_record) AS (
        VALUES ('system_telemetry',
                (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('telemetry.event'::regclass)),
                (SELECT count(*) FROM telemetry.event),
                (SELECT min("timestamp") FROM telemetry.event)),
               ('usage_stats',
                pg_total_relation_size('telemetry.usage_stats'::regclass),
                (SELECT count(*) FROM telemetry.usage_stats),
                (SELECT min("timestamp") FROM telemetry.usage_stats)),
               ('history',
                pg_total_relation_size('telemetry.history'::regclass),
                (SELECT count(*) FROM telemetry.history),
                (SELECT min("timestamp") FROM telemetry.history))
    )
    SELECT jsonb_build_object('table_sizes', jsonb_object_agg(name, size_bytes),
                              'row_counts', jsonb_object_agg(name, row_count),
                              'oldest_record', jsonb_object_agg(name, oldest_record),
                              'total_size_bytes', sum(size_bytes))
    FROM footprint;
END;
COMMENT ON FUNCTION telemetry.get_telemetry_footprint() IS
    'Bytes (heap, indexes, TOAST), rows and oldest record of system_telemetry, usage_stats and history';

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
