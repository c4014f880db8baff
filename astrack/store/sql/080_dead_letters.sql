CREATE TABLE IF NOT EXISTS record.dead_letters (
    school_id uuid NOT NULL,
    projection text NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (school_id, projection, position)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON record.dead_letters TO astrack_service;
