"""Every request about a record and where it stands: what is due, what waits, what was answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.rights import requests as r
from projections.shape import capped

NAME, VERSION = "rights_desk", 1
KEY = ("request_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, request_id uuid NOT NULL, pupil_id uuid, kind text NOT NULL,"
    " asked_by text NOT NULL, received_on date, state text NOT NULL, stopped_on date, stopped_why text NOT NULL,"
    " stopped_days int NOT NULL, extended boolean NOT NULL, waiting int NOT NULL, answered_on date,"
    " outcome text NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, request_id)",
    "CREATE INDEX ON {table} (school_id, state, received_on, request_id)",
    "CREATE INDEX ON {table} (school_id, pupil_id)",
)


class Row(NamedTuple):
    """One request. ``state``: running, stopped, answered, withdrawn; ``waiting``: items nobody reviewed yet."""

    request_id: UUID
    pupil_id: UUID | None = None
    kind: str = "access"
    asked_by: str = "pupil"
    received_on: date | None = None
    state: str = "running"
    stopped_on: date | None = None
    stopped_why: str = ""
    stopped_days: int = 0
    extended: bool = False
    waiting: int = 0
    answered_on: date | None = None
    outcome: str = ""

    @property
    def request(self) -> r.Request:
        """As much of the request as its clock needs."""
        if self.received_on is None or self.pupil_id is None:
            return r.Request()
        received = r.RequestReceived.model_construct(
            request_id=self.request_id, pupil_id=self.pupil_id, kind=self.kind, happened_on=self.received_on
        )
        return r.Request(received, self.stopped_on, self.stopped_why, self.stopped_days, self.extended)


def key(fact: Fact) -> tuple[UUID]:
    """One row for each request: its stream has its id."""
    return (fact.stream_id,)


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.stream_id, fact.pupil_id), fact.event)


def _received(row: Row, event: r.RequestReceived) -> Row:
    return row._replace(pupil_id=event.pupil_id, kind=event.kind, asked_by=event.asked_by,
                        received_on=event.happened_on)  # fmt: skip


def _stopped(row: Row, event: r.ClockStopped) -> Row:
    return row._replace(state="stopped", stopped_on=event.happened_on, stopped_why=event.why)


def _started(row: Row, event: r.ClockStarted) -> Row:
    days = (event.happened_on - row.stopped_on).days if row.stopped_on else 0
    return row._replace(state="running", stopped_on=None, stopped_why="", stopped_days=row.stopped_days + days)


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    r.RequestReceived: _received,
    r.ClockStopped: _stopped,
    r.ClockStarted: _started,
    r.TimeExtended: lambda row, event: row._replace(extended=True),
    r.ItemWithheld: lambda row, event: row._replace(waiting=row.waiting + 1),
    r.WithholdingReviewed: lambda row, event: row._replace(waiting=max(0, row.waiting - 1)),
    r.RequestAnswered: lambda row, event: row._replace(
        state="answered", answered_on=event.happened_on, outcome=event.outcome),
    r.RequestWithdrawn: lambda row, event: row._replace(state="withdrawn", answered_on=event.happened_on),
}  # fmt: skip
TAKES = frozenset(STEPS)
COLUMNS = ", ".join(Row._fields)


def listed(
    cur: Cursor[Any],
    school_id: UUID,
    *,
    open_only: bool = True,
    after: tuple[date, UUID] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Requests, those that arrived first first; ``after`` is (received_on, request_id) of the last one seen."""
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE school_id = %s AND (NOT %s OR state IN ('running', 'stopped'))"
        " AND (received_on, request_id) > (%s, %s) ORDER BY received_on, request_id LIMIT %s",
        (school_id, open_only, *(after or (date.min, UUID(int=0))), capped(limit)),
    )
    return [Row(*row) for row in cur]


def of_pupil(cur: Cursor[Any], school_id: UUID, pupil_id: UUID, limit: int = 50) -> list[Row]:
    """The requests about one pupil, the newest first."""
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} WHERE school_id = %s AND pupil_id = %s"
        " ORDER BY received_on DESC, request_id LIMIT %s",
        (school_id, pupil_id, capped(limit)),
    )
    return [Row(*row) for row in cur]
