"""What stands around a school's log and must fit it: grants and policies, keys, tiles, how far the views are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from astrack.store.log import SchoolLog
from astrack.store.types import Finding
from transfer.evidence import merkle

HASH_BYTES = 32
# each row is a sentence about something that would let somebody past the record's own functions
GRANTS = """
SELECT format('the service may %%s %%s', p, c.oid::regclass) FROM pg_catalog.pg_class c,
    unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
    WHERE c.oid IN ('record.events'::regclass, 'record.schools'::regclass)
    AND has_table_privilege('astrack_service', c.oid, p)
UNION ALL SELECT format('%%s has no forced row-level security', c.oid::regclass) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'school_id' AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace
        WHERE nspname IN ('record', 'keys') OR nspname = 'views' AND c.relname NOT LIKE '%%\\_\\_next')
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
UNION ALL SELECT format('%%s has a policy that is not of its own school', c.oid::regclass) FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace::regnamespace::text IN ('record', 'keys', 'views')
    AND pg_get_expr(p.polqual, p.polrelid) NOT LIKE '%%record.school()%%'
    AND (c.relname, p.polname, p.polcmd) <> ('schools', 'listed', 'r')
    AND NOT (p.polname = 'grouped' AND p.polroles = ARRAY['astrack_owner'::regrole::oid])
UNION ALL SELECT format('%%s belongs to %%s', c.oid::regclass, c.relowner::regrole) FROM pg_catalog.pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('record', 'keys')
    AND c.relowner <> 'astrack_owner'::regrole
UNION ALL SELECT format('%%s looks names up where its caller says', p.oid::regprocedure) FROM pg_catalog.pg_proc p
    WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('record', 'keys', 'views')
    AND NOT coalesce(array_to_string(p.proconfig, ',') LIKE 'search_path=%%', false)
UNION ALL SELECT 'the service may write past append' FROM pg_catalog.pg_proc p
    WHERE p.proname = 'write' AND p.pronamespace = 'record'::regnamespace
    AND has_function_privilege('astrack_service', p.oid, 'EXECUTE')
UNION ALL SELECT format('%%s has a trigger or a rule', c.oid::regclass) FROM pg_catalog.pg_class c
    WHERE c.oid = 'record.events'::regclass AND (c.relhastriggers OR c.relhasrules)
"""
ORPHANS = (
    "SELECT format('the key of stream %%s is kept though no stream has it', k.stream_id) FROM keys.stream_keys k"
    " LEFT JOIN record.streams s ON s.school_id = k.school_id AND s.stream_id = k.stream_id"
    " WHERE k.school_id = %s AND s.stream_id IS NULL AND k.class <> 5"
    " UNION ALL SELECT format('stream %%s has no key', s.stream_id) FROM record.streams s"
    " LEFT JOIN keys.stream_keys k ON k.school_id = s.school_id AND k.stream_id = s.stream_id"
    " WHERE s.school_id = %s AND k.stream_id IS NULL"
    " UNION ALL SELECT format('stream %%s has been erased and is not: replay the erasures', e.stream_id)"
    " FROM keys.erasures e WHERE e.school_id = %s AND EXISTS (SELECT FROM record.events v"
    " WHERE v.school_id = e.school_id AND v.stream_id = e.stream_id) AND NOT EXISTS (SELECT FROM record.events v"
    " WHERE v.school_id = e.school_id AND v.stream_id = e.stream_id AND v.kind = 'erasure')"
)
AHEAD = (
    "SELECT format('the view %%s is at %%s, the log has %%s entries: rebuild it', p.projection, p.position,"
    " s.next_position) FROM views.positions p JOIN record.schools s ON s.school_id = p.school_id"
    " WHERE p.school_id = %s AND p.position > s.next_position"
)
UNNAMED = (
    "SELECT format('the row that names the streams of pupil %%s is gone', s.pupil_id) FROM record.streams s"
    " LEFT JOIN record.pupils p ON p.school_id = s.school_id AND p.pupil_id = s.pupil_id"
    " WHERE s.school_id = %s AND s.pupil_id IS NOT NULL AND p.pupil_id IS NULL"
    " GROUP BY s.pupil_id HAVING count(*) = 3"  # fewer: part of the record has been erased
    " UNION ALL SELECT format('what proves the imported facts of stream %%s is gone', e.stream_id)"
    " FROM record.events e WHERE e.school_id = %s AND e.kind = 'import' AND e.recorded_at IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM record.evidence v WHERE v.school_id = e.school_id AND v.stream_id = e.stream_id)"
    " GROUP BY e.stream_id"
)
TILES = "SELECT level, place, hashes FROM record.tiles WHERE school_id = %s AND level = %s AND place >= %s"
TILES_AT_ONCE = 64


def check_surroundings(log: SchoolLog, covered: int, exports: Mapping[UUID, int]) -> Iterator[Finding]:
    """What does not fit around one school's log: its first ``covered`` entries are under a root that was kept, so they
    have tiles, and each of ``exports`` (transfer -> position) has a row.
    """
    school = log.school_id
    for (what,) in log.ask("SELECT g.* FROM (SELECT %s::uuid) AS asked, (" + GRANTS + ") AS g"):
        yield Finding(-1, what)
    for (what,) in log.ask(ORPHANS, school, school):
        yield Finding(-1, what)
    for (what,) in log.ask(AHEAD):
        yield Finding(-1, what)
    for (what,) in log.ask(UNNAMED, school):
        yield Finding(-1, what)
    out = {row[0] for row in log.ask("SELECT transfer_id FROM record.transfers WHERE school_id = %s")}
    yield from (Finding(at, f"the row of the transfer {one} that left here is gone")
                for one, at in exports.items() if one not in out)  # fmt: skip
    yield from _check_tiles(log, covered)


def _check_tiles(log: SchoolLog, covered: int) -> Iterator[Finding]:
    level, there = 0, 0
    while checked := list(_check_level(log, level)):
        yield from (found for _, found in checked if found)
        there = sum(count for count, _ in checked) if level == 0 else there
        level += 1
    if there < covered:
        yield Finding(-1, f"the tiles hold {there} entries of the {covered} that are under a root that was kept")


def _check_level(log: SchoolLog, level: int) -> Iterator[tuple[int, Finding | None]]:
    """(hashes, what is wrong) of each tile of a level; nothing when there are no tiles."""
    start = 0
    while rows := log.ask(TILES + " ORDER BY place LIMIT %s", level, start, TILES_AT_ONCE):
        for _, place, hashes in rows:
            held = [bytes(hashes[at : at + HASH_BYTES]) for at in range(0, len(hashes), HASH_BYTES)]
            right = _hashes(log, level, place, len(held))
            yield len(held), None if held == right else _tile_wrong(level, place, held, right)
        start = rows[-1][1] + 1


def _tile_wrong(level: int, place: int, held: list[bytes], right: list[bytes]) -> Finding:
    first = next((at for at, pair in enumerate(zip(held, right, strict=False)) if pair[0] != pair[1]), len(right))
    at = place * merkle.TILE_WIDTH + first if level == 0 else -1
    return Finding(at, f"the tile {place} of level {level} is not what the leaves give")


def _hashes(log: SchoolLog, level: int, place: int, count: int) -> list[bytes]:
    start = place * merkle.TILE_WIDTH
    if level == 0:
        return log.leaves(start, start + count)
    below = log.ask(TILES + " AND place < %s ORDER BY place", level - 1, start, start + count)
    return [
        merkle.root(bytes(hashes)[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
        for _, _, hashes in below
    ]
