-- a secret of each school, sealed with its key: without it a copy of the cards' verifiers cannot be tried out
CREATE TABLE IF NOT EXISTS record.peppers (
    school_id uuid PRIMARY KEY,
    sealed bytea NOT NULL
);
GRANT SELECT, INSERT ON record.peppers TO astrack_service;
