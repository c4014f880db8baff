CREATE OR REPLACE FUNCTION record.position_at(p_school uuid, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    low bigint := 0;
    high bigint;
    middle bigint;
    found record;
BEGIN
    SELECT next_position INTO high FROM record.schools WHERE school_id = p_school;
    WHILE low < high LOOP
        middle := (low + high) / 2;
        -- an erased entry has no time: the next one that has a time stands for it
        SELECT e.position, e.recorded_at INTO found FROM record.events e
            WHERE e.school_id = p_school AND e.position >= middle AND e.position < high AND e.recorded_at IS NOT NULL
            ORDER BY e.position LIMIT 1;
        IF found.recorded_at IS NULL OR found.recorded_at > p_at THEN
            high := middle;
        ELSE
            low := found.position + 1;
        END IF;
    END LOOP;
    RETURN coalesce(low, 0);
END $$;
GRANT EXECUTE ON FUNCTION record.position_at(uuid, timestamptz) TO astrack_service;
