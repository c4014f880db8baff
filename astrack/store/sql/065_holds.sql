-- pupils whose record must be kept for a court, an inquiry or a complaint: nothing of theirs is erased meanwhile
CREATE TABLE IF NOT EXISTS record.holds (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    held_since timestamptz NOT NULL,
    PRIMARY KEY (school_id, pupil_id)
);
GRANT SELECT, INSERT, DELETE ON record.holds TO astrack_service;
