-- how many wrong sign-ins are left to a device, an address or a name, each known only by a keyed hash
CREATE TABLE IF NOT EXISTS record.tries (
    school_id uuid NOT NULL,
    name bytea NOT NULL CHECK (length(name) = 16),
    left_over double precision NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (school_id, name)
);
CREATE INDEX IF NOT EXISTS tries_by_age ON record.tries (school_id, at);
GRANT SELECT, INSERT, UPDATE (left_over, at), DELETE ON record.tries TO astrack_service;
