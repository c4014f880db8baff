CREATE TABLE IF NOT EXISTS record.streams (
    school_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    pupil_id uuid,
    PRIMARY KEY (school_id, stream_id)
);
CREATE INDEX IF NOT EXISTS streams_of_pupil ON record.streams (school_id, pupil_id) WHERE pupil_id IS NOT NULL;
GRANT SELECT, INSERT ON record.streams TO astrack_service;
