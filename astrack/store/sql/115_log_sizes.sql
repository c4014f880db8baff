CREATE OR REPLACE FUNCTION record.log_sizes() RETURNS TABLE (school_id uuid, entries bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT s.school_id, s.next_position FROM record.schools s $$;
REVOKE ALL ON FUNCTION record.log_sizes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record.log_sizes() TO astrack_service;
