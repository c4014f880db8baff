"""Who is here: names, year groups, groups and custody of every pupil; the other pages take their names from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.identity import IdentityRecorded
from domain.journey import facts as f
from domain.scope import Scope
from projections.shape import capped, in_scope, memberships, untag

NAME, VERSION = "pupils", 2
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, surname text NOT NULL,"
    " called text NOT NULL, forename text NOT NULL, upn text, date_of_birth date, sex text NOT NULL, year_group int,"
    " tags text[] NOT NULL, joined_on date, left_on date, on_roll boolean NOT NULL, custody text NOT NULL,"
    " opted_out boolean NOT NULL, owned_by_student boolean NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
    "CREATE INDEX ON {table} (school_id, surname, called, pupil_id)",
)


class Row(NamedTuple):
    """One pupil. ``tags``: "dimension=name" and "year=N" (see ``groups_of``); ``custody`` as in domain.journey.state.

    ``on_roll``: joined this school or received by it, not left, record not released. Names are "" until the identity
    is recorded.
    """

    pupil_id: UUID
    surname: str = ""
    called: str = ""
    forename: str = ""
    upn: str | None = None
    date_of_birth: date | None = None
    sex: str = ""
    year_group: int | None = None
    tags: list[str] = memberships(None, ())
    joined_on: date | None = None
    left_on: date | None = None
    on_roll: bool = False
    custody: str = "nobody"
    opted_out: bool = False
    owned_by_student: bool = False

    @property
    def name(self) -> str:
        """First name and surname, as on a class list."""
        return f"{self.called} {self.surname}".strip()


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.pupil_id or UUID(int=0)), fact.event, fact)


def _identity(row: Row, event: IdentityRecorded, fact: Fact) -> Row:
    one = event.person
    return row._replace(
        surname=one.surname, called=one.called, forename=one.forename, upn=one.upn,
        date_of_birth=one.date_of_birth, sex=one.sex,
    )  # fmt: skip


def _enrolled(row: Row, event: f.PupilEnrolled, fact: Fact) -> Row:
    custody = "held" if row.custody == "nobody" else row.custody
    return row._replace(
        year_group=event.year_group, tags=memberships(event.year_group, event.groups), joined_on=event.happened_on,
        left_on=None, on_roll=custody != "released", custody=custody,
    )  # fmt: skip


def _regrouped(row: Row, event: f.PupilRegrouped, fact: Fact) -> Row:
    return row._replace(year_group=event.year_group, tags=memberships(event.year_group, event.groups))


def _left(row: Row, event: f.PupilLeft, fact: Fact) -> Row:
    return row._replace(left_on=event.happened_on, on_roll=False)


def _prepared(row: Row, event: f.TransferPrepared, fact: Fact) -> Row:
    return row._replace(custody="frozen") if event.kind == "school" else row


def _released(row: Row, event: Event, fact: Fact) -> Row:
    return row._replace(custody="released", on_roll=False)


def _held(row: Row, event: Event, fact: Fact) -> Row:
    return row._replace(custody="held")


def _received(row: Row, event: Event, fact: Fact) -> Row:
    # from here on somebody at this school must see them, whether or not a roster names them already
    return row._replace(custody="held", left_on=None, on_roll=True)


def _supplemented(row: Row, event: f.SupplementReceived, fact: Fact) -> Row:
    return row._replace(custody="held", on_roll=row.left_on is None) if event.held else _released(row, event, fact)


def _passed(row: Row, event: Event, fact: Fact) -> Row:
    return row._replace(owned_by_student=True)


def _opted_out(row: Row, event: Event, fact: Fact) -> Row:
    return row._replace(opted_out=True)


def _opted_in(row: Row, event: Event, fact: Fact) -> Row:
    return row._replace(opted_out=False)


STEPS: dict[type[Event], Callable[[Row, Any, Fact], Row]] = {
    IdentityRecorded: _identity,
    f.PupilEnrolled: _enrolled,
    f.PupilRegrouped: _regrouped,
    f.PupilLeft: _left,
    f.TransferPrepared: _prepared,
    f.CustodyReleased: _released,
    f.TransferWithdrawn: _held,
    f.RecordReceived: _received,
    f.SupplementReceived: _supplemented,
    f.OwnershipPassed: _passed,
    f.OptOutRecorded: _opted_out,
    f.OptOutEnded: _opted_in,
}
TAKES = frozenset(STEPS)
COLUMNS = ", ".join(f"p.{name}" for name in Row._fields)


def listed(
    cur: Cursor[Any],
    school_id: UUID,
    scope: Scope,
    *,
    on_roll: bool = True,
    search: str = "",
    after: tuple[str, str, UUID] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Pupils in scope by surname; ``after`` is (surname, called, pupil_id) of the last one seen.

    ``search`` keeps those whose first name, surname or UPN begins with it. ``on_roll`` False gives all.
    """
    scoped, values = in_scope(scope)
    begins = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} p WHERE p.school_id = %s AND {scoped} AND (p.on_roll OR NOT %s)"
        " AND (p.surname ILIKE %s OR p.called ILIKE %s OR p.forename ILIKE %s OR p.upn ILIKE %s)"
        " AND (p.surname, p.called, p.pupil_id) > (%s, %s, %s) ORDER BY p.surname, p.called, p.pupil_id LIMIT %s",
        (school_id, *values, on_roll, *[begins] * 4, *(after or ("", "", UUID(int=0))), capped(limit)),
    )
    return [Row(*row) for row in cur]


def found(cur: Cursor[Any], school_id: UUID, pupil_ids: Iterable[UUID]) -> dict[UUID, Row]:
    """The rows of these pupils; one that is not here is left out."""
    cur.execute(f"SELECT {COLUMNS} FROM {TABLE} p WHERE p.school_id = %s AND p.pupil_id = ANY (%s)",
                (school_id, list(pupil_ids)))  # fmt: skip
    return {row[0]: Row(*row) for row in cur}


def leavers(cur: Cursor[Any], school_id: UUID, since: date, below_year: int, limit: int = 500) -> list[Row]:
    """Who left since a day, below a year group, and whose record is still held here: the longest gone first."""
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} p WHERE p.school_id = %s AND p.left_on >= %s AND p.custody = 'held'"
        " AND coalesce(p.year_group, 0) < %s ORDER BY p.left_on, p.pupil_id LIMIT %s",
        (school_id, since, below_year, capped(limit)),
    )
    return [Row(*row) for row in cur]


def left_out(cur: Cursor[Any], school_id: UUID, scope: Scope, limit: int = 20) -> list[Row]:
    """Pupils on roll in scope of whom some read model misses a fact it could not take: lists may not show them."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT {COLUMNS} FROM {TABLE} p WHERE p.school_id = %s AND p.on_roll AND {scoped} AND p.pupil_id IN"
        " (SELECT b.pupil_id FROM views.behind b WHERE b.school_id = %s AND b.projection NOT LIKE '%%\\_\\_next')"
        " ORDER BY p.surname, p.called, p.pupil_id LIMIT %s",
        (school_id, *values, school_id, capped(limit)),
    )
    return [Row(*row) for row in cur]


def dimensions(cur: Cursor[Any], school_id: UUID, scope: Scope) -> dict[str, dict[str, int]]:
    """Dimension -> name -> how many pupils on roll in scope; the year groups are the dimension "year"."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT t.tag, count(*) FROM {TABLE} p, unnest(p.tags) AS t(tag) WHERE p.school_id = %s AND p.on_roll"
        f" AND {scoped} GROUP BY t.tag ORDER BY t.tag LIMIT 5000",
        (school_id, *values),
    )
    made: dict[str, dict[str, int]] = {}
    for text, count in cur:
        dimension, name = untag(text)
        made.setdefault(dimension, {})[name] = count
    return made


def on_roll(cur: Cursor[Any], school_id: UUID, scope: Scope) -> int:
    """How many pupils in scope are on roll."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT count(*) FROM {TABLE} p WHERE p.school_id = %s AND p.on_roll AND {scoped}", (school_id, *values)
    )
    return int(next(iter(cur))[0])


def groups_of(row: Row) -> list[tuple[str, str]]:
    """(dimension, name) of every group of a pupil, the year group left out."""
    return [untag(text) for text in row.tags if not text.startswith("year=")]
