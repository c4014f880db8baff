CREATE TABLE IF NOT EXISTS record.answers (
    school_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) <= 200),
    request_hash bytea NOT NULL,
    stream_id uuid NOT NULL,
    sealed bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT answers_once PRIMARY KEY (school_id, actor_id, key)
);
GRANT SELECT, INSERT ON record.answers TO astrack_service;
