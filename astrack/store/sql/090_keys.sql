CREATE TABLE IF NOT EXISTS keys.school_keys (
    school_id uuid NOT NULL,
    generation int NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (school_id, generation)
);
CREATE TABLE IF NOT EXISTS keys.stream_keys (
    school_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    class smallint NOT NULL CHECK (class BETWEEN 1 AND 5),
    generation int NOT NULL,
    school_generation int NOT NULL,
    wrapped bytea NOT NULL,
    CONSTRAINT stream_keys_once PRIMARY KEY (school_id, stream_id, generation),
    -- a school's key is destroyed only when nothing is wrapped under it any more, whoever writes meanwhile
    CONSTRAINT stream_keys_under FOREIGN KEY (school_id, school_generation) REFERENCES keys.school_keys
);
-- kept with the keys and so restored with them: a backup of the record from before an erasure is erased again
CREATE TABLE IF NOT EXISTS keys.erasures (
    school_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (school_id, stream_id)
);
GRANT SELECT ON keys.erasures TO astrack_service;
GRANT SELECT, INSERT, UPDATE (wrapped), DELETE ON keys.school_keys TO astrack_service;
GRANT SELECT, INSERT, UPDATE (wrapped, school_generation) ON keys.stream_keys TO astrack_service;
