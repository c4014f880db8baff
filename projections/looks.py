"""Who looked at whom: one line for each pupil a look was at. Its facts are those of the log of looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Fact
from domain.look import LookTaken, shown_to_pupil
from projections.shape import capped

NAME, VERSION = "looks", 1
KEY = ("seen_id", "position")
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, seen_id uuid NOT NULL, position bigint NOT NULL,"
    " event_id uuid NOT NULL, at timestamptz NOT NULL, by_id uuid NOT NULL, role text NOT NULL, action text NOT NULL,"
    " field_class text NOT NULL, purpose text NOT NULL, shown boolean NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, seen_id, position)",
)
TAKES = frozenset({LookTaken})


class Row(NamedTuple):
    """One look at one pupil. ``shown``: whether the pupil and parents are shown it without a review."""

    seen_id: UUID
    position: int
    event_id: UUID
    at: datetime
    by_id: UUID
    role: str
    action: str
    field_class: str
    purpose: str
    shown: bool


def rows(fact: Fact) -> list[Row]:
    """A line for each pupil of one look; none for looks at nobody in particular."""
    look = fact.event
    assert isinstance(look, LookTaken)
    shown = shown_to_pupil(look)
    return [
        Row(pupil, fact.position, look.event_id, fact.recorded_at, look.by.id, look.by.role, look.action,
            look.field_class, look.purpose, shown)
        for pupil in dict.fromkeys(look.pupils)
    ]  # fmt: skip


COLUMNS = ", ".join(Row._fields)


def of_pupil(
    cur: Cursor[Any],
    log_id: UUID,
    pupil_id: UUID,
    *,
    shown_only: bool,
    not_by: UUID | None = None,
    without: Sequence[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[Row]:
    """The newest looks at a pupil, newest first, without those ``not_by`` or in the roles ``without``.

    ``before``: the last position seen.
    """
    end = (1 << 62) if before is None else before
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE school_id = %s AND seen_id = %s AND (shown OR NOT %s)"
        " AND by_id IS DISTINCT FROM %s AND role <> ALL (%s) AND position < %s ORDER BY position DESC LIMIT %s",
        (log_id, pupil_id, shown_only, not_by, list(without), end, capped(limit)),
    )
    return [Row(*row) for row in cur]
