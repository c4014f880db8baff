"""One page of one school's log into its read models: rows and place in one transaction."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Sequence
from uuid import UUID

import psycopg

from astrack.store import SchoolLog, StoreError
from astrack.store.pool import Connection
from astrack.store.reading import Stored
from astrack.views.fold import Broken, Folding, corrected_pupils, refold, taken
from astrack.views.lean import Reads, lean
from astrack.views.tables import advance, lease, load_rows, mark_behind, upsert
from domain.base import Fact
from projections.shape import Projection, reads_of

UNFIT = (psycopg.DataError, psycopg.IntegrityError, UnicodeError)
"""What the database says of a row it cannot hold; losing the connection is another matter."""


def turn(log: SchoolLog, projections: Sequence[Projection], limit: int, *, wait: bool = True) -> int | None:
    """Take at most ``limit`` facts into every read model; how many were there, None when another holds the lease.

    A fact that breaks a read model is left out there, marked, and kept as a dead letter; the others go on.
    """
    try:
        done = _turn(log, projections, limit, wait=wait, careful=False)
    except UNFIT:
        # some row cannot be stored: again, each row by itself
        done = _turn(log, projections, limit, wait=wait, careful=True)
    if done is None:
        return None
    keep_letters(log, done[1])
    return done[0]


def keep_letters(log: SchoolLog, broken: Sequence[Broken]) -> None:
    """Keep why facts were left out, encrypted. The marks are committed before: a crash loses a traceback at most."""
    for one in broken:
        with contextlib.suppress(StoreError):
            log.dead_letter(one.projection, one.position, one.error)


def _turn(
    log: SchoolLog, projections: Sequence[Projection], limit: int, *, wait: bool, careful: bool
) -> tuple[int, list[Broken]] | None:
    tables = [one.table for one in projections]
    with log.views() as conn:
        # what a crash could lose is made again from the log, as the place is lost with it
        conn.execute("SET LOCAL synchronous_commit = off")
        places = lease(conn, log.school_id, tables, wait=wait)
        if places is None:
            return None
        facts = page(log, min(places.values()), limit, reads_of(projections))
        if not facts:
            return 0, []
        stories = _Stories(log, facts[-1].position)
        broken: list[Broken] = []
        for one in projections:
            fresh = [fact for fact in facts if fact.position > places[one.table]]
            folding = folded(conn, log.school_id, one, fresh, stories)
            _store(conn, log.school_id, folding, careful=careful)
            broken += folding.broken
        mark_behind(conn, log.school_id, broken, projections[0].suffix)
        advance(conn, log.school_id, tables, facts[-1].position)
    return len(facts), broken


def page(log: SchoolLog, after: int, limit: int, reads: Reads) -> list[Fact]:
    """The next facts as read models need them: what ``log.page`` gives, without the fields nobody reads."""
    rows = log.stored(after, limit)
    log.find_keys(rows)
    return [_lean_fact(log, row, reads) or log.to_fact(row) for row in rows]


def _lean_fact(log: SchoolLog, row: Stored, reads: Reads) -> Fact | None:
    if row.kind == "import" or row.recorded_at is None:
        return None
    opened = log.opened(row)
    event = lean(row.topic, opened[1], reads) if opened else None
    if event is None:
        return None
    return Fact(row.position, row.pupil_id, row.stream_id, row.version, row.recorded_at, event)


class _Stories:
    """The whole story of pupils of whom something was corrected, read once for all read models."""

    def __init__(self, log: SchoolLog, up_to: int) -> None:
        self._log, self._up_to = log, up_to
        self._read: dict[UUID, list[Fact]] = {}

    def of(self, pupil_id: UUID) -> list[Fact]:
        """Every fact of a pupil up to this page's last, in order."""
        if pupil_id not in self._read:
            self._read[pupil_id] = story(self._log, pupil_id, self._up_to)
        return self._read[pupil_id]


def story(log: SchoolLog, pupil_id: UUID, up_to: int) -> list[Fact]:
    """Every fact of a pupil's streams up to and including a position, in the order of the log."""
    streams = log.pupil(pupil_id)
    if streams is None:
        return []
    loaded = log.load_many([streams.journey_id, streams.identity_id, streams.safeguarding_id], up_to + 1)
    return sorted((fact for stream in loaded for fact in stream.facts), key=lambda fact: fact.position)


def folded(conn: Connection, school: UUID, projection: Projection, facts: Sequence[Fact], stories: _Stories) -> Folding:
    """The rows of one read model that these facts touch, brought on by them."""
    folding = Folding(projection)
    anew = corrected_pupils(facts) if projection.refolds else set()
    plain = [fact for fact in taken(projection, facts) if fact.pupil_id not in anew]
    folding.load(load_rows(conn, school, projection, sorted(folding.keys(plain))))
    for fact in plain:
        folding.take(fact)
    for pupil_id in sorted(anew):
        refold(folding, stories.of(pupil_id))
    return folding


def _store(conn: Connection, school: UUID, folding: Folding, *, careful: bool) -> None:
    one = folding.projection
    if not careful:
        upsert(conn, school, one, [row for row, _ in folding.touched()])
        return
    for row, fact in folding.touched():
        try:
            with conn.transaction():
                upsert(conn, school, one, [row])
        except UNFIT:
            folding.fail(fact, traceback.format_exc())
