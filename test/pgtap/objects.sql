-- What CREATE EXTENSION makes: complete, commented, closed to PUBLIC, safe from anybody's search_path.
BEGIN;
SELECT plan(20);

SELECT has_schema('telemetry');
SELECT tables_are('telemetry', ARRAY[
    'event', 'event_default', 'usage_stats', 'history', 'retention_policy', 'rollup_delta', 'rollup_minute', 'rollup_hour',
    'rollup_day', 'compaction', 'compaction_lock', 'producer', 'retention_horizon', 'retention_delay', 'partition_size',
    'maintenance_log', 'maintenance_lock', 'maintenance_state', 'alert_rule', 'alert_firing', 'alert_log', 'alert_lock']);
SELECT views_are('telemetry', ARRAY['system_telemetry', 'footprint', 'alerts', 'status']);
SELECT functions_are('telemetry', ARRAY[
    'log', 'log_load_latency', 'log_thought_latency', 'log_usage', 'log_history', 'start_timer', 'measure_latency',
    'get_recent_events', 'get_aggregated_efficiency', 'get_60day_statistics', 'get_telemetry_footprint',
    'ensure_partitions', 'retention_keep', 'event_metadata', 'system_telemetry_write', 'row_limit', 'reading_window',
    'is_error_status', 'id_to_generate', 'ingest', 'log_batch',
    -- the sketch
    'exponential_histogram', 'sketch', 'sketch_add', 'sketch_eq', 'sketch_hash', 'sketch_in', 'sketch_merge_step',
    'sketch_ne', 'sketch_out', 'sketch_recv', 'sketch_send', 'sketch_step', 'sketch_final', 'value_count',
    -- the summary
    'best_score', 'figures', 'decode_ms_per_token', 'error_count', 'error_rate', 'event_count', 'first_at', 'jsonb', 'last_at',
    'max_value', 'mean', 'mean_score', 'measurement_count', 'merge', 'min_value', 'ms_per_token', 'percentile',
    'percentile_rank', 'percentiles', 'prompt_tokens', 'standard_deviation', 'summarize', 'summarize_step', 'summary',
    'summary_add', 'summary_eq', 'summary_final', 'summary_hash', 'summary_in', 'summary_merge_step', 'summary_ne', 'summary_out',
    'summary_recv', 'summary_send', 'tokens_per_second', 'total', 'total_tokens', 'unscored_count', 'worst_score',
    -- rollups
    'bucket_start', 'check_rollups', 'compact', 'compaction_mark', 'rebuild_rollups', 'recent_events_of', 'rollup_key',
    'rollups', 'window_levels', 'efficiency_trend', 'trend_step', 'deltas', 'series_figures',
    'series_rows', 'get_series', 'events_where', 'get_events',
    -- footprint, alerts, status, rights
    'footprint', 'mann_whitney', 'alert_defaults', 'alert_rules', 'alert_measurements', 'efficiency_measurements',
    'error_measurements', 'upkeep_measurements', 'check_alerts', 'set_alert', 'maintenance_status',
    'partition_status', 'producer_status', 'worker_status', 'workers', 'status', 'grant_writer', 'grant_reader', 'grant_history_reader',
    -- retention and maintenance
    'apply_retention', 'event_partitions', 'expired_before', 'grant_maintainer', 'maintain', 'missing_days', 'prove_rollups',
    'readable_window', 'retention_cutoff', 'retention_plan', 'set_retention',
    -- efficiency()
    'efficiency', 'efficiency_combine', 'efficiency_final', 'efficiency_inverse', 'efficiency_step']);
SELECT is((SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'gravitas_telemetry'), 'pg_catalog',
          'the extension needs no schema of the user''s');

-- Members of the extension, as pg_describe_object names them.
CREATE TEMP VIEW member AS
    SELECT classid, objid, objsubid, pg_describe_object(classid, objid, objsubid) AS name
    FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
                     AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'gravitas_telemetry');
SELECT is_empty($$
    SELECT name FROM member
    WHERE obj_description(objid, classid::regclass::text) IS NULL
      AND name !~ '^type telemetry\.(event|event_default|producer|usage_stats|history|retention_\w+|partition_size|maintenance_\w+|system_telemetry|rollup_\w+|compaction\w*|alert_\w+|footprint|alerts|status)(\[\])?$'
      AND name !~ '^type .*\[\]$'
      AND classid NOT IN ('pg_rewrite'::regclass, 'pg_default_acl'::regclass)
    $$, 'every object has a comment');
SELECT is_empty($$
    SELECT c.oid::regclass, a.attname FROM member JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relkind IN ('r', 'p', 'v') AND c.relname <> 'event_default' AND col_description(c.oid, a.attnum) IS NULL
    $$, 'every column has a comment');

-- PUBLIC.
SELECT ok(NOT has_schema_privilege('pg_monitor', 'telemetry', 'USAGE'), 'PUBLIC cannot even look into the schema');
SELECT is_empty($$
    SELECT relname FROM pg_class, aclexplode(relacl) AS acl
    WHERE relnamespace = 'telemetry'::regnamespace AND acl.grantee = 0
    $$, 'PUBLIC has no right on any table');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE pronamespace = 'telemetry'::regnamespace AND proname IN ('maintain', 'apply_retention')
      AND has_function_privilege('pg_monitor', oid, 'EXECUTE')
    $$, 'PUBLIC cannot maintain');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE pronamespace = 'telemetry'::regnamespace AND prokind = 'p' AND proconfig IS NOT NULL
    $$, 'procedures that commit have no settings of their own');

-- Every function says what the planner may do with it, and none depends on the caller's search_path.
SELECT is_empty($$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'telemetry'::regnamespace AND prosecdef
    $$, 'nothing runs with the rights of the owner');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_language AS l ON l.oid = prolang
    WHERE pronamespace = 'telemetry'::regnamespace AND l.lanname = 'sql' AND prosqlbody IS NULL
    $$, 'SQL functions are parsed when they are created');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE pronamespace = 'telemetry'::regnamespace AND proname ~ '^get_' AND (provolatile <> 's' OR proparallel = 'u')
    $$, 'questions are STABLE and fit for parallel plans');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_language AS l ON l.oid = prolang
    WHERE pronamespace = 'telemetry'::regnamespace AND l.lanname = 'c' AND proname ~ '^(sketch|summary|summarize|efficiency)(_|$)'
      AND (provolatile <> 'i' OR proparallel <> 's')
    $$, 'what computes is IMMUTABLE and fit for parallel plans');
SELECT is_empty($$
    SELECT aggfnoid::regprocedure FROM pg_aggregate JOIN pg_proc AS p ON p.oid = aggfnoid
    WHERE pronamespace = 'telemetry'::regnamespace
      AND (aggtranstype = 'internal'::regtype OR aggcombinefn = 0 OR aggserialfn <> 0 OR proparallel <> 's')
    $$, 'aggregates have the stored type as their state and combine');
SELECT ok((SELECT aggminvtransfn <> 0 FROM pg_aggregate WHERE aggfnoid = 'telemetry.efficiency'::regproc),
          'efficiency() slides in window frames');

-- Rollups.
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.oid IN ('telemetry.rollup_minute'::regclass, 'telemetry.rollup_hour'::regclass, 'telemetry.rollup_day'::regclass)
      AND ('toast_tuple_target=8160' = ANY (reloptions)) IS NOT TRUE
    $$, 'summaries stay in line');
SELECT set_eq($$
    SELECT c.relname::text FROM pg_extension, unnest(extconfig) AS d (oid) JOIN pg_class AS c USING (oid)
    WHERE extname = 'gravitas_telemetry' AND c.relname ~ '^(rollup|compaction)'
    $$, ARRAY['rollup_delta', 'rollup_minute', 'rollup_hour', 'rollup_day'], 'rollups and deltas are dumped, the mark is not');

SELECT set_eq($$
    SELECT c.relname::text FROM pg_extension, unnest(extconfig) AS d (oid) JOIN pg_class AS c USING (oid)
    WHERE extname = 'gravitas_telemetry' AND c.relname ~ '^(retention|maintenance|partition_size)'
    $$, ARRAY['retention_policy', 'retention_horizon'], 'what rollups lack is dumped, what was done here is not');

SELECT * FROM finish();
ROLLBACK;
