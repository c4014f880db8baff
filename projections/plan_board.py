"""Action plans: the open ones with their owner and next look, the closed ones with what came of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.journey import facts as f
from domain.scope import Scope
from projections import pupils
from projections.risk_register import LOOK_DAYS
from projections.shape import NOBODY, capped, in_scope

NAME, VERSION = "plan_board", 1
KEY = ("plan_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, plan_id uuid NOT NULL, pupil_id uuid NOT NULL, kind text NOT NULL,"
    " tier int NOT NULL, goal text NOT NULL, factor text, context text, pole text, owner_id uuid NOT NULL,"
    " opened_on date NOT NULL, start_on date NOT NULL, end_on date NOT NULL, monitoring text NOT NULL,"
    " looked_on date NOT NULL, due_on date NOT NULL, going text, came text, closed_on date, group_plan_id uuid,"
    " origin text NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, plan_id)",
    "CREATE INDEX ON {table} (school_id, due_on, plan_id) WHERE came IS NULL",
    "CREATE INDEX ON {table} (school_id, pupil_id)",
)


class Row(NamedTuple):
    """One plan. ``due_on``: the next day to look at it, at most ``end_on``; ``came`` None while it runs."""

    plan_id: UUID
    pupil_id: UUID = NOBODY
    kind: str = ""
    tier: int = 2
    goal: str = ""
    factor: str | None = None
    context: str | None = None
    pole: str | None = None
    owner_id: UUID = NOBODY
    opened_on: date = date.min
    start_on: date = date.min
    end_on: date = date.min
    monitoring: str = "weekly"
    looked_on: date = date.min
    due_on: date = date.min
    going: str | None = None
    came: str | None = None
    closed_on: date | None = None
    group_plan_id: UUID | None = None
    origin: str = ""


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each plan."""
    return (fact.event.plan_id,) if fact.pupil_id else None  # type: ignore[attr-defined]


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more; a plan whose opening is not on this record keeps empty fields."""
    plan_id = fact.event.plan_id  # type: ignore[attr-defined]
    return STEPS[type(fact.event)](row or Row(plan_id, fact.pupil_id or NOBODY), fact.event, fact)


def _opened(row: Row, event: f.PlanOpened, fact: Fact) -> Row:
    return _timed(
        row._replace(
            kind=event.kind, tier=event.tier, goal=event.goal, factor=event.factor, context=event.context,
            pole=event.pole, owner_id=event.owner_id, opened_on=event.day, start_on=event.start_on,
            end_on=event.end_on, monitoring=event.monitoring, looked_on=event.start_on,
            group_plan_id=event.group_plan_id, origin=fact.origin,
        )
    )  # fmt: skip


def _monitored(row: Row, event: f.PlanMonitored, fact: Fact) -> Row:
    return _timed(row._replace(looked_on=event.day, going=event.going))


def _reviewed(row: Row, event: f.PlanReviewed, fact: Fact) -> Row:
    return _timed(row._replace(looked_on=event.day, end_on=event.end_on))


def _closed(row: Row, event: f.PlanClosed, fact: Fact) -> Row:
    return row._replace(came=event.came, closed_on=event.day)


def _timed(row: Row) -> Row:
    due = row.looked_on + timedelta(days=LOOK_DAYS.get(row.monitoring, 7))
    return row._replace(due_on=min(due, row.end_on))


STEPS: dict[type[Event], Callable[[Row, Any, Fact], Row]] = {
    f.PlanOpened: _opened,
    f.PlanMonitored: _monitored,
    f.PlanReviewed: _reviewed,
    f.PlanClosed: _closed,
}
TAKES = frozenset(STEPS)
COLUMNS = ", ".join(f"b.{name}" for name in Row._fields)


class Line(NamedTuple):
    """A plan and whose it is; ``overdue`` when its next look, or its end, has passed."""

    plan: Row
    pupil: pupils.Row
    overdue: bool


def running(
    cur: Cursor[Any],
    school_id: UUID,
    scope: Scope,
    today: date,
    *,
    owner_id: UUID | None = None,
    after: tuple[date, UUID] | None = None,
    limit: int = 60,
) -> list[Line]:
    """Open plans of pupils on roll in scope, the next due first; ``after`` is (due_on, plan_id) of the last seen."""
    where = (
        "b.came IS NULL AND p.on_roll AND (%s::uuid IS NULL OR b.owner_id = %s) AND (b.due_on, b.plan_id) > (%s, %s)"
    )
    values = (owner_id, owner_id, *(after or (date.min, NOBODY)))
    return _lines(cur, school_id, scope, today, where, values, "b.due_on, b.plan_id", limit)


def ended(cur: Cursor[Any], school_id: UUID, scope: Scope, today: date, limit: int = 60) -> list[Line]:
    """Closed plans of pupils in scope, the last closed first."""
    order = "b.closed_on DESC, b.plan_id"
    return _lines(cur, school_id, scope, today, "b.came IS NOT NULL", (), order, limit)


def came_of(cur: Cursor[Any], school_id: UUID, scope: Scope) -> dict[str, int]:
    """What came of the closed plans of pupils in scope: how many of each."""
    scoped, names = in_scope(scope)
    cur.execute(
        f"SELECT b.came, count(*) FROM {TABLE} b JOIN {pupils.TABLE} p ON p.school_id = b.school_id"
        f" AND p.pupil_id = b.pupil_id WHERE b.school_id = %s AND {scoped} AND b.came IS NOT NULL GROUP BY b.came",
        (school_id, *names),
    )
    return dict(cur)


def waiting(cur: Cursor[Any], school_id: UUID, today: date) -> dict[UUID, tuple[int, int]]:
    """For each owner of running plans: how many are due for a look today, and how many were due before."""
    cur.execute(
        f"SELECT b.owner_id, count(*) FILTER (WHERE b.due_on = %s), count(*) FILTER (WHERE b.due_on < %s) FROM {TABLE}"
        f" b JOIN {pupils.TABLE} p ON p.school_id = b.school_id AND p.pupil_id = b.pupil_id WHERE b.school_id = %s"
        " AND b.came IS NULL AND p.on_roll AND b.due_on <= %s GROUP BY b.owner_id ORDER BY b.owner_id LIMIT 5000",
        (today, today, school_id, today),
    )
    return {row[0]: (row[1], row[2]) for row in cur}


def of_pupil(cur: Cursor[Any], school_id: UUID, pupil_id: UUID, limit: int = 100) -> list[Row]:
    """Every plan of one pupil, the newest first."""
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} b WHERE b.school_id = %s AND b.pupil_id = %s"
        " ORDER BY b.start_on DESC, b.plan_id LIMIT %s",
        (school_id, pupil_id, capped(limit)),
    )
    return [Row(*row) for row in cur]


def _lines(
    cur: Cursor[Any], school_id: UUID, scope: Scope, today: date, where: str, values: tuple[Any, ...], order: str,
    limit: int,
) -> list[Line]:  # fmt: skip
    scoped, names = in_scope(scope)
    cur.execute(
        f"SELECT {COLUMNS}, {pupils.COLUMNS} FROM {TABLE} b JOIN {pupils.TABLE} p ON p.school_id = b.school_id"
        f" AND p.pupil_id = b.pupil_id WHERE b.school_id = %s AND {scoped} AND {where} ORDER BY {order} LIMIT %s",
        (school_id, *names, *values, capped(limit)),
    )
    width = len(Row._fields)
    found = [(Row(*row[:width]), pupils.Row(*row[width:])) for row in cur]
    return [Line(plan, pupil, plan.came is None and plan.due_on < today) for plan, pupil in found]
