CREATE TABLE IF NOT EXISTS record.pupils (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    journey_id uuid NOT NULL,
    identity_id uuid NOT NULL,
    safeguarding_id uuid NOT NULL,
    PRIMARY KEY (school_id, pupil_id)
);
GRANT SELECT, INSERT ON record.pupils TO astrack_service;
