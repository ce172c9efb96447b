-- Rights for a purpose. They are granted by whoever calls these, who must be able to.

CREATE FUNCTION telemetry.grant_writer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_writer';
COMMENT ON FUNCTION telemetry.grant_writer(text) IS
    'Lets a role log by every function, by INSERT and COPY, and through the client; it sees the ids of what it logs and nothing else';

CREATE FUNCTION telemetry.grant_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_reader';
COMMENT ON FUNCTION telemetry.grant_reader(text) IS
    'Lets a role read everything but history, and ask every question; it can write nothing';

CREATE FUNCTION telemetry.grant_history_reader(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_history_reader';
COMMENT ON FUNCTION telemetry.grant_history_reader(text) IS
    'Lets a role read history, which holds text of people';

CREATE FUNCTION telemetry.grant_maintainer(role text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'telemetry_grant_maintainer';
COMMENT ON FUNCTION telemetry.grant_maintainer(text) IS
    'Lets a role call maintain() and apply_retention(), set how long rows stay, and see what maintenance did; it can neither read nor write events';
