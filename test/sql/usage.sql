-- Token usage and conversation history.
DROP EXTENSION gravitas_telemetry;
CREATE EXTENSION gravitas_telemetry;
SELECT telemetry.log_usage('gemma', 'planner', 12, 34, 56.5) AS id;
SELECT telemetry.log_usage('gemma', NULL, NULL, NULL, NULL) AS id;
SELECT id, "timestamp" <= clock_timestamp() AS stamped, model, layer, prompt_tokens, completion_tokens, duration_ms
FROM telemetry.usage_stats ORDER BY id;
SELECT telemetry.log_usage('', 'planner', 1, 1, 1);
SELECT telemetry.log_usage(NULL, 'planner', 1, 1, 1);
SELECT telemetry.log_usage('gemma', 'planner', -1, 1, 1);
SELECT telemetry.log_usage('gemma', 'planner', 1, -1, 1);
SELECT telemetry.log_usage('gemma', 'planner', 1, 1, 'NaN');
SELECT telemetry.log_usage('gemma', 'planner', 1, 1, -1);

SELECT telemetry.log_history('user', 'Wer bist du?', 'ghost-1', 'shell-1') AS id;
SELECT telemetry.log_history('assistant', '') AS id;
SELECT id, "timestamp" <= clock_timestamp() AS stamped, role, content, ghost_id, shell_id FROM telemetry.history ORDER BY id;
SELECT telemetry.log_history('', 'x');
SELECT telemetry.log_history(NULL, 'x');
SELECT telemetry.log_history('user', NULL);
