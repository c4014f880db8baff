CREATE TABLE IF NOT EXISTS record.drafts (
    school_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (school_id, draft_id)
);
CREATE INDEX IF NOT EXISTS drafts_of_stream ON record.drafts (school_id, stream_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON record.drafts TO astrack_service;
