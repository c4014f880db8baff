CREATE TABLE IF NOT EXISTS record.vault (
    school_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) <= 100),
    sealed bytea NOT NULL,
    kept_at timestamptz NOT NULL,
    CONSTRAINT vault_once PRIMARY KEY (school_id, name)
);
GRANT SELECT, INSERT ON record.vault TO astrack_service;
