CREATE TABLE IF NOT EXISTS record.events (
    school_id uuid NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('event', 'import', 'export', 'erasure', 'heads')),
    topic text NOT NULL,
    recorded_at timestamptz,
    leaf bytea NOT NULL CHECK (length(leaf) = 32),
    state bytea NOT NULL,
    PRIMARY KEY (school_id, stream_id, version),
    UNIQUE (school_id, position)
);
-- ciphertext does not compress: trying costs time only
ALTER TABLE record.events ALTER COLUMN state SET STORAGE EXTERNAL;
GRANT SELECT ON record.events TO astrack_service;
