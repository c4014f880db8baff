GRANT USAGE ON SCHEMA record, keys TO astrack_service;
GRANT USAGE ON SCHEMA record TO astrack_projector;

-- '' is what a setting made and reset leaves behind: it must mean nobody, like one never made
CREATE OR REPLACE FUNCTION record.school() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('app.school', true), '')::uuid $$;
