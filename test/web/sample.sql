-- 60 days of 20 models, with loads, first tokens, failures and two GPUs; the same figures every time, but for now().
SELECT telemetry.ensure_partitions((now() - interval '61 days')::date, (now() + interval '2 days')::date);

CREATE TEMP TABLE model AS
SELECT m, (ARRAY['llama3.1:8b', 'llama3.1:70b', 'gemma2:9b', 'gemma2:27b', 'qwen2.5:7b', 'qwen2.5:32b', 'qwen2.5:72b',
                 'mistral-nemo:12b', 'mixtral:8x7b', 'phi3:14b', 'phi3.5:3.8b', 'deepseek-r1:14b', 'deepseek-r1:70b',
                 'command-r:35b', 'codestral:22b', 'granite3:8b', 'smollm2:1.7b', 'olmo2:13b', 'yi:34b', 'nemotron:70b'])[m] AS name,
       (ARRAY[9, 52, 10, 27, 8, 33, 58, 14, 24, 17, 6, 19, 61, 36, 25, 11, 3, 16, 38, 66])[m]::double precision AS ms
FROM generate_series(1, 20) AS m;

-- The same noise every time, 0 to 1.
CREATE FUNCTION pg_temp.noise(a integer, b integer) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN ((hashint4(a * 7919 + b * 104729) & 65535) / 65535.0);

-- Inferences: a wave over the day, one model that got slower an hour ago, one that fails often.
INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, duration_ms, first_token_ms, prompt_tokens, tokens_generated, status)
SELECT at, 'THOUGHT_LATENCY', name,
       tokens * ms * (0.92 + 0.1 * sin(extract(epoch FROM at) / 13751 + m) + 0.16 * pg_temp.noise(n, m))
           * CASE WHEN m = 8 AND at > now() - interval '1 hour' THEN 1.6 ELSE 1 END,
       ms * (7 + 5 * pg_temp.noise(m, n)), 100 + n * 37 % 900, tokens,
       CASE WHEN pg_temp.noise(n, -m) < CASE m WHEN 14 THEN 0.11 ELSE 0.006 END THEN 'ERROR' ELSE 'OK' END
FROM (SELECT n, now() - n * interval '10 minutes' AS at, 1 AS share FROM generate_series(7, 6 * 24 * 60 - 1) AS n
      UNION ALL
      SELECT n, now() - n * interval '1 minute', 10 FROM generate_series(0, 59) AS n) AS t,
     model, LATERAL (SELECT ((400 + 500 * pg_temp.noise(n, m + 50)) * (1.3 + sin(extract(epoch FROM at) / 13751)) / share)::integer + 1 AS tokens) AS size
WHERE n % 2 = 0 OR m < 12;

INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value, duration_ms, status)
SELECT now() - n * interval '3 hours' - m * interval '61 seconds', 'LOAD_LATENCY', name, s, s * 1000,
       CASE WHEN (n + m) % 37 = 0 THEN 'FAILED' ELSE 'OK' END
FROM generate_series(0, 8 * 60 - 1) AS n, model, LATERAL (SELECT ms / 4 * (1 + 0.8 * pg_temp.noise(n, m)) AS s) AS load;

INSERT INTO telemetry.system_telemetry ("timestamp", event_type, component, value)
SELECT now() - n * interval '5 minutes', 'VRAM_CHECK', 'GPU ' || gpu,
       24576 - 9000 - 5600 * (1 + sin(n / 40.0 + gpu * 2)) - 900 * pg_temp.noise(n, gpu)
FROM generate_series(0, 12 * 24 * 60 - 1) AS n, generate_series(0, 1) AS gpu;

SELECT telemetry.compact();
SELECT rule, subject FROM telemetry.check_alerts();
