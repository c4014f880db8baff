CREATE TABLE IF NOT EXISTS record.events (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    topic text NOT NULL,
    recorded_at timestamptz,
    leaf bytea NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (school_id, stream_id, version),
    UNIQUE (school_id, position)
);
-- kinds and leaves are checked by the only functions that write here: a CHECK is parsed anew for every insert
ALTER TABLE record.events DROP CONSTRAINT IF EXISTS events_kind_check, DROP CONSTRAINT IF EXISTS events_leaf_check;
-- ciphertext does not compress: trying costs time only
ALTER TABLE record.events ALTER COLUMN state SET STORAGE EXTERNAL;
-- a sitting is a little over 2 KB: moved out of line, each would cost a second look-up when the log is read through
ALTER TABLE record.events SET (toast_tuple_target = 8160);
GRANT SELECT ON record.events TO astrack_service;
