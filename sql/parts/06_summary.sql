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
