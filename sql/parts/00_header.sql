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
