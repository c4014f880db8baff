-- second factors and what proves them: sealed with the school's key, never in the clear
CREATE TABLE IF NOT EXISTS record.factors (
    school_id uuid NOT NULL,
    factor_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('totp', 'passkey', 'recovery', 'challenge')),
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    PRIMARY KEY (school_id, factor_id)
);
CREATE INDEX IF NOT EXISTS factors_by_account ON record.factors (school_id, account_id);
GRANT SELECT, INSERT, UPDATE (sealed, confirmed_at), DELETE ON record.factors TO astrack_service;
