"""Who works at a school and what they were allowed: roles with a scope, and training before real data.

A member of staff has a stream and a key of their own (class STAFF, named by their id): their name is personal and can
be erased alone when they have long left, while every fact they recorded keeps their opaque id. What they sign in
with is no fact: it lives in a table and is destroyed when used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from domain.base import DomainError, Event, Instant, Stamp, StreamClass
from domain.naming import check_name
from domain.scope import Scope

StaffRole = Literal[
    "tutor", "head_of_year", "dsl", "lead_practitioner", "head", "administrator", "dpo", "auditor", "accreditor"
]
ROLES: tuple[str, ...] = get_args(StaffRole)
"""What a person or a service can be granted (shared field guide, section 5); pupils and parents are granted nothing."""

ACCREDITOR = "accreditor"
"""Somebody from outside: the role excludes every other at the same school."""

OPERATOR = "operator"
"""Who runs the machine, and could write into the database itself: no rule of two people holds them, and one would lock
out the school whose only administrator lost a phone.
"""
FIRST_MODULE = "first-steps"
"""The training that opens real data."""

GLASS_MINUTES_MAX = 60
ACTIONS_MAX = 100
GLASS_REASON_MIN = 10
"""Characters: a reason is a sentence, not a dot."""

Name = Annotated[str, Field(min_length=1, max_length=100)]
Line = Annotated[str, Field(max_length=200)]
Module = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$")]


class StaffUnknown(DomainError):
    """Nobody with this id works at this school."""


class StaffAlreadyLeft(DomainError):
    """This member of staff has left: nothing can be granted to them."""


class OwnRoleGranted(DomainError):
    """Nobody grants a role to themselves."""


class NoSuchGrant(DomainError):
    """The grant named is not standing."""


class AccreditorInside(DomainError):
    """Nobody who works at a school accredits it."""


class ScopeMissing(DomainError):
    """A role that sees pupils needs to say which ones."""


class GrantRunsOut(DomainError):
    """A grant ends on a day still to come."""


class GlassReasonMissing(DomainError):
    """Breaking the glass needs a reason that somebody else can judge, and a time of at most an hour."""


class NoSuchGlass(DomainError):
    """The breaking of the glass named is not waiting for a review."""


class OwnGlassReviewed(DomainError):
    """A second person reviews why the glass was broken."""


class SecondPersonNeeded(DomainError):
    """Whoever makes a code for an account does not also take its second factor away."""


class OwnFactorTakenAway(DomainError):
    """A second person takes a lost second factor away."""


class StaffAdded(Event):
    """Somebody, or a service client such as a roster system, was added to the school's staff."""

    TOPIC: ClassVar[str] = "staff.added.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    staff_id: UUID
    name: Name
    kind: Literal["person", "service"] = "person"


class RoleGranted(Event):
    """A member of staff was allowed to act in a role, towards the pupils in a scope, until a day if one is named."""

    TOPIC: ClassVar[str] = "staff.role-granted.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    grant_id: UUID
    role: StaffRole
    scope: Scope
    until: date | None = None


class RoleWithdrawn(Event):
    """A grant was taken back."""

    TOPIC: ClassVar[str] = "staff.role-withdrawn.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    grant_id: UUID
    why: Line = ""


class TrainingRecorded(Event):
    """A member of staff finished a training module."""

    TOPIC: ClassVar[str] = "staff.training-recorded.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    happened_on: date
    module: Module
    skill: Annotated[float, Field(ge=0, le=1)] | None = None


class SignInIssued(Event):
    """A code or a key to sign in with was made for somebody, good until then; never what it is.

    ``only``: the actions a key is limited to, of those its service was granted; none: all of these.
    """

    TOPIC: ClassVar[str] = "staff.sign-in-issued.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    kind: Literal["code", "key"]
    good_until: Instant
    only: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=ACTIONS_MAX)] = ()


class FactorTakenAway(Event):
    """Somebody's second factor was lost and taken away: they set up another before they see pupils again."""

    TOPIC: ClassVar[str] = "staff.factor-taken-away.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF


class StaffLeft(Event):
    """A member of staff left the school; whatever they were granted ended with it."""

    TOPIC: ClassVar[str] = "staff.left.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    happened_on: date


class GlassBroken(Event):
    """Somebody opened one pupil's record that their role does not open, for a stated reason and at most an hour."""

    TOPIC: ClassVar[str] = "staff.glass-broken.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    glass_id: UUID
    pupil_id: UUID
    reason: Annotated[str, Field(min_length=GLASS_REASON_MIN, max_length=500)]
    until: Instant


class GlassReviewed(Event):
    """A second person looked at why the glass was broken and said whether that was in order."""

    TOPIC: ClassVar[str] = "staff.glass-reviewed.v1"
    STREAM: ClassVar[StreamClass] = StreamClass.STAFF
    glass_id: UUID
    in_order: bool
    note: Line = ""


@dataclass(frozen=True, slots=True)
class Staff:
    """What the facts about one member of staff add up to."""

    added: StaffAdded | None = None
    grants: dict[UUID, RoleGranted] = field(default_factory=dict)
    trained: frozenset[str] = frozenset()
    left_on: date | None = None
    code: SignInIssued | None = None
    factor_taken_by: UUID | None = None
    glasses: dict[UUID, GlassBroken] = field(default_factory=dict)
    unreviewed: frozenset[UUID] = frozenset()

    def open_glass(self, now: datetime) -> frozenset[UUID]:
        """The pupils whose glass is broken at an instant."""
        return frozenset(one.pupil_id for one in self.glasses.values() if now < one.until)

    def standing(self, today: date) -> list[RoleGranted]:
        """The grants that hold on a day, oldest first."""
        if self.left_on is not None:
            return []
        return [grant for grant in self.grants.values() if grant.until is None or today <= grant.until]


def replay(events: Iterable[Event]) -> Staff:
    """The state after these facts."""
    state = Staff()
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Staff, event: Event) -> Staff:
    """The next state; other facts leave it as it is."""
    match event:
        case StaffAdded():
            return replace(state, added=event, left_on=None)
        case RoleGranted():
            return replace(state, grants={**state.grants, event.grant_id: event})
        case RoleWithdrawn():
            return replace(state, grants={key: one for key, one in state.grants.items() if key != event.grant_id})
        case TrainingRecorded():
            return replace(state, trained=state.trained | {event.module})
        case SignInIssued(kind="code"):
            return replace(state, code=event, factor_taken_by=None)
        case FactorTakenAway():
            return replace(state, factor_taken_by=event.by.id)
        case GlassBroken():
            glasses = {**state.glasses, event.glass_id: event}
            return replace(state, glasses=glasses, unreviewed=state.unreviewed | {event.glass_id})
        case GlassReviewed():
            return replace(state, unreviewed=state.unreviewed - {event.glass_id})
        case StaffLeft():
            return replace(state, left_on=event.happened_on, grants={})
        case _:
            return state


def add(
    state: Staff, stamp: Stamp, *, staff_id: UUID, name: str, kind: Literal["person", "service"] = "person"
) -> list[Event]:
    """Add somebody, or take them back after they left; the same again changes nothing. Raises NameWrong."""
    check_name(name, "a member of staff")
    if state.added is not None and state.left_on is None and (state.added.name, state.added.kind) == (name, kind):
        return []
    return [StaffAdded(**stamp.fresh(), staff_id=staff_id, name=name, kind=kind)]


def grant(
    state: Staff, stamp: Stamp, *, grant_id: UUID, role: StaffRole, scope: Scope, until: date | None = None
) -> list[Event]:
    """Allow a role; the same grant twice is one.

    Raises StaffUnknown, StaffAlreadyLeft, OwnRoleGranted, AccreditorInside, ScopeMissing, GrantRunsOut.
    """
    added = _working(state)
    if added.staff_id == stamp.by.id:
        raise OwnRoleGranted("nobody grants a role to themselves: ask another administrator")
    if any((one.role == ACCREDITOR) != (role == ACCREDITOR) for one in state.standing(stamp.at.date())):
        raise AccreditorInside("who accredits a school has no other role there: withdraw one of the two first")
    if role in ("tutor", "head_of_year", "auditor") and not (scope.everyone or scope.dimensions):
        raise ScopeMissing(f"the role {role} sees nobody without a scope: name a year, a group, or everyone")
    if until is not None and until < stamp.at.date():
        raise GrantRunsOut(f"the grant would have ended on {until}: choose today or a later day")
    return [] if grant_id in state.grants else [
        RoleGranted(**stamp.fresh(), grant_id=grant_id, role=role, scope=scope, until=until)
    ]  # fmt: skip


def withdraw(state: Staff, stamp: Stamp, *, grant_id: UUID, why: str = "") -> list[Event]:
    """Take a grant back. Raises StaffUnknown, NoSuchGrant."""
    _known(state)
    if grant_id not in state.grants:
        raise NoSuchGrant("this grant does not stand: it was withdrawn already, or is somebody else's")
    return [RoleWithdrawn(**stamp.fresh(), grant_id=grant_id, why=why)]


def record_training(state: Staff, stamp: Stamp, *, module: str, on: date, skill: float | None = None) -> list[Event]:
    """Record a finished module; finishing it again is a further fact. Raises StaffUnknown, StaffAlreadyLeft."""
    _working(state)
    return [TrainingRecorded(**stamp.fresh(), happened_on=on, module=module, skill=skill)]


def break_glass(
    state: Staff, stamp: Stamp, *, glass_id: UUID, pupil_id: UUID, reason: str, minutes: int = GLASS_MINUTES_MAX
) -> list[Event]:
    """Open one pupil's record for a while; the same twice is once. Raises StaffAlreadyLeft, GlassReasonMissing."""
    _working(state)
    if len(reason.strip()) < GLASS_REASON_MIN or not 1 <= minutes <= GLASS_MINUTES_MAX:
        raise GlassReasonMissing(
            f"say in a sentence why this record must be opened, and for how long: 1 to {GLASS_MINUTES_MAX} minutes"
        )
    until = stamp.at + timedelta(minutes=minutes)
    broken = GlassBroken(**stamp.fresh(), glass_id=glass_id, pupil_id=pupil_id, reason=reason.strip(), until=until)
    return [] if glass_id in state.glasses else [broken]


def review_glass(state: Staff, stamp: Stamp, *, glass_id: UUID, in_order: bool, note: str = "") -> list[Event]:
    """Judge why the glass was broken. Raises StaffUnknown, NoSuchGlass, OwnGlassReviewed."""
    added = _known(state)
    if glass_id not in state.unreviewed:
        raise NoSuchGlass("this is not waiting for a review: it was reviewed already, or is somebody else's")
    if added.staff_id == stamp.by.id:
        raise OwnGlassReviewed("a second person reviews why the glass was broken: ask the head or the DSL")
    return [GlassReviewed(**stamp.fresh(), glass_id=glass_id, in_order=in_order, note=note)]


def issue_sign_in(
    state: Staff, stamp: Stamp, *, kind: Literal["code", "key"], good_until: datetime, only: Sequence[str] = ()
) -> list[Event]:
    """Put on record that a code or a key was made.

    Raises StaffUnknown (also for a person's key), StaffAlreadyLeft, SecondPersonNeeded.
    """
    added = _working(state)
    if kind == "code" and state.factor_taken_by == stamp.by.id and stamp.by.role != OPERATOR:
        raise SecondPersonNeeded("you took this account's second factor away: somebody else makes its next code")
    if kind == "key" and added.kind != "service":
        raise StaffUnknown("there is no service client with this id: add one with kind `service` first")
    return [SignInIssued(**stamp.fresh(), kind=kind, good_until=good_until, only=tuple(only))]


def take_factor_away(state: Staff, stamp: Stamp) -> list[Event]:
    """Take a lost second factor away. Raises StaffUnknown, OwnFactorTakenAway, SecondPersonNeeded."""
    if _known(state).staff_id == stamp.by.id:
        raise OwnFactorTakenAway("somebody else takes a lost second factor away: ask the head or the DSL")
    code = state.code
    if code is not None and code.by.id == stamp.by.id and stamp.at < code.good_until and stamp.by.role != OPERATOR:
        raise SecondPersonNeeded("you made a code for this account that may still be good: somebody else takes its "
                                 "second factor away")  # fmt: skip
    return [FactorTakenAway(**stamp.fresh())]


def leave(state: Staff, stamp: Stamp, *, on: date) -> list[Event]:
    """The member of staff leaves; saying so twice changes nothing. Raises StaffUnknown."""
    _known(state)
    return [] if state.left_on is not None else [StaffLeft(**stamp.fresh(), happened_on=on)]


def _known(state: Staff) -> StaffAdded:
    if state.added is None:
        raise StaffUnknown("nobody with this id works at this school: add them first")
    return state.added


def _working(state: Staff) -> StaffAdded:
    added = _known(state)
    if state.left_on is not None:
        raise StaffAlreadyLeft(f"this member of staff left on {state.left_on}: add them again first")
    return added
