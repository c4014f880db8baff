"""What stands around a school's log and must fit it: grants and policies, keys, tiles, how far the views are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from astrack.store.granted import check_granted
from astrack.store.log import SchoolLog
from astrack.store.types import Finding
from transfer.evidence import merkle

HASH_BYTES = 32
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
    " UNION ALL SELECT format('the keys do not know that stream %%s was erased: restore a newer backup of them',"
    " v.stream_id) FROM record.events v LEFT JOIN keys.erasures e ON e.school_id = v.school_id"
    " AND e.stream_id = v.stream_id WHERE v.school_id = %s AND v.kind = 'erasure' AND e.stream_id IS NULL"
    " UNION ALL SELECT format('the school has %%s keys: a rotation runs or was broken off, rotate its key again',"
    " count(*)) FROM keys.school_keys k WHERE k.school_id = %s HAVING count(*) > 1"
)
# one look at both, whoever appends meanwhile
COUNTED = (
    "SELECT s.next_position, coalesce(e.position, -1) + 1, s.last_recorded_at = e.recorded_at FROM record.schools s"
    " LEFT JOIN LATERAL (SELECT v.position, v.recorded_at FROM record.events v WHERE v.school_id = s.school_id"
    " ORDER BY v.position DESC LIMIT 1) e ON true WHERE s.school_id = %s"
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
    yield from (Finding(-1, what) for what in check_granted(log))
    yield from (Finding(-1, what) for what in _check_count(log))
    for (what,) in log.ask(ORPHANS, school, school, school, school):
        yield Finding(-1, what)
    for (what,) in log.ask(AHEAD):
        yield Finding(-1, what)
    for (what,) in log.ask(UNNAMED, school):
        yield Finding(-1, what)
    out = {row[0] for row in log.ask("SELECT transfer_id FROM record.transfers WHERE school_id = %s")}
    yield from (Finding(at, f"the row of the transfer {one} that left here is gone")
                for one, at in exports.items() if one not in out)  # fmt: skip
    yield from _check_tiles(log, covered)


def _check_count(log: SchoolLog) -> Iterator[str]:
    for said, found, same in log.ask(COUNTED):
        if said != found:
            yield f"the school says it has {said} entries, but the last one found is {found - 1}"
        elif same is False:
            yield "the school's time of its last entry is not that of the entry: appends are dated or refused by it"


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
