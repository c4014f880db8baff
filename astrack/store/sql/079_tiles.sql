CREATE TABLE IF NOT EXISTS record.tiles (
    school_id uuid NOT NULL,
    level int NOT NULL,
    place bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (school_id, level, place)
);
ALTER TABLE record.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, UPDATE ON record.tiles TO astrack_service;
