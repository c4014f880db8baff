"""What is known of pupils' background, for rates by group alone: no list, search or scope reads this table."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.background import BackgroundStated
from domain.base import Fact
from projections.shape import NOBODY

NAME, VERSION = "background", 1
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, known json NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
)
TAKES = frozenset({BackgroundStated})
ROWS_MAX = 50_000


class Row(NamedTuple):
    """One pupil: (what a field is called, what is known of it) of every field of which something is."""

    pupil_id: UUID
    known: list[tuple[str, str]] = []  # noqa: RUF012


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil of whom anything was stated."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    event = fact.event
    assert isinstance(event, BackgroundStated)
    return (row or Row(fact.pupil_id or NOBODY))._replace(known=event.background.groups())


def known(cur: Cursor[Any], school_id: UUID, fields: frozenset[str]) -> dict[UUID, list[tuple[str, str]]]:
    """What is known of each pupil in these fields (as they are called)."""
    if not fields:
        return {}
    cur.execute(f"SELECT pupil_id, known FROM {TABLE} WHERE school_id = %s LIMIT %s", (school_id, ROWS_MAX))
    return {pupil_id: [(of, said) for of, said in pairs if of in fields] for pupil_id, pairs in cur}
