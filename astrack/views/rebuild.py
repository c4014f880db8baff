"""Read models made anew at the speed of the disk, beside the ones that pages read, and put in their place."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
from psycopg import sql

from astrack.store import Store, StoreError
from astrack.store.pool import Connection
from astrack.views.fold import Broken
from astrack.views.live import keep_letters, turn
from astrack.views.load import Loader, Moved
from astrack.views.processes import load_all
from astrack.views.tables import NEXT, bare, create
from domain.base import DomainError
from projections.shape import Projection

PAGE = 5_000
SWAP_TRIES = 20
SWAP_WAIT_MS = 500
FORGOTTEN_LETTERS = (
    "DELETE FROM record.dead_letters d WHERE d.school_id = %s AND d.projection = ANY (%s) AND NOT EXISTS"
    " (SELECT 1 FROM views.behind b WHERE b.school_id = d.school_id AND b.projection = d.projection"
    " AND b.position = d.position)"
)


class UnknownReadModel(DomainError):
    """There is no read model of that name."""


class RebuildUnderWay(StoreError):
    """Raised when another process is making the same read model anew: wait until it has finished."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One run: which read models of which store, how many processes, and who hears of progress."""

    store: Store
    projections: tuple[Projection, ...]
    processes: int = os.cpu_count() or 1
    moved: Moved = lambda _: None

    def schools(self, school_ids: Sequence[UUID]) -> None:
        """Make the rows of some schools anew: in each, the new rows take the old ones' place in one transaction."""
        loader = Loader(self.store)
        try:
            for school_id in school_ids:
                self._settle(school_id, loader.load(school_id, self.projections, self.moved))
        finally:
            loader.close()

    def all(self) -> None:
        """Make whole tables anew beside the old, catch them up, and swap names in one transaction each.

        What an interrupted run has loaded is taken over by the next. Raises RebuildUnderWay.
        """
        fresh = tuple(replace(one, suffix=NEXT) for one in self.projections)
        with _alone(self.store, fresh) as conn:
            for one in fresh:
                _begin(conn, one)
            for school_id, broken in load_all(
                self.store, fresh, self._unloaded(conn, fresh), self.processes, self.moved
            ):
                keep_letters(self.store.log(school_id), broken)
            with ThreadPoolExecutor(self.processes) as pool:
                list(pool.map(self._indexed, fresh))
            for school_id in self.store.schools():
                while turn(self.store.log(school_id), fresh, PAGE):
                    pass
            for one in self.projections:
                _swap(conn, one)
        for school_id in self.store.schools():
            self._settle(school_id, ())

    def _indexed(self, one: Projection) -> None:
        with closing(self.store.connect(projector=True)) as conn:
            create(conn, one, one.table, _pending(conn, one))
            conn.execute(f"ANALYZE {one.table}".encode())

    def _unloaded(self, conn: Connection, fresh: Sequence[Projection]) -> list[tuple[UUID, int]]:
        """Schools to be loaded yet, and the size of each; the rows of a half-loaded one cannot be: one transaction."""
        found = []
        for school_id in self.store.schools():
            with conn.transaction():
                conn.execute("SELECT set_config('app.school', %s, true)", (str(school_id),))
                row = conn.execute(
                    "SELECT count(*) FROM views.positions WHERE school_id = %s AND projection = ANY (%s)",
                    (school_id, [one.table for one in fresh]),
                ).fetchone()
            size = self.store.log(school_id).size()
            if row is not None and row[0] == len(fresh):
                self.moved(size)
            elif size:
                found.append((school_id, size))
        return found

    def _settle(self, school_id: UUID, broken: Sequence[Broken]) -> None:
        log = self.store.log(school_id)
        keep_letters(log, broken)
        log.ask(FORGOTTEN_LETTERS, [one.name for one in self.projections])


def chosen(projections: Sequence[Projection], names: Sequence[str] | None) -> tuple[Projection, ...]:
    """The read models of these names, all for None. Raises UnknownReadModel."""
    by_name = {one.name: one for one in projections}
    for name in names or ():
        if name not in by_name:
            raise UnknownReadModel(f"there is no read model {name!r}: choose from {', '.join(sorted(by_name))}")
    return tuple(projections) if names is None else tuple(by_name[name] for name in dict.fromkeys(names))


@contextmanager
def _alone(store: Store, projections: Sequence[Projection]) -> Iterator[Connection]:
    conn = store.connect(projector=True)
    try:
        for one in sorted(projections, key=lambda one: one.table):
            row = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", (one.table,)).fetchone()
            if row is None or not row[0]:
                raise RebuildUnderWay(f"{one.name} is being made anew by another process: wait until it has finished")
        yield conn
    finally:
        conn.close()


def _begin(conn: Connection, one: Projection) -> None:
    """Make the empty table, or go on with one that an interrupted run of the same code has left."""
    mark = _fingerprint(one)
    row = conn.execute("SELECT obj_description(to_regclass(%s)::oid, 'pg_class')", (one.table,)).fetchone()
    if row is not None and row[0] == mark:
        return
    with conn.transaction():
        conn.execute(f"DROP TABLE IF EXISTS {one.table}".encode())
        _each_school(
            conn, sql.SQL("DELETE FROM views.positions WHERE school_id = s AND projection = {}").format(one.table)
        )
        create(conn, one, one.table, one.schema[:1])
        conn.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier("views", bare(one.table)), mark))
        conn.execute(f"REVOKE SELECT ON {one.table} FROM astrack_service".encode())


def _fingerprint(one: Projection) -> str:
    maker: Callable[..., object] | None = one.evolve or one.rows
    module = sys.modules[maker.__module__] if maker else None
    source = inspect.getsource(module) if module else ""
    return hashlib.sha256(f"{one.version} {source}".encode()).hexdigest()


def _pending(conn: Connection, one: Projection) -> tuple[str, ...]:
    """The keys and indexes still to be made: all, or none where an interrupted run has made them."""
    row = conn.execute("SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(%s)", (one.table,)).fetchone()
    if row is not None and row[0] == len(one.schema) - 1:
        return ()
    return tuple(statement for statement in one.schema[1:] if row is None or row[0] == 0) or one.schema[1:]


def _swap(conn: Connection, one: Projection) -> None:
    """The new table takes the old one's name; nobody's page waits longer than half a second, it is tried again."""
    for attempt in range(SWAP_TRIES):
        try:
            with conn.transaction():
                conn.execute(f"SET LOCAL lock_timeout = {SWAP_WAIT_MS}".encode())
                _swapped(conn, one)
            return
        except psycopg.errors.LockNotAvailable:
            if attempt == SWAP_TRIES - 1:
                raise
            time.sleep(0.1)


def _swapped(conn: Connection, one: Projection) -> None:
    old, new = one.table, one.table + NEXT
    conn.execute("LOCK TABLE views.positions IN EXCLUSIVE MODE")
    conn.execute(f"DROP TABLE IF EXISTS {old}".encode())
    conn.execute(f"ALTER TABLE {new} RENAME TO {bare(old)}".encode())
    conn.execute(f"GRANT SELECT ON {old} TO astrack_service".encode())
    conn.execute("SELECT views.protect()")
    move = "DELETE FROM {t} WHERE school_id = s AND projection = {old};"
    move += " UPDATE {t} SET projection = {old} WHERE school_id = s AND projection = {new}"
    for table, was, now in (("positions", old, new), ("behind", one.name, one.name + NEXT)):
        _each_school(conn, sql.SQL(move).format(t=sql.Identifier("views", table), old=was, new=now))


def _each_school(conn: Connection, statement: sql.Composed) -> None:
    """Run a statement for every school ``s``, in one message: each is seen only in its own name."""
    conn.execute(sql.SQL(
        "DO $each$ DECLARE s uuid; BEGIN FOR s IN SELECT record.list_schools() LOOP"
        " PERFORM set_config('app.school', s::text, true); {}; END LOOP; END $each$").format(statement))  # fmt: skip
