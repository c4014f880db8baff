CREATE TABLE IF NOT EXISTS views.positions (
    school_id uuid NOT NULL,
    projection text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (school_id, projection)
);

-- facts a read model could not take: the row of that pupil is behind until they are taken after all
CREATE TABLE IF NOT EXISTS views.behind (
    school_id uuid NOT NULL,
    projection text NOT NULL,
    position bigint NOT NULL,
    pupil_id uuid,
    PRIMARY KEY (school_id, projection, position)
);
CREATE INDEX IF NOT EXISTS behind_pupil ON views.behind (school_id, pupil_id);

-- pupils of whom part of the record was erased: all rows of theirs went, those of the rest are to be made again
CREATE TABLE IF NOT EXISTS views.anew (
    school_id uuid NOT NULL,
    pupil_id uuid NOT NULL,
    mark uuid NOT NULL DEFAULT gen_random_uuid(),
    PRIMARY KEY (school_id, pupil_id)
);

-- every table of the views is guarded as the record is, also those that projections make later; one that is being
-- loaded (its name ends in __next) is guarded when it takes its place: COPY is refused on guarded tables
CREATE OR REPLACE FUNCTION views.protect() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t regclass;
BEGIN
    FOR t IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'school_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'views'::regnamespace AND c.relkind = 'r' AND NOT c.relforcerowsecurity
            AND c.relname !~ '__next$'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('DROP POLICY IF EXISTS own_school ON %s', t);
        EXECUTE format('CREATE POLICY own_school ON %s USING (school_id = record.school())', t);
    END LOOP;
END $$;
SELECT views.protect();

DROP FUNCTION IF EXISTS views.forget(uuid, uuid);
CREATE OR REPLACE FUNCTION views.forget(p_school uuid, p_pupil uuid, p_stays boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t regclass;
BEGIN
    -- whoever is writing rows of this school, from facts read before the erasure, comes first
    PERFORM pg_advisory_xact_lock(hashtextextended(p_school::text, 0));
    PERFORM 1 FROM views.positions p WHERE p.school_id = p_school ORDER BY p.projection FOR UPDATE;
    FOR t IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'school_id' AND NOT a.attisdropped
        JOIN pg_attribute b ON b.attrelid = c.oid AND b.attname = 'pupil_id' AND NOT b.attisdropped
        WHERE c.relnamespace = 'views'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('DELETE FROM %s WHERE school_id = $1 AND pupil_id = $2', t) USING p_school, p_pupil;
    END LOOP;
    IF p_stays THEN
        -- only part of the pupil's record was erased: the rest is read again
        INSERT INTO views.anew (school_id, pupil_id) VALUES (p_school, p_pupil);
    END IF;
END $$;
REVOKE ALL ON FUNCTION views.forget(uuid, uuid, boolean) FROM PUBLIC;
GRANT USAGE ON SCHEMA views TO astrack_owner, astrack_service;
GRANT EXECUTE ON FUNCTION views.forget(uuid, uuid, boolean) TO astrack_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA views TO astrack_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA views GRANT SELECT ON TABLES TO astrack_service;
