-- up to where in the school's log each address has been told of
CREATE TABLE IF NOT EXISTS record.webhooks (
    school_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (school_id, webhook_id)
);
GRANT SELECT, INSERT, UPDATE (position), DELETE ON record.webhooks TO astrack_service;
CREATE TABLE IF NOT EXISTS record.deliveries (
    school_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    position bigint NOT NULL,
    topic text NOT NULL,
    recorded_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    said text NOT NULL DEFAULT '' CHECK (length(said) <= 200),
    PRIMARY KEY (school_id, webhook_id, position)
);
CREATE INDEX IF NOT EXISTS deliveries_due ON record.deliveries (school_id, next_at) WHERE state = 'waiting';
GRANT SELECT, INSERT, UPDATE (state, tries, next_at, said), DELETE ON record.deliveries TO astrack_service;
