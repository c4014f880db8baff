"""Accreditation of a school: four areas of practice, evidence counted from its record, an outside accreditor.

Here is what was awarded, on what, by whom; the signed badge is made of it by transfer.badge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass, Value
from domain.small import SMALLEST
from domain.staff import ACCREDITOR, AccreditorInside

Area = Literal["noticing", "answering", "supporting", "learning"]
AREAS: tuple[Area, ...] = get_args(Area)
AWARD_DAYS_MAX = 3 * 366
Line = Annotated[str, Field(min_length=3, max_length=200)]


class EvidenceMissing(DomainError):
    """An area of practice is not shown by the record."""


class InterestsUndeclared(DomainError):
    """An accreditor says what ties them to the school, or that nothing does."""


class AwardDatesWrong(DomainError):
    """An award begins today at the earliest and ends within three years."""


class NoSuchAward(DomainError):
    """There is no standing award of this name."""


class Evidence(Value):
    """One claim counted from the record: ``count`` of ``of``, met where its share reaches ``needed``."""

    area: Area
    claim: Line
    count: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=0)]
    needed: Annotated[float, Field(ge=0, le=1)]

    @property
    def met(self) -> bool:
        """Whether the record shows it; nothing counted shows nothing."""
        return self.of > 0 and self.count >= self.needed * self.of

    @property
    def hidden(self) -> bool:
        """Whether its counts could point at single pupils; rounds and staff are counted aloud."""
        return 0 < self.of < SMALLEST and not self.claim.startswith(("rounds", "staff"))


class AccreditationAwarded(Event):
    """An outside accreditor found a school's practice shown in all four areas, until a day."""

    TOPIC: ClassVar[str] = "accreditation.awarded.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    award_id: UUID
    accreditor: Line
    interests: Line
    evidence: tuple[Evidence, ...]
    from_on: date
    until: date


class AccreditationRevoked(Event):
    """An award was taken back, and why."""

    TOPIC: ClassVar[str] = "accreditation.revoked.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    award_id: UUID
    why: Line


@dataclass(frozen=True, slots=True)
class Accreditation:
    """What a school's awards add up to."""

    awards: dict[UUID, AccreditationAwarded] = field(default_factory=dict)
    revoked: frozenset[UUID] = frozenset()

    def standing(self, on: date) -> AccreditationAwarded | None:
        """The award that holds on a day, the one that lasts longest; None where there is none."""
        holds = [one for one in self.awards.values() if one.award_id not in self.revoked]
        return max((one for one in holds if one.from_on <= on <= one.until), key=lambda one: one.until, default=None)


def replay(events: Iterable[Event]) -> Accreditation:
    """The awards after these facts."""
    state = Accreditation()
    for event in events:
        if isinstance(event, AccreditationAwarded):
            state = replace(state, awards={**state.awards, event.award_id: event})
        elif isinstance(event, AccreditationRevoked):
            state = replace(state, revoked=state.revoked | {event.award_id})
    return state


@dataclass(frozen=True, slots=True)
class Practice:
    """What a school's record counts over a year: pairs of (how many, of how many)."""

    sat: tuple[int, int]
    signs_reviewed: tuple[int, int]
    unmarked_reviewed: tuple[int, int]
    talks_taken_up: tuple[int, int]
    plans_looked_at: tuple[int, int]
    plans_closed: tuple[int, int]
    staff_trained: tuple[int, int]
    rounds_with_impact: tuple[int, int]


def evidence(practice: Practice) -> tuple[Evidence, ...]:
    """The claims of the four areas, counted. The shares needed are ours, to be changed by whoever accredits."""
    claims: tuple[tuple[Area, str, tuple[int, int], float], ...] = (
        ("noticing", "pupils expected in a round sat it", practice.sat, 0.85),
        ("noticing", "early signs were reviewed by a person", practice.signs_reviewed, 0.9),
        ("answering", "rounds were followed by a look at pupils without a sign", practice.unmarked_reviewed, 0.8),
        ("answering", "wishes to talk were taken up", practice.talks_taken_up, 0.95),
        ("supporting", "plans were looked at after they began", practice.plans_looked_at, 0.8),
        ("supporting", "plans that ended say what came of them", practice.plans_closed, 0.9),
        ("learning", "staff whose role opens records have shown the first level", practice.staff_trained, 1.0),
        ("learning", "rounds were followed by a report within half a year", practice.rounds_with_impact, 0.6),
    )
    return tuple(Evidence(area=a, claim=c, count=n[0], of=n[1], needed=share) for a, c, n, share in claims)


def award(
    state: Accreditation,
    stamp: Stamp,
    *,
    award_id: UUID,
    accreditor: str,
    interests: str,
    shown: Sequence[Evidence],
    from_on: date,
    until: date,
    roles: frozenset[str],
) -> list[Event]:
    """Award; the same twice is once. ``roles``: what the one who awards holds at this school.

    Raises AccreditorInside, InterestsUndeclared, EvidenceMissing, AwardDatesWrong.
    """
    if roles != {ACCREDITOR}:
        raise AccreditorInside("nobody who works at a school accredits it: ask somebody from outside")
    if len(interests.strip()) < 3:
        raise InterestsUndeclared("say what ties you to this school, or write that nothing does")
    missing = [area for area in AREAS if not _area_met(area, shown)]
    if missing:
        raise EvidenceMissing(f"the record does not show {missing[0]} yet: see which claims of it are not met")
    if not stamp.at.date() <= from_on <= until <= from_on + timedelta(days=AWARD_DAYS_MAX):
        raise AwardDatesWrong("an award begins today at the earliest and ends within three years: choose other days")
    return [] if award_id in state.awards else [
        AccreditationAwarded(**stamp.fresh(), award_id=award_id, accreditor=accreditor, interests=interests.strip(),
                             evidence=tuple(shown), from_on=from_on, until=until)
    ]  # fmt: skip


def _area_met(area: Area, shown: Sequence[Evidence]) -> bool:
    mine = [one for one in shown if one.area == area]
    return bool(mine) and all(one.met for one in mine)


def revoke(state: Accreditation, stamp: Stamp, *, award_id: UUID, why: str) -> list[Event]:
    """Take an award back. Raises NoSuchAward."""
    if award_id not in state.awards or award_id in state.revoked:
        raise NoSuchAward("there is no such award, or it was revoked already: see the list")
    return [AccreditationRevoked(**stamp.fresh(), award_id=award_id, why=why)]
