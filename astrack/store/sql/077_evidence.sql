-- mark: which stream of which other log this proves, under a key of the school: logs of two schools cannot be linked by it
CREATE TABLE IF NOT EXISTS record.evidence (
    school_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    mark bytea NOT NULL CHECK (length(mark) = 32),
    sealed bytea NOT NULL,
    PRIMARY KEY (school_id, stream_id, mark)
);
CREATE INDEX IF NOT EXISTS evidence_marks ON record.evidence (school_id, mark);
ALTER TABLE record.evidence ALTER COLUMN sealed SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, UPDATE ON record.evidence TO astrack_service;
