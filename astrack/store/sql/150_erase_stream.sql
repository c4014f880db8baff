CREATE OR REPLACE FUNCTION record.erase_stream(
    p_school uuid, p_stream uuid, p_version bigint, p_topic text, p_at timestamptz, p_state bytea
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place bigint;
    pupil uuid;
BEGIN
    IF p_stream = p_school THEN
        RAISE EXCEPTION 'the key of the school itself is not erased stream by stream' USING ERRCODE = 'AS005';
    END IF;
    SELECT s.pupil_id INTO pupil FROM record.streams s WHERE s.school_id = p_school AND s.stream_id = p_stream;
    IF EXISTS (SELECT FROM record.holds h WHERE h.school_id = p_school AND h.pupil_id = pupil) THEN
        RAISE EXCEPTION 'stream % belongs to a pupil whose record is under a legal hold', p_stream USING ERRCODE = 'AS006';
    END IF;
    place := record.write(p_school, ARRAY[p_stream], ARRAY[p_version], ARRAY['erasure'], ARRAY[p_topic],
                          ARRAY[p_at], ARRAY[p_state]);
    UPDATE record.events SET state = substring(state FROM 1 FOR 32), topic = '', recorded_at = NULL
        WHERE school_id = p_school AND stream_id = p_stream AND version < p_version;
    DELETE FROM keys.stream_keys WHERE school_id = p_school AND stream_id = p_stream;
    INSERT INTO keys.erasures VALUES (p_school, p_stream, p_version, p_topic, p_at, p_state)
        ON CONFLICT (school_id, stream_id) DO UPDATE SET version = EXCLUDED.version, topic = EXCLUDED.topic,
            recorded_at = EXCLUDED.recorded_at, state = EXCLUDED.state;
    DELETE FROM record.drafts WHERE school_id = p_school AND stream_id = p_stream;
    DELETE FROM record.dead_letters WHERE school_id = p_school AND stream_id = p_stream;
    DELETE FROM record.answers WHERE school_id = p_school AND stream_id = p_stream;
    DELETE FROM record.evidence WHERE school_id = p_school AND stream_id = p_stream;
    UPDATE record.transfers SET sealed = '', file = NULL WHERE school_id = p_school AND stream_id = p_stream;
    DELETE FROM record.credentials WHERE school_id = p_school AND account_id = p_stream;
    DELETE FROM record.sessions WHERE school_id = p_school AND account_id = p_stream;
    DELETE FROM record.factors WHERE school_id = p_school AND account_id = p_stream;
    DELETE FROM record.streams WHERE school_id = p_school AND stream_id = p_stream;
    IF pupil IS NOT NULL THEN
        DELETE FROM record.credentials WHERE school_id = p_school AND pupil IN (account_id, about);
        DELETE FROM record.sessions WHERE school_id = p_school AND pupil IN (account_id, about);
        DELETE FROM record.pupils WHERE school_id = p_school AND pupil_id = pupil AND journey_id = p_stream;
        UPDATE record.pupils SET
            identity_id = CASE identity_id WHEN p_stream THEN gen_random_uuid() ELSE identity_id END,
            safeguarding_id = CASE safeguarding_id WHEN p_stream THEN gen_random_uuid() ELSE safeguarding_id END
            WHERE school_id = p_school AND pupil_id = pupil AND p_stream IN (identity_id, safeguarding_id);
        PERFORM views.forget(p_school, pupil, EXISTS (
            SELECT 1 FROM record.pupils p WHERE p.school_id = p_school AND p.pupil_id = pupil));
    END IF;
    RETURN place;
END $$;
REVOKE ALL ON FUNCTION record.erase_stream(uuid, uuid, bigint, text, timestamptz, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.erase_stream(uuid, uuid, bigint, text, timestamptz, bytea) TO astrack_service;
