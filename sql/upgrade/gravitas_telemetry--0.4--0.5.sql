-- Run by ALTER EXTENSION gravitas_telemetry UPDATE; not meant for psql.
\echo Use "ALTER EXTENSION gravitas_telemetry UPDATE TO '0.5'" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;
