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
    CONSTRAINT stream_keys_once PRIMARY KEY (school_id, stream_id, generation)
);
GRANT SELECT, INSERT, UPDATE (wrapped), DELETE ON keys.school_keys TO astrack_service;
GRANT SELECT, INSERT, UPDATE (wrapped, school_generation) ON keys.stream_keys TO astrack_service;
