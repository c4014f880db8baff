CREATE TABLE IF NOT EXISTS record.schools (
    school_id uuid PRIMARY KEY,
    opened_at timestamptz NOT NULL,
    next_position bigint NOT NULL DEFAULT 0,
    last_recorded_at timestamptz NOT NULL DEFAULT '-infinity',
    previous_recorded_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
GRANT SELECT ON record.schools TO astrack_service;
