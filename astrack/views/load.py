"""One school's rows made in memory from its whole log, and put into their table in one transaction."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from astrack.store import SchoolLog, Store
from astrack.store.pool import Connection
from astrack.store.refused import translated
from astrack.views.corrections import Corrections
from astrack.views.fold import Broken, Folding, as_corrected, taken
from astrack.views.lines import Lines
from astrack.views.live import UNFIT, story
from astrack.views.log import Snapshot
from astrack.views.tables import NEXT, lease, mark_behind
from domain.base import Fact
from domain.journey.facts import FactCorrected
from projections.shape import Projection, reads_of

Moved = Callable[[int], None]
BLOCK_ROWS = 256


class Sent(NamedTuple):
    """A row ready to send, and the newest fact in it."""

    position: int
    pupil_id: UUID | None
    line: bytes


class Made:
    """The rows of one read model for one school, as they are made. A list's lines are kept by pupil, ready to send."""

    def __init__(self, projection: Projection, lines: Lines) -> None:
        self.projection = projection
        self.folding = Folding(projection)
        self.into = lines.into
        self._line = lines.line
        self._rows = projection.rows
        rest = [name for name in projection.key if name != "pupil_id"] or projection.key
        self._rest = itemgetter(*map(projection.columns.index, rest))
        self._by_pupil: dict[UUID | None, dict[Any, Sent]] = {}
        self.take: Callable[[Fact], None] = self.folding.take if self._rows is None else self._take_list

    def anew(self, pupil_id: UUID, facts: Sequence[Fact]) -> None:
        """Make the rows of one pupil anew from all their facts."""
        self._by_pupil.pop(pupil_id, None)
        self.folding.broken = [one for one in self.folding.broken if one.pupil_id != pupil_id]
        for key in self.folding.keys(taken(self.projection, facts)):
            self.folding.slots.pop(key, None)
        now, failed = as_corrected(facts)
        for fact in taken(self.projection, now):
            self.take(fact)
        for fact, error in failed:
            self.folding.fail(fact, error)

    def without(self, pupil_ids: set[UUID]) -> None:
        """Leave out pupils whose streams have been erased meanwhile."""
        for pupil_id in pupil_ids:
            self._by_pupil.pop(pupil_id, None)
        if pupil_ids and "pupil_id" in self.projection.columns:
            place = self.projection.columns.index("pupil_id")
            slots = self.folding.slots
            self.folding.slots = {key: slot for key, slot in slots.items() if slot.row[place] not in pupil_ids}
        self.folding.broken = [one for one in self.folding.broken if one.pupil_id not in pupil_ids]

    def sent(self) -> Iterator[Sent]:
        """Every row, ready to send."""
        for held in self._by_pupil.values():
            yield from held.values()
        for row, fact in self.folding.touched():
            yield Sent(fact.position, fact.pupil_id, self._line(row))

    def _take_list(self, fact: Fact) -> None:
        try:
            # the whole list first: half of a fact's lines would be worse than none
            made = {self._rest(row): self._line(row) for row in self._rows(fact)} if self._rows else {}
        except Exception:
            self.folding.fail(fact, traceback.format_exc())
            return
        pupil_id = fact.pupil_id
        held = self._by_pupil.get(pupil_id)
        if held is None:
            held = self._by_pupil[pupil_id] = {}
        for rest, line in made.items():
            held[rest] = Sent(fact.position, pupil_id, line)


class Loader:
    """Two connections of one process: the service reads the log, the projector writes the rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._service, self._projector = store.connect(projector=False), store.connect(projector=True)

    def close(self) -> None:
        """Close both connections."""
        self._service.close()
        self._projector.close()

    def load(self, school_id: UUID, projections: Sequence[Projection], moved: Moved) -> list[Broken]:
        """Make a school's rows anew and put them in place; what the read models could not take.

        Into a table that is being made they are copied; in a table that pages read they take the old rows' place.
        """
        log = self._store.log(school_id)
        with translated(), _no_garbage():
            made, size, owners = self._made(log, projections, moved)
            with self._projector.transaction():
                self._enter(school_id)
                gone = self._erased_since(school_id, size, owners)
                for one in made:
                    one.without(gone)
                    self._put(log, one, size)
        return [broken for one in made for broken in one.folding.broken]

    def _made(
        self, log: SchoolLog, projections: Sequence[Projection], moved: Moved
    ) -> tuple[list[Made], int, dict[UUID, UUID]]:
        made = [Made(one, Lines(self._projector, one, log.school_id)) for one in projections]
        classes = frozenset().union(*(one.takes for one in projections))
        with self._service.transaction():
            self._service.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            snapshot = Snapshot(self._service, log.ring, log.school_id)
            known = Corrections(snapshot.facts(frozenset({FactCorrected})))
            takers = {cls: [one.take for one in made if cls in one.projection.takes] for cls in classes}
            for chunk in snapshot.chunks(classes, moved, known, reads_of(projections)):
                for fact in chunk:
                    for take in takers[type(fact.event)]:
                        take(fact)
            size, owners = snapshot.size, snapshot.pupils
        self._corrected(log, made, known, size)
        return made, size, owners

    def _corrected(self, log: SchoolLog, made: Sequence[Made], known: Corrections, size: int) -> None:
        for one in made:
            if one.projection.refolds:
                for fact, error in known.failed:
                    one.folding.fail(fact, error)
        for pupil_id in sorted(known.again):
            facts = story(log, pupil_id, size - 1)
            for one in made:
                if one.projection.refolds:
                    one.anew(pupil_id, facts)

    def _enter(self, school_id: UUID) -> None:
        conn = self._projector
        # what a crash could lose is made again: the rows and their place are lost together
        conn.execute("SET LOCAL synchronous_commit = off")
        conn.execute("SELECT set_config('app.school', %s, true)", (str(school_id),))
        # an erasure waits here until the rows made from what it erases are in, and then takes them out
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(school_id),))

    def _erased_since(self, school_id: UUID, size: int, owners: dict[UUID, UUID]) -> set[UUID]:
        query = "SELECT stream_id FROM record.events WHERE school_id = %s AND position >= %s AND kind = 'erasure'"
        with self._service.transaction():
            self._service.execute(f"SET LOCAL app.school = '{school_id}'".encode())
            erased = {stream for (stream,) in self._service.execute(query, (school_id, size))}
        return {owners[stream] for stream in erased if stream in owners}

    def _put(self, log: SchoolLog, made: Made, size: int) -> None:
        one, school, conn = made.projection, log.school_id, self._projector
        fresh = one.suffix == NEXT
        if fresh and self._is_there(school, one.table):
            return  # put there by a run that broke off before it could say so; catching up does the rest
        if not fresh:
            lease(conn, school, [one.table], wait=True)
            conn.execute(f"DELETE FROM {one.table} WHERE school_id = %s".encode(), (school,))
        label = one.name + one.suffix
        conn.execute("DELETE FROM views.behind WHERE school_id = %s AND projection = %s", (school, label))
        _copy(conn, one, made, list(made.sent()), fresh=fresh)
        mark_behind(conn, school, made.folding.broken, one.suffix)
        conn.execute(
            "INSERT INTO views.positions VALUES (%s, %s, %s)"
            " ON CONFLICT (school_id, projection) DO UPDATE SET position = EXCLUDED.position",
            (school, one.table, size - 1),
        )

    def _is_there(self, school: UUID, table: str) -> bool:
        query = "SELECT 1 FROM views.positions WHERE school_id = %s AND projection = %s"
        return self._projector.execute(query, (school, table)).fetchone() is not None


def _copy(conn: Connection, projection: Projection, made: Made, rows: Sequence[Sent], *, fresh: bool) -> None:
    try:
        with conn.transaction():
            _copied(conn, projection.table, made.into, rows, fresh=fresh)
    except UNFIT as error:
        # some row cannot be stored: halve until it is found, so that it alone is left out
        if len(rows) == 1:
            made.folding.broken.append(Broken(projection.name, rows[0].position, rows[0].pupil_id, str(error)))
            return
        middle = len(rows) // 2
        _copy(conn, projection, made, rows[:middle], fresh=fresh)
        _copy(conn, projection, made, rows[middle:], fresh=fresh)


def _copied(conn: Connection, table: str, into: str, rows: Sequence[Sent], *, fresh: bool) -> None:
    if not fresh:
        # COPY is refused on tables under row-level security
        conn.execute(f"CREATE TEMP TABLE stage (LIKE {table}) ON COMMIT DROP".encode())
    with conn.cursor().copy(f"COPY {table if fresh else 'stage'} {into}".encode()) as copy:
        for block in _blocks(rows):
            copy.write(block)
    if not fresh:
        conn.execute(f"INSERT INTO {table} SELECT * FROM stage".encode())
        conn.execute("DROP TABLE stage")


def _blocks(rows: Sequence[Sent]) -> Iterator[bytes]:
    for start in range(0, len(rows), BLOCK_ROWS):
        yield b"".join([row.line for row in rows[start : start + BLOCK_ROWS]])


@contextmanager
def _no_garbage() -> Iterator[None]:
    # the collector would walk every row made so far, again and again; none of them is in a cycle
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
