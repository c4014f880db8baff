"""The tables of the views: made where missing, rows in and out of them, the place each has reached."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from astrack.store.pool import Connection
from astrack.views.fold import Broken
from projections.shape import Key, Projection, Row

LOCK = 0x61737476
NEXT = "__next"


def bare(table: str) -> str:
    """The name of a table without its schema."""
    return table.partition(".")[2]


def create(conn: Connection, projection: Projection, table: str, statements: Sequence[str]) -> None:
    """Run statements of a read model's schema for a table of this name."""
    for statement in statements:
        conn.execute(statement.replace("{table}", table).encode())


class Tables:
    """Makes the tables of these read models where they are missing, once for each process."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        self._projections = projections
        self._ready = threading.Event()

    def prepare(self, conn: Connection) -> None:
        """Create what is missing. Two processes that start at once do not fight."""
        if self._ready.is_set():
            return
        if self._missing(conn):
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            for one in self._missing(conn):
                create(conn, one, one.table, one.schema)
            conn.execute("SELECT views.protect()")

    def prepared(self) -> None:
        """Note that the transaction of ``prepare`` has been committed."""
        self._ready.set()

    @property
    def ready(self) -> bool:
        """Whether every table is known to be there."""
        return self._ready.is_set()

    def _missing(self, conn: Connection) -> list[Projection]:
        # not to_regclass: it may answer from before the wait for the lock, out of what this connection remembers
        rows = conn.execute("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'views'")
        there = {name for (name,) in rows}
        return [one for one in self._projections if one.table not in there]


def quoted(names: Iterable[str]) -> str:
    """Column names for SQL."""
    return ", ".join(f'"{name}"' for name in names)


def load_rows(conn: Connection, school: UUID, projection: Projection, keys: Sequence[Key]) -> dict[Key, Row]:
    """The rows of these keys as the fold knows them; a fold's keys are ids."""
    if not keys:
        return {}
    arrays = [list(column) for column in zip(*keys, strict=True)]
    wanted = ", ".join("%s::uuid[]" for _ in arrays)
    cursor = conn.execute(
        f"SELECT {quoted(projection.columns)} FROM {projection.table} WHERE school_id = %s"
        f" AND ({quoted(projection.key)}) IN (SELECT * FROM unnest({wanted}))".encode(),
        (school, *arrays),
    )
    places = [projection.columns.index(name) for name in projection.key]
    return {tuple(row[place] for place in places): projection.row(*row) for row in cursor}


def upsert(conn: Connection, school: UUID, projection: Projection, rows: Sequence[Row]) -> None:
    """Put rows in place of those with the same keys, in one statement."""
    if not rows:
        return
    columns, others = quoted(projection.columns), [one for one in projection.columns if one not in projection.key]
    newer = ", ".join(f'"{one}" = EXCLUDED."{one}"' for one in others)
    conn.execute(
        f"INSERT INTO {projection.table} (school_id, {columns}) SELECT %s, {columns}"
        f" FROM json_populate_recordset(NULL::{projection.table}, %s)"
        f" ON CONFLICT (school_id, {quoted(projection.key)}) DO UPDATE SET {newer}".encode(),
        (school, as_json([dict(zip(projection.columns, map(told, row), strict=True)) for row in rows])),
    )


def told(value: object) -> object:
    """A value as JSON may carry it: bytes as PostgreSQL writes them."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def as_json(value: object) -> str:
    """JSON text that PostgreSQL takes: NUL characters, which it cannot hold, become U+FFFD."""
    text = to_json(value)
    return (to_json(without_nul(from_json(text))) if b"\\u0000" in text else text).decode()


def without_nul(value: Any) -> Any:
    """The same value with U+FFFD where NUL was, in every text inside."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {without_nul(name): without_nul(one) for name, one in value.items()}
    return [without_nul(one) for one in value] if isinstance(value, list) else value


def lease(conn: Connection, school: UUID, tables: Sequence[str], *, wait: bool) -> dict[str, int] | None:
    """Take the places of these tables for this transaction: table -> position of the last fact taken, -1 for none.

    Whoever holds them is the only one that writes this school's rows. None when they are held and ``wait`` is False.
    """
    query = "SELECT projection, position FROM views.positions WHERE school_id = %s AND projection = ANY (%s)"
    query += " ORDER BY projection FOR UPDATE" + ("" if wait else " SKIP LOCKED")
    held: dict[str, int] = dict(conn.execute(query.encode(), (school, list(tables))).fetchall())
    if len(held) < len(tables):
        conn.execute(
            "INSERT INTO views.positions SELECT %s, t, -1 FROM unnest(%s::text[]) AS t ORDER BY t"
            " ON CONFLICT DO NOTHING",
            (school, list(tables)),
        )
        held = dict(conn.execute(query.encode(), (school, list(tables))).fetchall())
    return held if len(held) == len(tables) else None


def advance(conn: Connection, school: UUID, tables: Sequence[str], position: int) -> None:
    """Say that these tables have taken every fact up to a position."""
    conn.execute(
        "UPDATE views.positions SET position = greatest(position, %s) WHERE school_id = %s AND projection = ANY (%s)",
        (position, school, list(tables)),
    )


def mark_behind(conn: Connection, school: UUID, broken: Sequence[Broken], suffix: str = "") -> None:
    """Note which facts are missing from which read model (``suffix`` while it is made), so that pages can say so."""
    for one in broken:
        conn.execute(
            "INSERT INTO views.behind VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (school, one.projection + suffix, one.position, one.pupil_id),
        )
