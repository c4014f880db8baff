CREATE TABLE IF NOT EXISTS record.sessions (
    school_id uuid NOT NULL,
    session_id uuid NOT NULL,
    account_id uuid NOT NULL,
    about uuid,
    kind text NOT NULL CHECK (kind IN ('staff', 'pupil', 'parent')),
    grant_id uuid,
    verifier bytea NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (school_id, session_id)
);
ALTER TABLE record.sessions ADD COLUMN IF NOT EXISTS proved_at timestamptz;
ALTER TABLE record.sessions ADD COLUMN IF NOT EXISTS seen_at timestamptz;
CREATE INDEX IF NOT EXISTS sessions_by_account ON record.sessions (school_id, account_id);
GRANT SELECT, INSERT, UPDATE (grant_id, proved_at, seen_at), DELETE ON record.sessions TO astrack_service;
