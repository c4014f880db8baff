CREATE OR REPLACE FUNCTION record.open_school(p_school uuid, p_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ INSERT INTO record.schools (school_id, opened_at) VALUES (p_school, p_at) ON CONFLICT DO NOTHING $$;
REVOKE ALL ON FUNCTION record.open_school(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.open_school(uuid, timestamptz) TO astrack_service;
