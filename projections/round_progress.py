"""How far each assessment round has come: who was expected, who sat, who said not today, who is absent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.journey import facts as f
from domain.round import RoundClosed, RoundOpened
from domain.scope import Scope
from projections import pupils
from projections.shape import NOBODY, capped, in_scope, tag, untag

NAME, VERSION = "round_progress", 3
KEY = ("round_id", "pupil_id")
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, round_id uuid NOT NULL, pupil_id uuid NOT NULL, name text,"
    " opens_on date, closes_on date, year_groups int[] NOT NULL, instrument text, instrument_version int,"
    " closed boolean NOT NULL, sat_on date, usable boolean, mode text, again boolean NOT NULL,"
    " not_today_on date)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, round_id, pupil_id)",
    "CREATE INDEX ON {table} (school_id, opens_on DESC, round_id) WHERE opens_on IS NOT NULL",
)


class Row(NamedTuple):
    """Either a round itself (``pupil_id`` is NOBODY; name, days, year groups) or what one pupil did in it.

    ``again``: the first sitting could not be read, so a second was offered; ``usable``: whether one of them can be;
    ``not_today_on``: the last day of the round on which the pupil said "not today".
    """

    round_id: UUID
    pupil_id: UUID = NOBODY
    name: str | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    year_groups: list[int] = []  # noqa: RUF012
    instrument: str | None = None
    instrument_version: int | None = None
    closed: bool = False
    sat_on: date | None = None
    usable: bool | None = None
    mode: str | None = None
    again: bool = False
    not_today_on: date | None = None


def key(fact: Fact) -> tuple[UUID, UUID] | None:
    """One row for each round and one for each pupil who sat it here, or said "not today"."""
    event: Any = fact.event
    if isinstance(event, f.AssessmentSat | f.NotTodaySaid):
        ours = event.round_id is not None and fact.pupil_id is not None and not fact.origin
        return (event.round_id, fact.pupil_id) if ours else None  # type: ignore[return-value]
    return (event.round_id, NOBODY)


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    event: Any = fact.event
    return STEPS[type(event)](row or Row(event.round_id, fact.pupil_id or NOBODY), event)


def _opened(row: Row, event: RoundOpened) -> Row:
    return row._replace(
        pupil_id=NOBODY, name=event.name, opens_on=event.opens_on, closes_on=event.closes_on,
        year_groups=sorted(event.year_groups), instrument=event.instrument,
        instrument_version=event.instrument_version,
    )  # fmt: skip


def _closed(row: Row, event: RoundClosed) -> Row:
    return row._replace(pupil_id=NOBODY, closed=True)


def _sat(row: Row, event: f.AssessmentSat) -> Row:
    again = row.again or (row.sat_on is None and not event.usable)
    return row._replace(sat_on=event.happened_on, usable=bool(row.usable or event.usable), mode=event.mode, again=again)


def _not_today(row: Row, event: f.NotTodaySaid) -> Row:
    return row._replace(not_today_on=max(row.not_today_on or event.day, event.day))


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    RoundOpened: _opened,
    RoundClosed: _closed,
    f.AssessmentSat: _sat,
    f.NotTodaySaid: _not_today,
}
TAKES = frozenset(STEPS)
EXPECTED = "p.on_roll AND NOT p.opted_out AND p.year_group = ANY (r.year_groups)"


class Progress(NamedTuple):
    """A round in numbers of pupils in scope: ``expected`` now (on roll, of its year groups, not opted out), ``sat``;
    of those expected who have not sat, ``not_today``: who said so on some day of it, and ``absent``: the others.
    """

    round_id: UUID
    name: str
    opens_on: date
    closes_on: date
    year_groups: list[int]
    closed: bool
    expected: int
    sat: int
    not_today: int
    absent: int


def rounds(cur: Cursor[Any], school_id: UUID, scope: Scope, limit: int = 30) -> list[Progress]:
    """The school's rounds, the newest first."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT r.round_id, r.name, r.opens_on, r.closes_on, r.year_groups, r.closed, e.pupils, s.sat, s.not_today,"
        f" e.pupils - s.met FROM {TABLE} r, LATERAL (SELECT count(*) AS pupils FROM {pupils.TABLE} p"
        f" WHERE p.school_id = r.school_id AND {EXPECTED} AND {scoped}) e, LATERAL (SELECT"
        f" count(*) FILTER (WHERE s.sat_on IS NOT NULL) AS sat, count(*) FILTER (WHERE {EXPECTED}) AS met,"
        f" count(*) FILTER (WHERE s.sat_on IS NULL AND {EXPECTED}) AS not_today FROM {TABLE} s JOIN {pupils.TABLE} p"
        f" ON p.school_id = s.school_id AND p.pupil_id = s.pupil_id WHERE s.school_id = r.school_id"
        f" AND s.round_id = r.round_id AND {scoped}) s"
        " WHERE r.school_id = %s AND r.opens_on IS NOT NULL ORDER BY r.opens_on DESC, r.round_id LIMIT %s",
        (*values, *values, school_id, capped(limit)),
    )
    return [Progress(*row) for row in cur]


class Span(NamedTuple):
    """The first and last days of a round."""

    round_id: UUID
    opens_on: date
    closes_on: date


def spans(cur: Cursor[Any], school_id: UUID, limit: int = 30) -> list[Span]:
    """The days of the school's rounds, the newest first."""
    cur.execute(
        f"SELECT round_id, opens_on, closes_on FROM {TABLE} WHERE school_id = %s AND opens_on IS NOT NULL"
        " ORDER BY opens_on DESC, round_id LIMIT %s",
        (school_id, capped(limit)),
    )
    return [Span(*row) for row in cur]


def days(cur: Cursor[Any], school_id: UUID, limit: int = 30) -> list[tuple[date, date]]:
    """The first and last days of the school's rounds, the newest first."""
    return [(one.opens_on, one.closes_on) for one in spans(cur, school_id, limit)]


class Sittable(NamedTuple):
    """A round that may be sat on a day: by whom, until when, and with what."""

    round_id: UUID
    closes_on: date
    year_groups: list[int]
    instrument: str
    instrument_version: int


def sittable(cur: Cursor[Any], school_id: UUID, today: date, limit: int = 30) -> list[Sittable]:
    """The rounds that may be sat today, the newest first."""
    cur.execute(
        f"SELECT round_id, closes_on, year_groups, instrument, instrument_version FROM {TABLE}"
        " WHERE school_id = %s AND opens_on <= %s AND closes_on >= %s AND NOT closed"
        " ORDER BY opens_on DESC, round_id LIMIT %s",
        (school_id, today, today, capped(limit)),
    )
    return [Sittable(*row) for row in cur]


class StillToSit(NamedTuple):
    """A pupil who is expected in a round and has not sat it; the last day they said "not today", else None."""

    pupil: pupils.Row
    not_today_on: date | None


def still_to_sit(cur: Cursor[Any], school_id: UUID, round_id: UUID, scope: Scope, limit: int = 200) -> list[StillToSit]:
    """Pupils in scope who are expected in a round and have not sat it, by surname."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT s.not_today_on, {pupils.COLUMNS} FROM {TABLE} r JOIN {pupils.TABLE} p ON p.school_id = r.school_id"
        f" AND {EXPECTED} LEFT JOIN {TABLE} s ON s.school_id = r.school_id AND s.round_id = r.round_id"
        f" AND s.pupil_id = p.pupil_id WHERE r.school_id = %s AND r.round_id = %s AND r.pupil_id = %s AND {scoped}"
        " AND s.sat_on IS NULL ORDER BY p.surname, p.called, p.pupil_id LIMIT %s",
        (school_id, round_id, NOBODY, *values, capped(limit)),
    )
    return [StillToSit(pupils.Row(*row[1:]), row[0]) for row in cur]


class AskedAgain(NamedTuple):
    """Of those of a group who sat a round, how many had to be offered it once more; None where the group is small."""

    name: str
    sat: int | None
    again: int | None


def asked_again(
    cur: Cursor[Any], school_id: UUID, rounds: Sequence[UUID], scope: Scope, dimension: str, least: int = 10
) -> dict[UUID, list[AskedAgain]]:
    """Of each round, the rate of re-offers by class (or another dimension), by name: where it is high, ask how
    the round was sat.
    """
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT s.round_id, g.tag, count(*), count(*) FILTER (WHERE s.again) FROM {TABLE} s JOIN {pupils.TABLE} p"
        " ON p.school_id = s.school_id AND p.pupil_id = s.pupil_id, unnest(p.tags) AS g(tag)"
        f" WHERE s.school_id = %s AND s.round_id = ANY (%s) AND s.sat_on IS NOT NULL AND {scoped}"
        " AND starts_with(g.tag, %s) GROUP BY s.round_id, g.tag ORDER BY g.tag LIMIT 5000",
        (school_id, list(rounds), *values, tag(dimension, "")),
    )
    made: dict[UUID, list[AskedAgain]] = {}
    for round_id, text, sat, again in cur:
        shown = (sat, again) if sat >= least else (None, None)
        made.setdefault(round_id, []).append(AskedAgain(untag(text)[1], *shown))
    return made
