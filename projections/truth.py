"""What each pupil's flags, looks and outcomes say of how right flags have been, and whom a round drew for a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain import review
from domain.base import Event, Fact
from domain.journey import facts as f
from domain.risk import makes_work
from domain.scope import Scope
from domain.truth import Agreement, Truth, Watched, agreement, followed
from projections import pupils, round_progress
from projections.shape import NOBODY, capped, in_scope, untag

NAME, VERSION = "truth", 1
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, lot double precision, lot_round uuid,"
    " working json NOT NULL, judged json NOT NULL, rounds json NOT NULL, outcomes json NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
    "CREATE INDEX ON {table} (school_id, lot) WHERE lot IS NOT NULL",
)
AFTER_ROUNDS, AFTER_DAYS = 3, 365
"""An outcome counts for a flag until the third round after it has closed; so many days where rounds are not known."""
ROWS_MAX, ROUNDS_MAX = 50_000, 500


class Row(NamedTuple):
    """One pupil. ``lot`` in ``lot_round``, the newest round sat: None where a sign makes work or they were looked at.

    ``working``: ids of standing flags that make work; ``judged``: of all such flags, what staff made of each;
    ``rounds``: {round: {on, flagged, chance, looked}}, whether one stood after its sitting, and the chance with which a
    pupil without one was drawn and looked at; ``outcomes``: {id: {on, code}}.
    """

    pupil_id: UUID
    lot: float | None = None
    lot_round: UUID | None = None
    working: list[str] = []  # noqa: RUF012
    judged: dict[str, str | None] = {}  # noqa: RUF012
    rounds: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    outcomes: dict[str, dict[str, str]] = {}  # noqa: RUF012


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.pupil_id or NOBODY), fact.event)


def _sat(row: Row, event: f.AssessmentSat) -> Row:
    if not event.usable or event.round_id is None:
        return row
    sat = {"on": event.happened_on.isoformat(), "flagged": False, "chance": None, "looked": False}
    rounds = {**row.rounds, str(event.round_id): sat}
    return _standing(row._replace(lot_round=event.round_id, rounds=rounds), row.working)


def _raised(row: Row, event: f.FlagRaised) -> Row:
    if not makes_work(event.kind):
        return row
    known = str(event.flag_id)
    row = row._replace(judged={**row.judged, known: row.judged.get(known)})
    return _standing(row, [*(one for one in row.working if one != known), known])


def _eased(row: Row, event: f.FlagEased) -> Row:
    return _standing(row, [one for one in row.working if one != str(event.flag_id)])


def _standing(row: Row, working: list[str]) -> Row:
    """A decision's flags follow its sitting: what stands after them is what stood after the newest round."""
    newest, rounds = str(row.lot_round), row.rounds
    if newest in rounds:
        rounds = {**rounds, newest: {**rounds[newest], "flagged": bool(working)}}
    waits = not working and newest in rounds and not rounds[newest]["looked"]
    lot = review.lot(row.lot_round, row.pupil_id) if row.lot_round and waits else None
    return row._replace(working=working, rounds=rounds, lot=lot)


def _reviewed(row: Row, event: f.FlagReviewed) -> Row:
    known = str(event.flag_id)
    return row._replace(judged={**row.judged, known: event.judgement}) if known in row.judged else row


def _looked(row: Row, event: f.PupilLookedAt) -> Row:
    of = str(event.round_id)
    if of not in row.rounds:
        return row
    rounds = {**row.rounds, of: {**row.rounds[of], "chance": event.chance, "looked": True}}
    return row._replace(rounds=rounds, lot=None if of == str(row.lot_round) else row.lot)


def _outcome(row: Row, event: f.OutcomeReported) -> Row:
    said = {"on": event.happened_on.isoformat(), "code": event.code}
    return row._replace(outcomes={**row.outcomes, str(event.outcome_id): said})


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    f.AssessmentSat: _sat,
    f.FlagRaised: _raised,
    f.FlagEased: _eased,
    f.FlagReviewed: _reviewed,
    f.PupilLookedAt: _looked,
    f.OutcomeReported: _outcome,
}
TAKES = frozenset(STEPS)
READS = {f.AssessmentSat: frozenset({"happened_on", "usable", "round_id"})}
COLUMNS = ", ".join(f"t.{name}" for name in Row._fields)


class Right(NamedTuple):
    """How right a school's flags have been; ``drawn``: looks at pupils without a sign whom a round drew."""

    staff: Agreement
    truth: Truth
    drawn: int


class Flagged(NamedTuple):
    """One pupil on roll who sat: groups as (dimension, name), sex among them; whether a sign that makes work stands."""

    groups: list[tuple[str, str]]
    flagged: bool


def drawn(
    cur: Cursor[Any], school_id: UUID, scope: Scope, chance: float, limit: int = 60
) -> list[tuple[pupils.Row, UUID]]:
    """Pupils in scope without a sign whom their last round drew and nobody has looked at since, and that round."""
    scoped, values = in_scope(scope)
    cur.execute(
        f"SELECT t.lot_round, {pupils.COLUMNS} FROM {TABLE} t JOIN {pupils.TABLE} p ON p.school_id = t.school_id"
        f" AND p.pupil_id = t.pupil_id WHERE t.school_id = %s AND t.lot < %s AND p.on_roll AND {scoped}"
        " ORDER BY t.lot LIMIT %s",
        (school_id, chance, *values, capped(limit)),
    )
    return [(pupils.Row(*row[1:]), row[0]) for row in cur]


def right(cur: Cursor[Any], school_id: UUID, today: date) -> Right:
    """The figures of a school, as of a day."""
    cur.execute(f"SELECT {COLUMNS} FROM {TABLE} t WHERE t.school_id = %s LIMIT %s", (school_id, ROWS_MAX))
    rows = [Row(*row) for row in cur]
    closes = _closes(round_progress.rounds(cur, school_id, Scope(everyone=True), ROUNDS_MAX))
    seen = [one for row in rows for one in watched(row, closes, today)]
    looks = sum(not one.flagged for one in seen)
    return Right(agreement(judged for row in rows for judged in row.judged.values()), followed(seen), looks)


def _closes(rounds: Sequence[round_progress.Progress]) -> dict[str, date | None]:
    """By round, when the third one after it closes; None while that is not known."""
    order = sorted(rounds, key=lambda one: (one.opens_on, one.round_id))
    later = [one.closes_on for one in order[AFTER_ROUNDS:]]
    return {str(one.round_id): later[at] if at < len(later) else None for at, one in enumerate(order)}


def watched(row: Row, closes: dict[str, date | None], today: date) -> list[Watched]:
    """Each round of a pupil in which a flag stood, or which drew them for a look, with what came of it.

    An outcome counts from the day after the sitting to the end of the window. "None" says that somebody followed the
    pupil up; without it and without an outcome the pupil was not followed up.
    """
    made = []
    for round_id, sat in row.rounds.items():
        if not sat["flagged"] and sat["chance"] is None:
            continue
        on = date.fromisoformat(sat["on"])
        until = closes.get(round_id) or on + timedelta(days=AFTER_DAYS)
        codes = [
            one["code"] for one in row.outcomes.values() if on < date.fromisoformat(one["on"]) <= min(until, today)
        ]
        came = True if any(code != "none" for code in codes) else False if codes else None
        weight = 1.0 if sat["flagged"] else 1 / sat["chance"]
        made.append(Watched(row.pupil_id, sat["flagged"], came, weight))
    return made


def flagged(cur: Cursor[Any], school_id: UUID) -> list[Flagged]:
    """Every pupil on roll who has sat a round, for rates by group."""
    cur.execute(
        f"SELECT p.tags, p.sex, t.working FROM {TABLE} t JOIN {pupils.TABLE} p ON p.school_id = t.school_id"
        " AND p.pupil_id = t.pupil_id WHERE t.school_id = %s AND p.on_roll AND t.lot_round IS NOT NULL LIMIT %s",
        (school_id, ROWS_MAX),
    )
    return [Flagged([*map(untag, tags), *([("sex", sex)] if sex else [])], bool(working)) for tags, sex, working in cur]


def groups(cur: Cursor[Any], school_id: UUID, limit: int) -> dict[UUID, list[tuple[str, str]]]:
    """Every pupil on roll who has sat a round, with their groups, sex among them."""
    cur.execute(
        f"SELECT p.pupil_id, p.tags, p.sex FROM {TABLE} t JOIN {pupils.TABLE} p ON p.school_id = t.school_id"
        " AND p.pupil_id = t.pupil_id WHERE t.school_id = %s AND p.on_roll AND t.lot_round IS NOT NULL"
        " ORDER BY p.pupil_id LIMIT %s",
        (school_id, limit),
    )
    return {pupil_id: [*map(untag, tags), *([("sex", sex)] if sex else [])] for pupil_id, tags, sex in cur}
