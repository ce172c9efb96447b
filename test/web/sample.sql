-- 60 days of 20 models, with loads, first tokens, failures and two GPUs; the same figures every time, but for now().
SELECT telemetry.ensure_partitions((now() - interval '61 days')::date, (now() + interval '2 days')::date);

CREATE TEMP TABLE model AS
SELECT m, (ARRAY['llama3.1:8b', 'llama3.1:70b', 'gemma2:9b', 'gemma2:27b', 'qwen2.5:7b', 'qwen2.5:32b', 'qwen2.5:72b',
                 'mistral-nemo:12b', 'mixtral:8x7b', 'phi3:14b', 'phi3.5:3.8b', 'deepseek-r1:14b', 'deepseek-r1:70b',
                 'command-r:35b', 'codestral:22b', 'granite3:8b', 'smollm2:1.7b', 'olmo2:13b', 'yi:34b', 'nemotron:70b'])[m] AS name,
       (ARRAY[9, 52, 10, 27, 8, 33, 58, 14, 24, 17, 6, 19, 61, 36, 25, 11, 3, 16, 38, 66])[m]::double precision AS ms
FROM generate_series(1, 20) AS m;

-- Inferences: a wave over the day, one model that got slower a week ago, one that fails often.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, first_token_ms, prompt_tokens, tokens_generated, status)
SELECT t.at - m * interval '7 seconds', 'THOUGHT_LATENCY', name,
       tokens * ms * (1 + 0.15 * sin(extract(epoch FROM t.at) / 13751 + m) + 0.1 * (t.n * 7 % 11) / 11)
           * CASE WHEN m = 8 AND t.at > now() - interval '7 days' THEN 1.35 ELSE 1 END,
       ms * (8 + t.n * 5 % 9), 100 + t.n * 37 % 900, tokens,
       CASE WHEN t.n % CASE m WHEN 14 THEN 9 ELSE 150 END = 0 THEN 'ERROR' ELSE 'OK' END
FROM (SELECT n, now() - n * interval '10 minutes' AS at FROM generate_series(0, 6 * 24 * 60 - 1) AS n
      UNION ALL
      SELECT n, now() - n * interval '1 minute' FROM generate_series(0, 59) AS n) AS t,
     model, LATERAL (SELECT 60 + (t.n * 13 + m * 29) % 240 AS tokens) AS size
WHERE t.n % 2 = 0 OR m < 12;

INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, status)
SELECT now() - n * interval '3 hours' - m * interval '61 seconds', 'LOAD_LATENCY', name, s, s * 1000,
       CASE WHEN (n + m) % 37 = 0 THEN 'FAILED' ELSE 'OK' END
FROM generate_series(0, 8 * 60 - 1) AS n, model, LATERAL (SELECT ms / 4 * (1 + 0.2 * ((n * 3 + m) % 7)) AS s) AS load;

INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
SELECT now() - n * interval '10 minutes', 'VRAM_CHECK', 'GPU ' || gpu,
       24576 - 9000 - 6000 * (1 + sin(n / 20.0 + gpu * 2)) - (n * 7 % 5) * 150
FROM generate_series(0, 6 * 24 * 60 - 1) AS n, generate_series(0, 1) AS gpu;

SELECT telemetry.compact();
