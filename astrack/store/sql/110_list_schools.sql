CREATE OR REPLACE FUNCTION record.list_schools() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT school_id FROM record.schools ORDER BY school_id $$;
REVOKE ALL ON FUNCTION record.list_schools() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.list_schools() TO astrack_service, astrack_projector;
