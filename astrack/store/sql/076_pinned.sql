CREATE TABLE IF NOT EXISTS record.pinned (
    school_id uuid NOT NULL,
    origin text NOT NULL CHECK (length(origin) <= 255),
    serial bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (school_id, origin)
);
GRANT SELECT, INSERT, UPDATE ON record.pinned TO astrack_service;
