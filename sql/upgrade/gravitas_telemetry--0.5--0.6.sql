-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.6'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Nothing for PUBLIC.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
