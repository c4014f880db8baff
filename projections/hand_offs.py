"""Hand-offs to the DSL (designated safeguarding lead) that nobody has taken up: whose and since when, nothing more."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Fact
from domain.safeguarding import HandOffAcknowledged, HandOffMade
from projections.shape import capped

NAME, VERSION = "hand_offs", 1
KEY = ("hand_off_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, hand_off_id uuid NOT NULL, pupil_id uuid NOT NULL,"
    " made_on date, taken_up_on date)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, hand_off_id)",
    "CREATE INDEX ON {table} (school_id, made_on, hand_off_id) WHERE taken_up_on IS NULL",
)


class Row(NamedTuple):
    """One hand-off. The reference into the school's own system stays with the pupil's facts, under their key."""

    hand_off_id: UUID
    pupil_id: UUID
    made_on: date | None = None
    taken_up_on: date | None = None


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each hand-off of a pupil."""
    event = fact.event
    known = isinstance(event, HandOffMade | HandOffAcknowledged)
    return (event.hand_off_id,) if known and fact.pupil_id else None  # type: ignore[attr-defined]


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    event = fact.event
    if isinstance(event, HandOffMade):
        made = row or Row(event.hand_off_id, fact.pupil_id or UUID(int=0))
        return made._replace(made_on=event.happened_on)
    assert isinstance(event, HandOffAcknowledged)
    made = row or Row(event.hand_off_id, fact.pupil_id or UUID(int=0))
    return made._replace(taken_up_on=event.recorded_at.date())


TAKES = frozenset({HandOffMade, HandOffAcknowledged})


def waiting(cur: Cursor[Any], school_id: UUID, limit: int = 100) -> list[Row]:
    """Those nobody has taken up, the longest waiting first."""
    cur.execute(
        f"SELECT {', '.join(Row._fields)} FROM {TABLE} WHERE school_id = %s AND taken_up_on IS NULL"
        " AND made_on IS NOT NULL ORDER BY made_on, hand_off_id LIMIT %s",
        (school_id, capped(limit)),
    )
    return [Row(*row) for row in cur]
