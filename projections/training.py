"""Training of staff: modules finished, the level each attempt showed, its uncertainty; by opaque id, never by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.staff import StaffAdded, StaffLeft, TrainingRecorded
from domain.training import TrainingSat
from projections.shape import capped

NAME, VERSION = "training", 1
KEY = ("staff_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, staff_id uuid NOT NULL, kind text NOT NULL,"
    " modules text[] NOT NULL, attempts int NOT NULL,"
    " level double precision, level_sd double precision, last_on date, here boolean NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, staff_id)",
)


class Row(NamedTuple):
    """One member of staff. ``level``, ``level_sd``: logits after the newest attempt; None before any."""

    staff_id: UUID
    kind: str = "person"
    modules: list[str] = []  # noqa: RUF012
    attempts: int = 0
    level: float | None = None
    level_sd: float | None = None
    last_on: date | None = None
    here: bool = False


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each member of staff: their stream has their id."""
    return (fact.stream_id,)


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.stream_id), fact.event)


def _added(row: Row, event: StaffAdded) -> Row:
    return row._replace(kind=event.kind, here=True)


def _recorded(row: Row, event: TrainingRecorded) -> Row:
    return row._replace(modules=sorted({*row.modules, event.module}), last_on=event.happened_on)


def _sat(row: Row, event: TrainingSat) -> Row:
    return row._replace(
        attempts=row.attempts + 1, level=event.level, level_sd=event.level_sd, last_on=event.happened_on
    )


def _left(row: Row, event: StaffLeft) -> Row:
    return row._replace(here=False)


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    StaffAdded: _added,
    TrainingRecorded: _recorded,
    TrainingSat: _sat,
    StaffLeft: _left,
}
TAKES = frozenset(STEPS)


class Levels(NamedTuple):
    """A school's training: people here, how many finished each module, their mean level and how many have one."""

    people: int
    finished: dict[str, int]
    measured: int
    mean: float | None


def everybody(cur: Cursor[Any], school_id: UUID, limit: int = 1000) -> list[Row]:
    """Those who work here, the least trained first."""
    columns = ", ".join(Row._fields)
    cur.execute(
        f"SELECT {columns} FROM {TABLE} WHERE school_id = %s AND here AND kind = 'person'"
        " ORDER BY cardinality(modules), staff_id LIMIT %s",
        (school_id, capped(limit)),
    )
    return [Row(*row) for row in cur]


def levels(cur: Cursor[Any], school_id: UUID) -> Levels:
    """The school as a whole."""
    people = everybody(cur, school_id, 5000)
    finished: dict[str, int] = {}
    for name in (name for one in people for name in one.modules):
        finished[name] = finished.get(name, 0) + 1
    measured = [one.level for one in people if one.level is not None]
    return Levels(len(people), finished, len(measured), sum(measured) / len(measured) if measured else None)
