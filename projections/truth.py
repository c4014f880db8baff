"""What each pupil's flags, looks and outcomes say of how right flags have been, and whom a round drew for a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.journey import facts as f
from domain.risk import makes_work, reads
from domain.safeguarding import OutcomeKnown, OutcomeTakenBack
from domain.scope import Scope
from domain.truth import Agreement, Truth, Watched, agreement, followed
from projections import pupils, round_progress
from projections.shape import NOBODY, in_scope, untag

NAME, VERSION = "truth", 2
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, newest uuid, judged_at timestamptz,"
    " waits boolean NOT NULL, working json NOT NULL, judged json NOT NULL, rounds json NOT NULL,"
    " outcomes json NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
    "CREATE INDEX ON {table} (school_id, pupil_id) WHERE waits",
)
AFTER_ROUNDS, AFTER_DAYS = 3, 365
"""An outcome counts for a flag until the third round after it has closed; so many days where rounds are not known."""
ROWS_MAX, ROUNDS_MAX = 50_000, 500


class Row(NamedTuple):
    """One pupil. ``newest``: the round sat last, ``judged_at`` the instant its sitting and the flags upon it were
    recorded; ``waits``: no sign that makes work stood then or stands now, and nobody has looked at them for that round.

    ``working``: ids of standing flags that make work; ``judged``: of all such flags, what staff made of each;
    ``rounds``: {round: {on, flagged, chance, looked}}, whether one stood once its sitting had been judged, and the
    chance with which a pupil without one was drawn and looked at; ``outcomes``: {id: {on, came}}, ``came`` False where
    somebody followed the pupil up and there was nothing.
    """

    pupil_id: UUID
    newest: UUID | None = None
    judged_at: datetime | None = None
    waits: bool = False
    working: list[str] = []  # noqa: RUF012
    judged: dict[str, str | None] = {}  # noqa: RUF012
    rounds: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    outcomes: dict[str, dict[str, Any]] = {}  # noqa: RUF012


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more."""
    return STEPS[type(fact.event)](row or Row(fact.pupil_id or NOBODY), fact.event)


def _sat(row: Row, event: f.AssessmentSat) -> Row:
    known = event.round_id is None or str(event.round_id) in row.rounds
    if known or not event.usable or not reads(event.instrument, event.instrument_version):
        return row
    sat = {"on": event.happened_on.isoformat(), "flagged": bool(row.working), "chance": None, "looked": False}
    rounds = {**row.rounds, str(event.round_id): sat}
    return _waiting(row._replace(newest=event.round_id, judged_at=event.recorded_at, rounds=rounds))


def _raised(row: Row, event: f.FlagRaised) -> Row:
    if not makes_work(event.kind):
        return row
    known = str(event.flag_id)
    row = row._replace(judged={**row.judged, known: row.judged.get(known)})
    return _standing(row, event, [*(one for one in row.working if one != known), known])


def _eased(row: Row, event: f.FlagEased) -> Row:
    return _standing(row, event, [one for one in row.working if one != str(event.flag_id)])


def _standing(row: Row, event: Event, working: list[str]) -> Row:
    """What stands now; and, where the flag belongs to the judgement of the newest round's sitting, what stood after it.

    Flags follow the sitting they rest on, at the same instant. What comes later, such as a sitting outside any round,
    changes what stands and never what a round has said.
    """
    rounds = row.rounds
    if row.newest is not None and event.recorded_at == row.judged_at:
        newest = str(row.newest)
        rounds = {**rounds, newest: {**rounds[newest], "flagged": bool(working)}}
    return _waiting(row._replace(working=working, rounds=rounds))


def _waiting(row: Row) -> Row:
    newest = row.rounds.get(str(row.newest))
    return row._replace(waits=not (newest is None or row.working or newest["flagged"] or newest["looked"]))


def _reviewed(row: Row, event: f.FlagReviewed) -> Row:
    known = str(event.flag_id)
    return row._replace(judged={**row.judged, known: event.judgement}) if known in row.judged else row


def _looked(row: Row, event: f.PupilLookedAt) -> Row:
    of = row.rounds.get(str(event.round_id))
    if of is None or of["looked"]:
        return row
    looked = {**of, "chance": event.chance, "looked": True}
    return _waiting(row._replace(rounds={**row.rounds, str(event.round_id): looked}))


def _outcome(row: Row, event: f.OutcomeReported) -> Row:
    said = {"on": event.happened_on.isoformat(), "came": event.code != "none"}
    return row._replace(outcomes={**row.outcomes, str(event.outcome_id): said})


def _known(row: Row, event: OutcomeKnown) -> Row:
    said = {"on": event.happened_on.isoformat(), "came": True}
    return row._replace(outcomes={**row.outcomes, str(event.outcome_id): said})


def _taken_back(row: Row, event: OutcomeTakenBack) -> Row:
    kept = {key: one for key, one in row.outcomes.items() if key != str(event.outcome_id)}
    return row._replace(outcomes=kept)


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    f.AssessmentSat: _sat,
    f.FlagRaised: _raised,
    f.FlagEased: _eased,
    f.FlagReviewed: _reviewed,
    f.PupilLookedAt: _looked,
    f.OutcomeReported: _outcome,
    OutcomeKnown: _known,
    OutcomeTakenBack: _taken_back,
}
TAKES = frozenset(STEPS)
READS = {
    f.AssessmentSat: frozenset({"happened_on", "usable", "round_id", "instrument", "instrument_version"}),
}
COLUMNS = ", ".join(f"t.{name}" for name in Row._fields)


class Right(NamedTuple):
    """How right a school's flags have been; ``drawn``: looks at pupils without a sign whom a round drew."""

    staff: Agreement
    truth: Truth
    drawn: int


class Flagged(NamedTuple):
    """One pupil on roll who sat: groups as (dimension, name), sex among them; whether a sign that makes work stands."""

    pupil_id: UUID
    groups: list[tuple[str, str]]
    flagged: bool


class Waiting(NamedTuple):
    """A pupil without a sign whom a round may have drawn, and when their sitting was recorded.

    ``ids``: the round's and the pupil's, 16 bytes each, as lots are drawn from them: there are as many as pupils.
    """

    ids: bytes
    sat_at: datetime

    @property
    def round_id(self) -> UUID:
        """Which round."""
        return UUID(bytes=self.ids[:16])

    @property
    def pupil_id(self) -> UUID:
        """Which pupil."""
        return UUID(bytes=self.ids[16:])


def waiting(cur: Cursor[Any], school_id: UUID, scope: Scope) -> list[Waiting]:
    """Pupils on roll in scope without a sign whom nobody has looked at for the round they sat last."""
    scoped, values = in_scope(scope)
    cur.execute(
        "SELECT uuid_send(t.newest) || uuid_send(t.pupil_id), t.judged_at"
        f" FROM {TABLE} t JOIN {pupils.TABLE} p ON p.school_id = t.school_id AND p.pupil_id = t.pupil_id"
        f" WHERE t.school_id = %s AND t.waits AND p.on_roll AND {scoped} LIMIT %s".encode(),
        (school_id, *values, ROWS_MAX), binary=True,
    )  # fmt: skip
    return list(map(Waiting._make, cur.fetchall()))


def right(cur: Cursor[Any], school_id: UUID, today: date) -> Right:
    """The figures of a school, as of a day."""
    cur.execute(
        f"SELECT pupil_id, judged, rounds, outcomes FROM {TABLE} WHERE school_id = %s LIMIT %s", (school_id, ROWS_MAX)
    )
    rows = [Row(row[0], judged=row[1], rounds=row[2], outcomes=row[3]) for row in cur]
    closes = _closes(round_progress.spans(cur, school_id, ROUNDS_MAX))
    seen = [one for row in rows for one in watched(row, closes, today)]
    looks = sum(not one.flagged for one in seen)
    return Right(agreement(judged for row in rows for judged in row.judged.values()), followed(seen), looks)


def _closes(rounds: Sequence[round_progress.Span]) -> dict[str, date | None]:
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
        said = [one["came"] for one in row.outcomes.values() if on < date.fromisoformat(one["on"]) <= min(until, today)]
        came = any(said) if said else None
        weight = 1.0 if sat["flagged"] else 1 / sat["chance"]
        made.append(Watched(row.pupil_id, sat["flagged"], came, weight))
    return made


def flagged(cur: Cursor[Any], school_id: UUID) -> list[Flagged]:
    """Every pupil on roll who has sat a round, for rates by group."""
    cur.execute(
        f"SELECT p.pupil_id, p.tags, p.sex, json_array_length(t.working) > 0 FROM {TABLE} t JOIN {pupils.TABLE} p"
        " ON p.school_id = t.school_id AND p.pupil_id = t.pupil_id"
        " WHERE t.school_id = %s AND p.on_roll AND t.newest IS NOT NULL ORDER BY p.pupil_id LIMIT %s",
        (school_id, ROWS_MAX),
    )
    return [
        Flagged(pupil_id, [*map(untag, tags), *([("sex", sex)] if sex else [])], signed)
        for pupil_id, tags, sex, signed in cur
    ]
