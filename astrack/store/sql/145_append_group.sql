-- what callers of several schools have waiting, in one transaction; each place is a position, or NULL where that school's
-- rows were left out: another writer holds the school's row, or one of them does not fit. They are then sent alone.
CREATE OR REPLACE FUNCTION record.append_group(
    p_schools uuid[], p_streams uuid[], p_versions bigint[], p_kinds text[], p_topics text[], p_times timestamptz[],
    p_states bytea[],
    p_rows int[], p_actors uuid[], p_keys text[], p_requests bytea[], p_under uuid[], p_answers bytea[]
) RETURNS bigint[] LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    places bigint[];
BEGIN
    IF record.school() IS NOT NULL THEN
        RAISE EXCEPTION 'a transaction bound to one school appends to that school alone' USING ERRCODE = 'AS005';
    END IF;
    IF NOT p_kinds <@ ARRAY['event', 'import', 'export', 'heads'] THEN
        RAISE EXCEPTION 'a kind is event, import, export or heads; an erasure is written by erase_stream alone'
            USING ERRCODE = 'AS005';
    END IF;
    PERFORM set_config('app.grouped', 'on', true);
    WITH asked AS MATERIALIZED (
        SELECT r.*, head.leaf, row_number() OVER (PARTITION BY r.s ORDER BY r.t, r.i) - 1 AS place,
            -- seen before the school's row is locked: what another wrote meanwhile has this version, and the key is unique
            coalesce(r.v = coalesce(head.version, -1) + 1 AND r.t IS NOT NULL, false)
                AND coalesce(head.kind, '') <> 'erasure' AS fits
        FROM unnest(p_schools, p_streams, p_versions, p_kinds, p_topics, p_times, p_states)
            WITH ORDINALITY AS r(s, st, v, k, tp, t, x, i)
        LEFT JOIN LATERAL (
            SELECT e.version, e.leaf, e.kind FROM record.events e
                WHERE e.school_id = r.s AND e.stream_id = r.st ORDER BY e.version DESC LIMIT 1
        ) head ON true
    ), fitting AS MATERIALIZED (
        SELECT a.s, count(*) AS n, min(a.t) AS since, max(a.t) AS until FROM asked a GROUP BY a.s
            HAVING bool_and(a.fits)
    ), placed AS (
        UPDATE record.schools s SET next_position = s.next_position + f.n, last_recorded_at = f.until
            FROM (SELECT f.* FROM fitting f WHERE pg_try_advisory_xact_lock(hashtextextended(f.s::text, 1))) f
            WHERE s.school_id = f.s AND s.last_recorded_at <= f.since
            RETURNING s.school_id, s.next_position - f.n AS first
    ), written AS (
        INSERT INTO record.events (school_id, position, stream_id, version, kind, topic, recorded_at, leaf, state)
            SELECT a.s, placed.first + a.place, a.st, a.v, a.k, a.tp, a.t,
                sha256('\x00'::bytea || convert_to(
                    'astrack/entry/v1' || E'\n' || a.k || E'\n' || encode(uuid_send(a.st), 'base64') || E'\n'
                    || a.v || E'\n'
                    || coalesce(encode(a.leaf, 'base64'), 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=') || E'\n'
                    || encode(substring(a.x FROM 1 FOR 32), 'base64') || E'\n', 'UTF8')),
                a.x
            FROM asked a JOIN placed ON placed.school_id = a.s
    )
    SELECT array_agg(placed.first + a.place ORDER BY a.i) INTO places
        FROM asked a LEFT JOIN placed ON placed.school_id = a.s;
    IF cardinality(p_rows) > 0 THEN
        INSERT INTO record.answers (school_id, actor_id, key, request_hash, stream_id, sealed)
            SELECT p_schools[g.r], g.a, g.k, g.h, g.u, g.x
            FROM unnest(p_rows, p_actors, p_keys, p_requests, p_under, p_answers) AS g(r, a, k, h, u, x)
            WHERE places[g.r] IS NOT NULL;
    END IF;
    PERFORM set_config('app.grouped', 'off', true);
    RETURN places;
END $$;
REVOKE ALL ON FUNCTION record.append_group(uuid[], uuid[], bigint[], text[], text[], timestamptz[], bytea[],
    int[], uuid[], text[], bytea[], uuid[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.append_group(uuid[], uuid[], bigint[], text[], text[], timestamptz[], bytea[],
    int[], uuid[], text[], bytea[], uuid[], bytea[]) TO astrack_service;
