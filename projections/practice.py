"""A school's practice over a period, counted from its read models: what an accreditor is shown. No table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event
from domain.journey import facts as f
from domain.journey.outside import PupilLookedAt
from domain.risk import makes_work
from domain.scope import Scope
from projections import impact, plan_board, round_progress, timeline

EVERYBODY = Scope(everyone=True)
REPORT_WITHIN = timedelta(days=26 * 7)
ROUNDS_MAX = 60
Pair = tuple[int, int]


class Counts(NamedTuple):
    """Pairs of (how many, of how many) over a period; ``rounds``: the day each round of it opened, oldest first."""

    sat: Pair
    signs_reviewed: Pair
    unmarked_reviewed: Pair
    talks_taken_up: Pair
    plans_looked_at: Pair
    plans_closed: Pair
    rounds: tuple[date, ...]


def counted(cur: Cursor[Any], school_id: UUID, *, since: date, until: date) -> Counts:
    """What the record shows of [since, until]: this school's own facts, whoever is on roll now."""
    some = [
        one for one in round_progress.rounds(cur, school_id, EVERYBODY, ROUNDS_MAX) if since <= one.opens_on <= until
    ]
    rounds = sorted(one.opens_on for one in some)
    kept = impact.kept(cur, school_id, EVERYBODY, since=since, until=until)
    return Counts(
        sat=(sum(min(one.sat, one.expected) for one in some), sum(one.expected for one in some)),
        signs_reviewed=_answered(cur, school_id, since, until, f.FlagRaised, f.FlagReviewed, "flag_id"),
        unmarked_reviewed=_looked_at(cur, school_id, rounds, until),
        talks_taken_up=_answered(cur, school_id, since, until, f.TalkRequested, f.TalkAcknowledged,
                                 "talk_id"),
        plans_looked_at=(kept.looked_at, kept.begun),
        plans_closed=_closed(cur, school_id, since, until),
        rounds=tuple(rounds),
    )  # fmt: skip


def reported(rounds: Sequence[date], made_on: Sequence[date], today: date) -> Pair:
    """Rounds old enough to have been followed by a report within half a year, and how many were."""
    old = [one for one in rounds if one + REPORT_WITHIN <= today]
    return sum(any(one < made <= one + REPORT_WITHIN for made in made_on) for one in old), len(old)


def _answered(
    cur: Cursor[Any], school_id: UUID, since: date, until: date, asked: type[Event], answered: type[Event], name: str
) -> Pair:
    """Facts of one topic in the period, and those whose id a fact of another topic names."""
    cur.execute(
        f"SELECT a.detail->>'kind', count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {timeline.TABLE} b"
        " WHERE b.school_id = a.school_id AND b.pupil_id = a.pupil_id AND b.topic = %s"
        " AND b.detail->>%s = a.detail->>%s))"
        f" FROM {timeline.TABLE} a WHERE a.school_id = %s AND a.topic = %s AND a.origin = ''"
        " AND a.happened_on BETWEEN %s AND %s GROUP BY 1 ORDER BY 1 LIMIT 1000",
        (answered.TOPIC, name, name, school_id, asked.TOPIC, since, until),
    )
    found = [(row[1], row[2]) for row in cur if row[0] is None or makes_work(row[0])]
    return sum(one[1] for one in found), sum(one[0] for one in found)


def _looked_at(cur: Cursor[Any], school_id: UUID, rounds: Sequence[date], until: date) -> Pair:
    """Rounds after which somebody without a sign was looked at before the next one, of all rounds."""
    cur.execute(
        f"SELECT DISTINCT happened_on FROM {timeline.TABLE} WHERE school_id = %s AND origin = ''"
        " AND topic = %s ORDER BY 1 LIMIT 5000",
        (school_id, PupilLookedAt.TOPIC),
    )
    days = [row[0] for row in cur]
    ends = [*rounds, until + timedelta(days=1)][1:]
    return sum(any(a <= day < b for day in days) for a, b in zip(rounds, ends, strict=True)), len(rounds)


def _closed(cur: Cursor[Any], school_id: UUID, since: date, until: date) -> Pair:
    """Plans begun in the period whose last day has passed, and those that say what came of them."""
    cur.execute(
        f"SELECT count(*) FILTER (WHERE came IS NOT NULL), count(*) FROM {plan_board.TABLE} WHERE school_id = %s"
        " AND origin = '' AND start_on BETWEEN %s AND %s AND (came IS NOT NULL OR end_on < %s)",
        (school_id, since, until, until),
    )
    row = cur.fetchone()
    return (row[0], row[1]) if row else (0, 0)
