DO $$
DECLARE
    t regclass;
BEGIN
    FOR t IN
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('record', 'keys') AND c.relkind = 'r' AND c.relname <> 'migrations'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('DROP POLICY IF EXISTS own_school ON %s', t);
        EXECUTE format('CREATE POLICY own_school ON %s USING (school_id = record.school())', t);
    END LOOP;
END $$;
DROP POLICY IF EXISTS listed ON record.schools;
CREATE POLICY listed ON record.schools FOR SELECT TO astrack_owner USING (true);
