-- Nothing for PUBLIC, not even what only computes: so one sentence says it, and grant_reader() gives the rest. Types stay
-- usable, since a type holds no data.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA telemetry FROM PUBLIC;
