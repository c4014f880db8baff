"""Whether anybody has a way past the record's own functions: grants, policies, owners, functions, triggers.

What a database grants is held against the scripts that this version prepares one with: whatever else is there was let
in by somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from astrack.store import migrate
from astrack.store.log import SchoolLog

OURS = "IN ('record', 'keys', 'views')"
A_GRANT = re.compile(r"GRANT ([^;]+?) ON (?:FUNCTION )?((?:record|keys|views)\.\w+)[^;]*? TO ([\w, ]+);")
A_PRIVILEGE = re.compile(r"(\w+)(?: \(([^)]*)\))?")
Grant = tuple[str, str, str]
"""Who, what they may, and with what: a table, table.column, function or schema."""
GIVEN = f"""
SELECT CASE g.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(g.grantee) END, g.privilege_type, g.what FROM (
    SELECT a.grantee, a.privilege_type, c.oid::regclass::text AS what, c.relowner AS owner
        FROM pg_catalog.pg_class c, aclexplode(c.relacl) a
        WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text {OURS}
    UNION ALL SELECT a.grantee, a.privilege_type, t.attrelid::regclass || '.' || t.attname, c.relowner
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
        WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text {OURS}
    UNION ALL SELECT a.grantee, a.privilege_type, p.pronamespace::regnamespace || '.' || p.proname, p.proowner
        FROM pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace::regnamespace::text {OURS} AND (p.prosecdef OR p.proname = 'write')
    UNION ALL SELECT a.grantee, a.privilege_type, 'schema ' || n.nspname, n.nspowner
        FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
        WHERE n.nspname {OURS} AND a.privilege_type = 'CREATE'
) g WHERE g.grantee <> g.owner AND g.privilege_type <> 'SELECT' ORDER BY 3, 1, 2
"""
FUNCTIONS = f"""
SELECT p.oid::regprocedure::text, p.prosrc FROM pg_catalog.pg_proc p
    WHERE p.pronamespace::regnamespace::text {OURS} ORDER BY 1
"""
# each row is a sentence
LOOSE = f"""
SELECT format('%%s has no forced row-level security', c.oid::regclass) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'school_id' AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace
        WHERE nspname IN ('record', 'keys') OR nspname = 'views' AND c.relname NOT LIKE '%%\\_\\_next')
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
UNION ALL SELECT format('%%s has a policy that is not of its own school', c.oid::regclass) FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace::regnamespace::text {OURS}
    AND (pg_get_expr(p.polqual, p.polrelid) <> '(school_id = record.school())'
        OR pg_get_expr(p.polwithcheck, p.polrelid) <> '(school_id = record.school())')
    AND (c.relname, p.polname, p.polcmd) <> ('schools', 'listed', 'r')
    AND NOT (p.polname = 'grouped' AND p.polroles = ARRAY['astrack_owner'::regrole::oid])
UNION ALL SELECT format('%%s belongs to %%s', c.oid::regclass, c.relowner::regrole) FROM pg_catalog.pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('record', 'keys')
    AND c.relowner <> 'astrack_owner'::regrole
UNION ALL SELECT format('%%s looks names up where its caller says', p.oid::regprocedure) FROM pg_catalog.pg_proc p
    WHERE p.prosecdef AND p.pronamespace::regnamespace::text {OURS}
    AND NOT coalesce(array_to_string(p.proconfig, ',') LIKE 'search_path=%%', false)
UNION ALL SELECT format('%%s has a trigger or a rule', c.oid::regclass) FROM pg_catalog.pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text {OURS}
    AND (EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
        OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid))
"""


def check_granted(log: SchoolLog) -> Iterator[str]:
    """Sentences about whatever would let somebody past the record's own functions."""
    for who, may, what in _rows(log, GIVEN):
        if (who, may, what) not in expected():
            yield f"{who} may {may} {what}"
    for name, body in _rows(log, FUNCTIONS):
        if body not in _scripts():
            yield f"{name} is not the function that this version makes"
    for (what,) in _rows(log, LOOSE):
        yield what


@cache
def expected() -> frozenset[Grant]:
    """What this version's scripts grant."""
    found = set[Grant]()
    for privileges, what, grantees in A_GRANT.findall(_scripts()):
        for privilege, columns in A_PRIVILEGE.findall(privileges):
            places = [f"{what}.{column}" for column in columns.split(", ")] if columns else [what]
            found |= {(who, privilege, place) for who in grantees.split(", ") for place in places}
    return frozenset(found)


@cache
def _scripts() -> str:
    return "\n".join([*(text for _, text in migrate.scripts()), migrate.views_script()])


def _rows(log: SchoolLog, query: str) -> list[tuple[str, ...]]:
    # every question of a log names its school first
    return log.ask(f"SELECT g.* FROM (SELECT %s::uuid) AS asked, ({query}) AS g")
