CREATE OR REPLACE FUNCTION record.write(
    p_school uuid, p_streams uuid[], p_versions bigint[], p_kinds text[], p_topics text[],
    p_times timestamptz[], p_states bytea[]
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first bigint;
    last_at timestamptz;
    now_at timestamptz;
    n int := cardinality(p_streams);
    r record;
    stream uuid;
    leaves bytea[] := '{}';
    times timestamptz[] := '{}';
    state_leaf bytea;
    last_version bigint;
    last_kind text;
BEGIN
    -- row-level security says so too, but for what opens the tables to a group
    IF p_school IS DISTINCT FROM record.school() THEN
        RAISE EXCEPTION 'school % has no log here', p_school USING ERRCODE = 'AS001';
    END IF;
    -- every writer of a school takes this first, so that a group need not wait to see whether its row is free
    PERFORM pg_advisory_xact_lock(hashtextextended(p_school::text, 1));
    -- locks the school's row, and learns what it held, in one statement
    UPDATE record.schools s SET next_position = s.next_position + n, previous_recorded_at = s.last_recorded_at,
        last_recorded_at = coalesce(p_times[n], greatest(clock_timestamp(), s.last_recorded_at))
        WHERE s.school_id = p_school
        RETURNING s.next_position - n, s.previous_recorded_at, s.last_recorded_at INTO first, last_at, now_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'school % has no log here', p_school USING ERRCODE = 'AS001';
    END IF;
    FOR r IN
        SELECT * FROM unnest(p_streams, p_versions, p_kinds, p_times, p_states) AS u(s, v, k, t, st)
    LOOP
        IF stream IS DISTINCT FROM r.s THEN
            stream := r.s;
            SELECT e.version, e.leaf, e.kind INTO last_version, state_leaf, last_kind FROM record.events e
                WHERE e.school_id = p_school AND e.stream_id = stream ORDER BY e.version DESC LIMIT 1;
            IF NOT FOUND THEN
                last_version := -1;
                state_leaf := decode(repeat('00', 32), 'hex');
                last_kind := '';
            END IF;
        END IF;
        IF last_kind = 'erasure' THEN
            RAISE EXCEPTION 'stream % has been erased', stream USING ERRCODE = 'AS004';
        END IF;
        IF r.v <> last_version + 1 THEN
            RAISE EXCEPTION 'stream % is at version %, not %', stream, last_version, r.v - 1 USING ERRCODE = 'AS002';
        END IF;
        r.t := coalesce(r.t, now_at);
        IF r.t < last_at THEN
            RAISE EXCEPTION 'recorded_at is below the last of the school'
                USING ERRCODE = 'AS003', DETAIL = to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"');
        END IF;
        -- spelt out here: a call of an SQL function costs more than all the rest
        state_leaf := sha256('\x00'::bytea || convert_to(
            'astrack/entry/v1' || E'\n' || r.k || E'\n' || encode(uuid_send(stream), 'base64') || E'\n' || r.v || E'\n'
            || encode(state_leaf, 'base64') || E'\n' || encode(substring(r.st FROM 1 FOR 32), 'base64') || E'\n', 'UTF8'));
        leaves := leaves || state_leaf;
        times := times || r.t;
        last_at := r.t;
        last_version := r.v;
        last_kind := r.k;
    END LOOP;
    INSERT INTO record.events (school_id, position, stream_id, version, kind, topic, recorded_at, leaf, state)
        SELECT p_school, first + u.i - 1, u.s, u.v, u.k, u.tp, u.t, u.l, u.st
        FROM unnest(p_streams, p_versions, p_kinds, p_topics, times, leaves, p_states)
            WITH ORDINALITY AS u(s, v, k, tp, t, l, st, i);
    RETURN first;
END $$;
REVOKE ALL ON FUNCTION record.write(uuid, uuid[], bigint[], text[], text[], timestamptz[], bytea[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION record.append(
    p_school uuid, p_streams uuid[], p_versions bigint[], p_kinds text[], p_topics text[],
    p_times timestamptz[], p_states bytea[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT p_kinds <@ ARRAY['event', 'import', 'export', 'heads'] THEN
        RAISE EXCEPTION 'a kind is event, import, export or heads; an erasure is written by erase_stream alone'
            USING ERRCODE = 'AS005';
    END IF;
    RETURN record.write(p_school, p_streams, p_versions, p_kinds, p_topics, p_times, p_states);
END $$;
REVOKE ALL ON FUNCTION record.append(uuid, uuid[], bigint[], text[], text[], timestamptz[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.append(uuid, uuid[], bigint[], text[], text[], timestamptz[], bytea[])
    TO astrack_service;

-- the same for one event, in one statement: most appends are of one, and each statement costs as much as the insert
CREATE OR REPLACE FUNCTION record.append_one(
    p_school uuid, p_stream uuid, p_version bigint, p_kind text, p_topic text, p_time timestamptz, p_state bytea
) RETURNS bigint LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place bigint;
BEGIN
    IF p_kind NOT IN ('event', 'import', 'export', 'heads') THEN
        RAISE EXCEPTION 'a kind is event, import, export or heads; an erasure is written by erase_stream alone'
            USING ERRCODE = 'AS005';
    END IF;
    IF p_school IS DISTINCT FROM record.school() THEN
        RAISE EXCEPTION 'school % has no log here', p_school USING ERRCODE = 'AS001';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(p_school::text, 1));
    WITH placed AS (
        UPDATE record.schools s SET next_position = s.next_position + 1, last_recorded_at = p_time
            WHERE s.school_id = p_school AND s.last_recorded_at <= p_time
            RETURNING s.next_position - 1 AS position
    ), head AS (
        SELECT e.version, e.leaf, e.kind FROM record.events e
            WHERE e.school_id = p_school AND e.stream_id = p_stream ORDER BY e.version DESC LIMIT 1
    )
    INSERT INTO record.events (school_id, position, stream_id, version, kind, topic, recorded_at, leaf, state)
        SELECT p_school, placed.position, p_stream, p_version, p_kind, p_topic, p_time,
            sha256('\x00'::bytea || convert_to(
                'astrack/entry/v1' || E'\n' || p_kind || E'\n' || encode(uuid_send(p_stream), 'base64') || E'\n'
                || p_version || E'\n'
                || coalesce(encode(head.leaf, 'base64'), 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=') || E'\n'
                || encode(substring(p_state FROM 1 FOR 32), 'base64') || E'\n', 'UTF8')),
            p_state
        FROM placed LEFT JOIN head ON true
        WHERE p_version = coalesce(head.version, -1) + 1 AND coalesce(head.kind, '') <> 'erasure'
        RETURNING position INTO place;
    IF place IS NULL THEN
        -- refused: the loop says by what. Where it finds nothing, another writer came between: that is a clash
        PERFORM record.write(p_school, ARRAY[p_stream], ARRAY[p_version], ARRAY[p_kind], ARRAY[p_topic],
                             ARRAY[p_time], ARRAY[p_state]);
        RAISE EXCEPTION 'stream % was just written to', p_stream USING ERRCODE = 'AS002';
    END IF;
    RETURN place;
END $$;
REVOKE ALL ON FUNCTION record.append_one(uuid, uuid, bigint, text, text, timestamptz, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.append_one(uuid, uuid, bigint, text, text, timestamptz, bytea) TO astrack_service;
