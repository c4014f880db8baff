"""How long each record is kept, and which are due for somebody's decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.identity import IdentityRecorded
from domain.journey import facts as f
from domain.rights import retention as r
from projections.shape import capped

NAME, VERSION = "retention", 1
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, born_on date, released_on date,"
    " retention_class text NOT NULL, holds text[] NOT NULL, kept_until date, to_erase boolean NOT NULL,"
    " restricted boolean NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
)


class Row(NamedTuple):
    """One pupil's record. ``released_on``: what is here is a copy since then; ``holds``: the ids of legal holds."""

    pupil_id: UUID
    born_on: date | None = None
    released_on: date | None = None
    retention_class: str = "general"
    holds: list[str] = []  # noqa: RUF012 - never changed in place
    kept_until: date | None = None
    to_erase: bool = False
    restricted: bool = False


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.pupil_id or UUID(int=0)), fact.event, fact)


def _released(row: Row, event: Event, fact: Fact) -> Row:
    return row if fact.origin else row._replace(released_on=fact.recorded_at.date())


STEPS: dict[type[Event], Callable[[Row, Any, Fact], Row]] = {
    IdentityRecorded: lambda row, event, fact: row._replace(born_on=event.person.date_of_birth),
    f.CustodyReleased: _released,
    f.RecordReceived: lambda row, event, fact: row._replace(released_on=None),
    f.ProcessingRestricted: lambda row, event, fact: row._replace(restricted=True),
    f.RestrictionLifted: lambda row, event, fact: row._replace(restricted=False),
    r.RetentionClassSet: lambda row, event, fact: row._replace(retention_class=event.retention_class),
    r.HoldPlaced: lambda row, event, fact: row._replace(holds=[*row.holds, str(event.hold_id)]),
    r.HoldReleased: lambda row, event, fact: row._replace(
        holds=[one for one in row.holds if one != str(event.hold_id)]),
    r.RetentionReviewed: lambda row, event, fact: row._replace(
        kept_until=event.until_on, to_erase=event.decision == "erase"),
}  # fmt: skip
TAKES = frozenset(STEPS)
COLUMNS = ", ".join(Row._fields)
REVIEW_ON = (
    "greatest(kept_until, least((born_on + (%s::jsonb ->> retention_class)::int * interval '1 year')::date,"
    " (released_on + (%s::jsonb ->> retention_class)::int * interval '1 year')::date))"
)


class Due(NamedTuple):
    """A record that waits for a decision since a day."""

    row: Row
    review_on: date


def due(
    cur: Cursor[Any],
    school_id: UUID,
    today: date,
    policy: Mapping[str, r.RetentionRule] = r.POLICY,
    *,
    after: tuple[date, UUID] | None = None,
    limit: int = 100,
) -> list[Due]:
    """Records whose time is up by ``today`` and those that somebody decided to erase; the longest waiting first."""
    years = "{" + ", ".join(f'"{name}": {one.years_from_birth}' for name, one in policy.items()) + "}"
    copies = "{" + ", ".join(f'"{name}": {one.copy_years}' for name, one in policy.items()) + "}"
    cur.execute(
        f"SELECT * FROM (SELECT {COLUMNS}, coalesce({REVIEW_ON}, %s) AS review_on FROM {TABLE} WHERE school_id = %s) t"
        " WHERE (review_on <= %s OR to_erase) AND (review_on, pupil_id) > (%s, %s)"
        " ORDER BY review_on, pupil_id LIMIT %s",
        (years, copies, date.max, school_id, today, *(after or (date.min, UUID(int=0))), capped(limit)),
    )
    return [Due(Row(*row[:-1]), row[-1]) for row in cur]


def restricted(cur: Cursor[Any], school_id: UUID, limit: int = 5_000) -> frozenset[UUID]:
    """The pupils whose record is kept and not used."""
    cur.execute(f"SELECT pupil_id FROM {TABLE} WHERE school_id = %s AND restricted LIMIT %s", (school_id, limit))
    return frozenset(pupil_id for (pupil_id,) in cur)
