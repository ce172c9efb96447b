-- Run by CREATE EXTENSION; not meant for psql.
\echo Use "CREATE EXTENSION gravitas_telemetry" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- In the extension, so that it owns it and nobody can have put anything into it before.
CREATE SCHEMA telemetry;
COMMENT ON SCHEMA telemetry IS 'Gravitas Telemetry: how long language models take to load and to answer';
