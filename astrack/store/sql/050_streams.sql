CREATE TABLE IF NOT EXISTS record.streams (
    school_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    pupil_id uuid,
    PRIMARY KEY (school_id, stream_id)
);
GRANT SELECT, INSERT ON record.streams TO astrack_service;
