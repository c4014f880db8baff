"""The state one pupil's facts add up to: one small function per fact, and replay a loop over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from domain.base import Event
from domain.journey import facts as f

DAYS_A_MONTH = 365.2425 / 12


class Custody(StrEnum):
    """Where the record stands, seen from the school whose log this is."""

    NOBODY = "nobody"
    HELD = "held"
    FROZEN = "frozen"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Sat:
    """One sitting as decisions need it. ``values`` and ``errors``: eight numbers on the scale of its ``instrument``
    (name and version; None: made up, for the model's own).
    """

    event_id: UUID
    sitting_id: UUID
    round_id: UUID | None
    on: date
    values: tuple[float | None, ...]
    errors: tuple[float | None, ...]
    usable: bool
    age_months: int | None = None
    quality: tuple[str, ...] = ()
    mode: f.Mode = "alone"
    helped_by: f.Helper | None = None
    instrument: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: what it says and whether a person reviewed it or it eased."""

    raised: f.FlagRaised
    judgement: str | None = None
    eased: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One action plan and how it ended."""

    opened: f.PlanOpened
    end_on: date
    came: str | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """What the facts so far add up to."""

    enrolled: f.PupilEnrolled | None = None
    year_group: int | None = None
    groups: tuple[f.Group, ...] = ()
    left_on: date | None = None
    sittings: tuple[Sat, ...] = ()
    flags: dict[UUID, Flag] = field(default_factory=dict)
    plans: dict[UUID, Plan] = field(default_factory=dict)
    talks: dict[UUID, str] = field(default_factory=dict)
    outcomes: frozenset[UUID] = frozenset()
    custody: Custody = Custody.NOBODY
    transfer: f.TransferPrepared | None = None
    owned_by_student: bool = False
    opted_out: bool = False
    restricted: bool = False
    events: dict[UUID, Event] = field(default_factory=dict)

    def age_months_on(self, day: date) -> int | None:
        """The age in whole months on a day, reckoned from the age stated at enrolment; None where none was."""
        if self.enrolled is None or self.enrolled.age_months is None:
            return None
        return self.enrolled.age_months + round((day - self.enrolled.happened_on).days / DAYS_A_MONTH)

    def standing_subjects(self) -> frozenset[tuple[str, str | None, str | None, str | None]]:
        """What the flags that have not eased are about: (kind, factor, context, pole)."""
        return frozenset(
            (one.raised.kind, one.raised.factor, one.raised.context, one.raised.pole)
            for one in self.flags.values()
            if not one.eased
        )

    def open_flags(self) -> list[Flag]:
        """Flags that have neither eased nor been set aside as not what staff see."""
        return [flag for flag in self.flags.values() if not flag.eased and flag.judgement != "not_what_we_see"]

    def waiting_flags(self) -> list[Flag]:
        """Flags that have not eased and that nobody has reviewed."""
        return [flag for flag in self.flags.values() if not flag.eased and flag.judgement is None]


def replay(events: Iterable[Event]) -> Journey:
    """The state after these facts, with every correction among them applied."""
    journey, told = Journey(), corrected(list(events))
    for event in told:
        step = _STEPS.get(type(event))
        journey = step(journey, event) if step else journey
    # the facts themselves are put in once: a copy of them for each fact is most of the time a replay takes
    return replace(journey, events={event.event_id: event for event in told})


def corrected(events: list[Event]) -> list[Event]:
    """The same facts as they read now: each changed by the corrections that name it, in their order.

    Going backwards, a correction has been corrected itself before it is applied; of two, the later one has the word.
    """
    at = {event.event_id: index for index, event in enumerate(events)}
    now = list(events)
    naming: dict[int, list[int]] = {}
    for index, event in enumerate(events):
        if isinstance(event, f.FactCorrected) and at.get(event.corrects, index) < index:
            naming.setdefault(at[event.corrects], []).append(index)
    for target in sorted(naming, reverse=True):
        for index in naming[target]:
            correction = now[index]
            if isinstance(correction, f.FactCorrected):
                now[target] = amended(now[target], correction.changes)
    return now


def amended(event: Event, changes: dict[str, Any]) -> Event:
    """The fact with some fields changed, checked as if it were new. Raises pydantic's ValidationError."""
    return type(event).model_validate({**event.model_dump(mode="json"), **changes})


def evolve(journey: Journey, event: Event) -> Journey:
    """The next state. A fact nobody here knows leaves the state as it is."""
    journey = replace(journey, events={**journey.events, event.event_id: event})
    step = _STEPS.get(type(event))
    return step(journey, event) if step else journey


E_ = TypeVar("E_", bound=Event)
_STEPS: dict[type[Event], Callable[[Journey, Any], Journey]] = {}


def _on(kind: type[E_]) -> Callable[[Callable[[Journey, E_], Journey]], Callable[[Journey, E_], Journey]]:
    def register(step: Callable[[Journey, E_], Journey]) -> Callable[[Journey, E_], Journey]:
        _STEPS[kind] = step
        return step

    return register


@_on(f.PupilEnrolled)
def _enrolled(journey: Journey, event: f.PupilEnrolled) -> Journey:
    return replace(
        journey,
        enrolled=event,
        year_group=event.year_group,
        groups=event.groups,
        left_on=None,
        custody=Custody.HELD if journey.custody is Custody.NOBODY else journey.custody,
    )


@_on(f.PupilRegrouped)
def _regrouped(journey: Journey, event: f.PupilRegrouped) -> Journey:
    return replace(journey, year_group=event.year_group, groups=event.groups)


@_on(f.PupilLeft)
def _left(journey: Journey, event: f.PupilLeft) -> Journey:
    return replace(journey, left_on=event.happened_on)


@_on(f.AssessmentSat)
def _sat(journey: Journey, event: f.AssessmentSat) -> Journey:
    sat = Sat(
        event.event_id,
        event.sitting_id,
        event.round_id,
        event.happened_on,
        event.values,
        event.errors,
        event.usable,
        event.age_months,
        event.quality,
        event.mode,
        event.helped_by,
        (event.instrument, event.instrument_version),
    )
    return replace(journey, sittings=tuple(sorted((*journey.sittings, sat), key=lambda one: one.on)))


@_on(f.FlagRaised)
def _raised(journey: Journey, event: f.FlagRaised) -> Journey:
    return replace(journey, flags={**journey.flags, event.flag_id: Flag(event)})


@_on(f.FlagEased)
def _eased(journey: Journey, event: f.FlagEased) -> Journey:
    return _with_flag(journey, event.flag_id, eased=True)


@_on(f.FlagReviewed)
def _reviewed(journey: Journey, event: f.FlagReviewed) -> Journey:
    return _with_flag(journey, event.flag_id, judgement=event.judgement)


def _with_flag(journey: Journey, flag_id: UUID, **changes: Any) -> Journey:
    flag = journey.flags.get(flag_id)
    if flag is None:
        return journey
    return replace(journey, flags={**journey.flags, flag_id: replace(flag, **changes)})


@_on(f.OutcomeReported)
def _outcome(journey: Journey, event: f.OutcomeReported) -> Journey:
    return replace(journey, outcomes=journey.outcomes | {event.outcome_id})


@_on(f.TalkRequested)
def _talk(journey: Journey, event: f.TalkRequested) -> Journey:
    return replace(journey, talks={**journey.talks, event.talk_id: "requested"})


@_on(f.TalkAcknowledged)
def _talk_taken(journey: Journey, event: f.TalkAcknowledged) -> Journey:
    return replace(journey, talks={**journey.talks, event.talk_id: "acknowledged"})


@_on(f.TalkEscalated)
def _talk_escalated(journey: Journey, event: f.TalkEscalated) -> Journey:
    return replace(journey, talks={**journey.talks, event.talk_id: "escalated"})


@_on(f.PlanOpened)
def _plan(journey: Journey, event: f.PlanOpened) -> Journey:
    return replace(journey, plans={**journey.plans, event.plan_id: Plan(event, event.end_on)})


@_on(f.PlanReviewed)
def _plan_reviewed(journey: Journey, event: f.PlanReviewed) -> Journey:
    return _with_plan(journey, event.plan_id, end_on=event.end_on)


@_on(f.PlanClosed)
def _plan_closed(journey: Journey, event: f.PlanClosed) -> Journey:
    return _with_plan(journey, event.plan_id, came=event.came)


def _with_plan(journey: Journey, plan_id: UUID, **changes: Any) -> Journey:
    plan = journey.plans.get(plan_id)
    if plan is None:
        return journey
    return replace(journey, plans={**journey.plans, plan_id: replace(plan, **changes)})


@_on(f.TransferPrepared)
def _prepared(journey: Journey, event: f.TransferPrepared) -> Journey:
    custody = Custody.FROZEN if event.kind == "school" else journey.custody
    return replace(journey, custody=custody, transfer=event)


@_on(f.CustodyReleased)
def _released(journey: Journey, event: f.CustodyReleased) -> Journey:
    return replace(journey, custody=Custody.RELEASED, transfer=None)


@_on(f.TransferWithdrawn)
def _withdrawn(journey: Journey, event: f.TransferWithdrawn) -> Journey:
    return replace(journey, custody=Custody.HELD, transfer=None)


@_on(f.RecordReceived)
def _received(journey: Journey, event: f.RecordReceived) -> Journey:
    # who left the other school is here now
    return replace(journey, custody=Custody.HELD, transfer=None, left_on=None)


@_on(f.SupplementReceived)
def _supplemented(journey: Journey, event: f.SupplementReceived) -> Journey:
    # that the sender let go of the record may be among what came late: it says nothing about who holds it here
    return replace(journey, custody=Custody.HELD if event.held else Custody.RELEASED, transfer=None)


@_on(f.OwnershipPassed)
def _passed(journey: Journey, event: f.OwnershipPassed) -> Journey:
    return replace(journey, owned_by_student=True, transfer=None)


@_on(f.OptOutRecorded)
def _opted_out(journey: Journey, event: f.OptOutRecorded) -> Journey:
    return replace(journey, opted_out=True)


@_on(f.OptOutEnded)
def _opted_in(journey: Journey, event: f.OptOutEnded) -> Journey:
    return replace(journey, opted_out=False)


@_on(f.ProcessingRestricted)
def _restricted(journey: Journey, event: f.ProcessingRestricted) -> Journey:
    return replace(journey, restricted=True)


@_on(f.RestrictionLifted)
def _restriction_lifted(journey: Journey, event: f.RestrictionLifted) -> Journey:
    return replace(journey, restricted=False)
