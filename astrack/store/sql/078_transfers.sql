CREATE TABLE IF NOT EXISTS record.transfers (
    school_id uuid NOT NULL,
    direction text NOT NULL CHECK (direction IN ('out', 'in')),
    transfer_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('prepared', 'sent', 'collected', 'acknowledged', 'rejected', 'expired',
                                         'withdrawn', 'recalled', 'disputed', 'received', 'refused')),
    at timestamptz NOT NULL,
    sealed bytea NOT NULL,
    file bytea,
    receipt bytea,
    CONSTRAINT transfers_once PRIMARY KEY (school_id, direction, transfer_id)
);
CREATE INDEX IF NOT EXISTS transfers_streams ON record.transfers (school_id, stream_id);
ALTER TABLE record.transfers ALTER COLUMN file SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, UPDATE ON record.transfers TO astrack_service;
