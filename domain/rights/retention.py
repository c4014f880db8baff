"""How long a record is kept: a class with its years, holds that forbid erasing, and a review before anything goes.

Figures are policy data with their sources (Information and Records Management Society, toolkit for schools): a school
may replace them. Nothing is erased by a clock alone: a person reviews, and another carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Stamp, StreamClass, Value
from domain.rights.family import Line, Why, reason
from domain.rights.requests import Request, months_later

RetentionClass = Literal["general", "sen", "child_protection"]
Decision = Literal["keep", "erase"]


class RetentionRule(Value):
    """Kept until so many years after birth; a copy of a record that was handed on, so many after the hand-over."""

    title: str
    years_from_birth: Annotated[int, Field(ge=1, le=150)]
    copy_years: Annotated[int, Field(ge=0, le=150)] = 1
    source: str


POLICY: Mapping[str, RetentionRule] = {
    "general": RetentionRule(
        title="Pupil's record", years_from_birth=25,
        source="IRMS toolkit for schools: pupil's record, date of birth + 25 years, by the last school",
    ),
    "sen": RetentionRule(
        title="Pupil's record with SEN or an EHC plan", years_from_birth=31,
        source="IRMS toolkit for schools: SEN and EHC plans, date of birth + 31 years (25 + 6)",
    ),
    "child_protection": RetentionRule(
        title="Pupil's record with child-protection items", years_from_birth=25,
        source="IRMS toolkit for schools: date of birth + 25 years, then review; holds for statutory inquiries",
    ),
}  # fmt: skip


class NoSuchHold(DomainError):
    """The legal hold named is not standing."""


class RecordOnHold(DomainError):
    """A legal hold stands: nothing of this record may be erased."""


class NotReviewed(DomainError):
    """Nobody has decided that this record is to be erased."""


class OwnErasure(DomainError):
    """Whoever decided that a record is erased does not carry it out as well."""


class KeptUntilWrong(DomainError):
    """A record that is kept is kept until a day still to come."""


class RetentionClassSet(Event):
    """How long a record is kept depends on its class, which was set."""

    TOPIC: ClassVar[str] = "identity.retention-class-set.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    retention_class: RetentionClass
    why: Line = ""


class HoldPlaced(Event):
    """A legal hold was placed: a court, an inquiry or a complaint needs this record kept."""

    TOPIC: ClassVar[str] = "identity.hold-placed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    hold_id: UUID
    why: Why


class HoldReleased(Event):
    """A legal hold was released."""

    TOPIC: ClassVar[str] = "identity.hold-released.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    hold_id: UUID
    why: Why


class RetentionReviewed(Event):
    """Somebody reviewed whether a record is kept on, or erased, and said why."""

    TOPIC: ClassVar[str] = "identity.retention-reviewed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.IDENTITY
    decision: Decision
    until_on: date | None = None
    why: Why


class PupilErased(Event):
    """A pupil's record was erased: who decided it and who carried it out stay, what it held does not."""

    TOPIC: ClassVar[str] = "school.pupil-erased.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.SCHOOL
    pupil_id: UUID
    decided_by: UUID
    on_request: bool
    streams: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Retention:
    """What the facts about keeping one record add up to."""

    retention_class: RetentionClass = "general"
    holds: dict[UUID, HoldPlaced] = field(default_factory=dict)
    review: RetentionReviewed | None = None


def replay(events: Iterable[Event]) -> Retention:
    """The state after these facts."""
    state = Retention()
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Retention, event: Event) -> Retention:
    """The next state; other facts leave it as it is."""
    match event:
        case RetentionClassSet():
            return replace(state, retention_class=event.retention_class)
        case HoldPlaced():
            return replace(state, holds={**state.holds, event.hold_id: event})
        case HoldReleased():
            return replace(state, holds={key: one for key, one in state.holds.items() if key != event.hold_id})
        case RetentionReviewed():
            return replace(state, review=event)
        case _:
            return state


def review_on(
    state: Retention, born: date, released_on: date | None = None, policy: Mapping[str, RetentionRule] = POLICY
) -> date:
    """The day on which somebody must decide whether this record is kept on.

    ``released_on``: when it was handed on to the next school, so that what is here is a copy.
    """
    rule = policy[state.retention_class]
    kept = state.review.until_on if state.review and state.review.decision == "keep" else None
    last = months_later(born, 12 * rule.years_from_birth)
    if released_on is not None:
        last = min(last, months_later(released_on, 12 * rule.copy_years))
    return max(last, kept) if kept else last


def set_class(state: Retention, stamp: Stamp, *, retention_class: RetentionClass, why: str = "") -> list[Event]:
    """Set the class; the same again changes nothing."""
    if state.retention_class == retention_class:
        return []
    return [RetentionClassSet(**stamp.fresh(), retention_class=retention_class, why=why)]


def place_hold(state: Retention, stamp: Stamp, *, hold_id: UUID, why: str) -> list[Event]:
    """Forbid erasing; the same hold twice is one. Raises ReasonTooThin."""
    return [] if hold_id in state.holds else [HoldPlaced(**stamp.fresh(), hold_id=hold_id, why=reason(why))]


def release_hold(state: Retention, stamp: Stamp, *, hold_id: UUID, why: str) -> list[Event]:
    """Release one hold. Raises NoSuchHold, ReasonTooThin."""
    if hold_id not in state.holds:
        raise NoSuchHold("this hold does not stand: it was released already, or is somebody else's")
    return [HoldReleased(**stamp.fresh(), hold_id=hold_id, why=reason(why))]


def review(stamp: Stamp, *, decision: Decision, why: str, until_on: date | None = None) -> list[Event]:
    """Decide whether a record is kept on or erased. Raises KeptUntilWrong, ReasonTooThin."""
    if (decision == "keep") != (until_on is not None) or (until_on is not None and until_on <= stamp.at.date()):
        raise KeptUntilWrong("a record is kept until a day still to come; one that is to be erased has no such day")
    return [RetentionReviewed(**stamp.fresh(), decision=decision, until_on=until_on, why=reason(why))]


def check_erasing(state: Retention, by: UUID, asked: Request | None = None) -> UUID:
    """Whether this person may now carry out the erasure; who decided it.

    Raises RecordOnHold, NotReviewed, OwnErasure.
    """
    if state.holds:
        raise RecordOnHold("a legal hold stands on this record: release it first")
    decided = state.review.by.id if state.review and state.review.decision == "erase" else None
    granted = asked.answered if asked and asked.received and asked.received.kind == "erasure" else None
    if granted is not None and granted.outcome == "granted":
        decided = granted.by.id
    if decided is None:
        raise NotReviewed("nobody has decided that this record is erased: review it, or grant a request, first")
    if decided == by:
        raise OwnErasure("whoever decided this does not carry it out as well: ask a second person")
    return decided
