CREATE OR REPLACE FUNCTION record.leaf(kind text, stream uuid, version bigint, prev bytea, commitment bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256('\x00'::bytea || convert_to(
        'astrack/entry/v1' || E'\n' || kind || E'\n' || encode(uuid_send(stream), 'base64') || E'\n' || version || E'\n'
        || encode(prev, 'base64') || E'\n' || encode(commitment, 'base64') || E'\n', 'UTF8'))
$$;
