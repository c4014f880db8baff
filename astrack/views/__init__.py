"""Read models kept right: caught up inside the request, rebuilt beside the old, mended after a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

from astrack.store import DeadLetter, SchoolLog, Store
from astrack.views.history import HistoryTooLong, Past, as_of
from astrack.views.live import turn
from astrack.views.rebuild import Rebuild, UnknownReadModel, chosen
from astrack.views.tables import Tables
from projections import ALL
from projections.shape import Projection

__all__ = ["HistoryTooLong", "Past", "UnknownReadModel", "Views"]

PAGE = 1_000
MANY = 5_000
BEHIND = (
    "SELECT s.next_position - 1 > coalesce((SELECT CASE WHEN count(*) = cardinality(w.names) THEN min(p.position) END"
    " FROM views.positions p WHERE p.school_id = s.school_id AND p.projection = ANY (w.names)), -1),"
    " EXISTS (SELECT 1 FROM views.anew a WHERE a.school_id = s.school_id)"
    " FROM record.schools s, (SELECT %s::uuid AS id, %s::text[] AS names) w WHERE s.school_id = w.id"
)


class Views:
    """The read models of every school of a store. Safe to share between threads."""

    def __init__(self, store: Store, projections: Sequence[Projection] = ALL) -> None:
        self.store, self.projections = store, tuple(projections)
        self._tables = Tables(self.projections)

    def catch_up(self, school_id: UUID) -> None:
        """Bring a school's read models up to every fact recorded before this call. Cheap where nothing is new.

        Raises StoreUnavailable.
        """
        log = self._log(school_id)
        taken = 0
        while any(standing := self._standing(log)):
            if standing[1]:
                self._read_again(log)
                continue
            count = turn(log, self.projections, PAGE) or 0
            taken += count
            if count < PAGE:
                break  # that was all: asking once more would cost as much as reading
        if taken >= MANY:
            # the planner would go by the empty tables it knew until autovacuum comes round
            with log.views() as conn:
                for one in self.projections:
                    conn.execute(f"ANALYZE {one.table}".encode())

    def advance(self, school_id: UUID, limit: int = PAGE) -> int | None:
        """Take one page of a school's log where nobody else is at it: how many facts, None when somebody is."""
        return turn(self._log(school_id), self.projections, limit, wait=False)

    def behind(self, school_id: UUID) -> bool:
        """Whether facts are recorded that some read model has not taken; one question."""
        return any(self._standing(self._log(school_id)))

    @contextmanager
    def reading(self, school_id: UUID) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        """A cursor for the queries of the read models: read-only, and sees this school's rows alone."""
        log = self._log(school_id)
        with log.reading() as conn, conn.cursor() as cursor:
            set_json_loads(from_json, cursor)
            yield cursor

    def places(self, school_id: UUID) -> list[tuple[str, int, int, int]]:
        """(name, version, position of the last fact taken, facts left out) of each read model; -1 before the first."""
        log = self._log(school_id)
        at = dict(log.ask("SELECT projection, position FROM views.positions WHERE school_id = %s"))
        out = self._left_out(school_id, None)
        return [(one.name, one.version, at.get(one.table, -1), out.get(one.name, 0)) for one in self.projections]

    def as_of(
        self,
        school_id: UUID,
        name: str,
        *,
        position: int | None = None,
        at: datetime | None = None,
        happened_by: date | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Past:
        """A read model as it was: when the log had ``position`` entries, at the instant ``at``, or now for neither.

        ``happened_by``: of what had happened by the end of a day alone. Nothing is stored. ``progress`` is called with
        how many entries more have been read. Raises UnknownReadModel, HistoryTooLong.
        """
        (one,) = chosen(self.projections, [name])
        log = self._log(school_id)
        known = log.size() if at is None else log.position_at(at)
        return as_of(log, one, known if position is None else min(position, known), happened_by, progress)

    def dead_letters(self, school_id: UUID, limit: int = 100) -> list[DeadLetter]:
        """What the read models could not take, with tracebacks, at most ``limit`` for each."""
        log = self._log(school_id)
        return [letter for one in self.projections for letter in log.dead_letters(one.name, limit)]

    def rebuild(
        self,
        school_ids: Sequence[UUID] | None = None,
        names: Sequence[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Make read models anew from the log: all of them, or those named; all schools, or those given.

        ``progress`` is called with how many facts more have been read. Pages read the old rows until the new ones
        are complete. Raises UnknownReadModel.
        """
        run = Rebuild(self.store, chosen(self.projections, names), moved=progress or (lambda _: None))
        self._ready()
        if school_ids is None:
            run.all()
        else:
            run.schools(school_ids)

    def retry(self, school_id: UUID, names: Sequence[str] | None = None) -> dict[str, int]:
        """After a fix: read again what was left out of read models. {"tried": facts, "left": still left out}."""
        before = self._left_out(school_id, names)
        if before:
            self.rebuild([school_id], [one.name for one in chosen(self.projections, names) if one.name in before])
            self.catch_up(school_id)
        return {"tried": sum(before.values()), "left": sum(self._left_out(school_id, names).values())}

    def _left_out(self, school_id: UUID, names: Sequence[str] | None) -> dict[str, int]:
        query = (
            "SELECT projection, count(*) FROM views.behind WHERE school_id = %s AND projection = ANY (%s) GROUP BY 1"
        )
        return dict(self._log(school_id).ask(query, [one.name for one in chosen(self.projections, names)]))

    def _standing(self, log: SchoolLog) -> tuple[bool, bool]:
        rows = log.ask(BEHIND, [one.table for one in self.projections])
        return (bool(rows[0][0]), bool(rows[0][1])) if rows else (False, False)

    def _read_again(self, log: SchoolLog) -> None:
        marks = [mark for (mark,) in log.ask("SELECT mark FROM views.anew WHERE school_id = %s")]
        Rebuild(self.store, self.projections).schools([log.school_id])
        with log.views() as conn:
            conn.execute("DELETE FROM views.anew WHERE school_id = %s AND mark = ANY (%s)", (log.school_id, marks))

    def _ready(self) -> None:
        for school_id in self.store.schools()[:1]:
            self._log(school_id)

    def _log(self, school_id: UUID) -> SchoolLog:
        log = self.store.log(school_id)
        if not self._tables.ready:
            with log.views() as conn:
                self._tables.prepare(conn)
            self._tables.prepared()
        return log
