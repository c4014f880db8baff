-- what somebody signs in with: never a fact, never in the clear
CREATE TABLE IF NOT EXISTS record.credentials (
    school_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    account_id uuid NOT NULL,
    about uuid,
    kind text NOT NULL CHECK (kind IN ('code', 'card', 'letter', 'key', 'password', 'oidc', 'client')),
    verifier bytea NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (school_id, credential_id)
);
ALTER TABLE record.credentials DROP CONSTRAINT IF EXISTS credentials_kind_check;
ALTER TABLE record.credentials ADD CONSTRAINT credentials_kind_check
    CHECK (kind IN ('code', 'card', 'letter', 'key', 'password', 'oidc', 'client'));
-- the actions a service's key is limited to, of those it was granted; null: all of these
ALTER TABLE record.credentials ADD COLUMN IF NOT EXISTS only_actions text[];
CREATE INDEX IF NOT EXISTS credentials_by_account ON record.credentials (school_id, account_id);
GRANT SELECT, INSERT, UPDATE (used_at, verifier), DELETE ON record.credentials TO astrack_service;
