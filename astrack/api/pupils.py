"""One pupil's record, read: as it stands, as it came about, as the model sees it, as it was known on a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from astrack.access import about_journey
from astrack.access.callers import Caller, CallerOf
from astrack.api.common import Cursor, Day, Limit, Out, cursor_number, cursor_of, unchanged
from astrack.replay import as_of
from domain import risk, scoring
from domain.authority import Action
from domain.base import DomainError, Erased, Event, Fact, Opaque
from domain.identity import replay as replay_identity
from domain.instrument import FACTORS
from domain.journey import facts as f
from domain.journey.facts import Group
from domain.journey.state import Journey, Sat

router = APIRouter(tags=["pupils"])
ENVELOPE = {"event_id", "recorded_at", "by"}


class NoIdentity(DomainError):
    """Who this pupil is was erased, or left behind in a protected move."""


class GapOut(Out):
    """In school minus in general on a factor, and the standard error of that difference, far wider than a value's."""

    factor: str
    apart: float
    error: float


class SittingOut(Out):
    """One sitting: eight numbers on the instrument's scale and their errors, null where too little was answered.

    `from_end`: how far each lies from the nearer end, 0 and below: it is at that end. `gaps`: of the factors answered
    in both contexts.
    """

    sitting_id: UUID
    round_id: UUID | None
    on: date
    values: list[float | None]
    errors: list[float | None]
    from_end: list[float | None]
    gaps: list[GapOut]
    usable: bool
    mode: f.Mode
    helped_by: f.Helper | None


class FlagOut(Out):
    """One flag: what is worth a look, how sure, resting on what, and what a person made of it."""

    flag_id: UUID
    kind: str
    factor: str | None
    context: str | None
    pole: str | None
    probability: float | None
    reason: str
    rests_on: list[UUID]
    model_digest: str
    judgement: str | None
    eased: bool


class PlanOut(Out):
    """One action plan."""

    plan_id: UUID
    kind: str
    goal: str
    factor: str | None
    context: str | None
    causes: list[str]
    risks: list[str]
    signposts: list[str]
    own_strategies: list[str]
    owner_id: UUID
    start_on: date
    end_on: date
    came: str | None


class PupilOut(Out):
    """A pupil's record as it stands. Its ETag is the version that If-Match names."""

    pupil_id: UUID
    year_group: int | None
    groups: list[Group]
    stage: Annotated[str, Field(examples=["on_roll", "moving", "left", "handed_over"])]
    left_on: date | None
    opted_out: bool
    sittings: list[SittingOut]
    flags: list[FlagOut]
    plans: list[PlanOut]
    talks: dict[UUID, str]


class IdentityOut(Out):
    """Who a pupil is. Its ETag is the version that replacing it names."""

    pupil_id: UUID
    surname: str
    forename: str
    preferred_forename: str
    middle_names: str
    upn: str | None
    former_upns: list[str]
    date_of_birth: date
    sex: str


class FactOut(Out):
    """One fact of the story: what, when it happened, when it was recorded here, by whom, and where it came from."""

    position: int
    event_id: UUID
    topic: str
    happened_on: date
    recorded_at: AwareDatetime
    by: UUID
    role: str
    origin: str
    data: dict[str, Any]


class Timeline(Out):
    """A page of a pupil's facts, oldest first."""

    items: list[FactOut]
    next: str | None


class StoryLine(Out):
    """One line of a pupil's own story, in their terms: no flags, no numbers."""

    on: date
    what: Literal[
        "joined", "left", "sat", "not_today", "plan_began", "plan_ended", "asked_to_talk", "was_heard", "moved_on"
    ]
    words: str


class TrackOut(Out):
    """What the model makes of the sittings: by day, eight levels with their doubt, and how likely each is at a pole."""

    model_digest: str
    days: list[date]
    level: list[list[float | None]]
    sd: list[list[float | None]]
    p_polar: list[list[float | None]]
    p_priority: list[float | None]


class ReplayOut(Out):
    """What this school knew at the end of a day, and what had happened by then but was recorded only later."""

    day: date
    position: int
    known: list[FactOut]
    late: list[FactOut]
    pupil: PupilOut


@router.get(
    "/pupils/{pupil_id}", response_model=PupilOut, responses={304: {"description": "You have this version already."}}
)
def pupil(caller: CallerOf, request: Request, response: Response, pupil_id: UUID) -> PupilOut | Response:
    """The record as it stands."""
    caller.see(Action.SEE_STORY, pupil_id)
    if unchanged(request, response, _version(caller.whole(pupil_id)[1])):
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return _pupil(caller, pupil_id, caller.journey(pupil_id)[0])


@router.get("/pupils/{pupil_id}/identity")
def identity(caller: CallerOf, response: Response, pupil_id: UUID) -> IdentityOut:
    """Who the pupil is."""
    caller.see(Action.SEE_NAME, pupil_id)
    facts = caller.records.log.load(caller.records.identity_of(pupil_id).stream_id).facts
    person = replay_identity(fact.event for fact in facts).person
    response.headers["ETag"] = f'"{_version(facts)}"'
    if person is None:
        raise NoIdentity("who this pupil is has been erased or left behind: only the story is here")
    return IdentityOut(pupil_id=pupil_id, **person.model_dump(exclude={"carried"}))


@router.get("/pupils/{pupil_id}/timeline")
def timeline(caller: CallerOf, pupil_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Timeline:
    """The facts of the story, oldest first, each saying where it comes from."""
    after = cursor_number(cursor)
    caller.see(Action.SEE_STORY, pupil_id)
    _, facts = caller.journey(pupil_id)
    rest = [fact for fact in facts if fact.position > after]
    more = cursor_of(rest[limit - 1].position) if len(rest) > limit else None
    return Timeline(items=[_fact(one) for one in rest[:limit]], next=more)


@router.get("/pupils/{pupil_id}/story")
def story(caller: CallerOf, pupil_id: UUID) -> list[StoryLine]:
    """The pupil's own story, for them: what they did, what was agreed, who listened. For a parent: as released."""
    caller.see(Action.SEE_GUIDED, pupil_id)
    _, facts = caller.journey(pupil_id)
    told = ((fact.event.day, _told(fact.event)) for fact in facts)
    return [StoryLine(on=on, what=line[0], words=line[1]) for on, line in told if line]  # type: ignore[arg-type]


@router.get("/pupils/{pupil_id}/track")
def track(caller: CallerOf, pupil_id: UUID, up_to: Day | None = None) -> TrackOut:
    """What the journey picture draws: levels as known on each day, never smoothed with what came later."""
    caller.see(Action.SEE_STORY, pupil_id)
    journey, _ = caller.journey(pupil_id)
    model = risk.load_model()
    found = risk.track(model, journey.sittings, up_to or caller.today)
    return TrackOut(
        model_digest=model.digest, days=list(found.days), level=_rows(found.level), sd=_rows(found.sd),
        p_polar=_rows(found.p_polar), p_priority=[_number(one) for one in found.p_priority],
    )  # fmt: skip


@router.get("/pupils/{pupil_id}/replay")
def replay(caller: CallerOf, pupil_id: UUID, as_of_day: Annotated[Day, Query(alias="as_of")]) -> ReplayOut:
    """The record as it was known at the end of a day."""
    caller.see(Action.REPLAY, pupil_id)
    found = as_of(caller.records, pupil_id, as_of_day)
    journey, known = caller.told(pupil_id, found.journey, found.known)
    _, late = caller.told(pupil_id, found.journey, found.late)
    return ReplayOut(
        day=as_of_day, position=found.position, known=[_fact(one) for one in known], late=[_fact(one) for one in late],
        pupil=_pupil(caller, pupil_id, journey),
    )  # fmt: skip


def _version(facts: list[Fact]) -> int:
    return facts[-1].version if facts else -1


def _pupil(caller: Caller, pupil_id: UUID, journey: Journey) -> PupilOut:
    about = about_journey(caller.records, pupil_id, journey, caller.today)
    return PupilOut(
        pupil_id=pupil_id, year_group=journey.year_group, groups=list(journey.groups), stage=about.stage.name.lower(),
        left_on=journey.left_on, opted_out=journey.opted_out,
        sittings=[SittingOut(**_sitting(one)) for one in journey.sittings],
        flags=[
            FlagOut(**one.raised.model_dump(exclude=ENVELOPE), judgement=one.judgement, eased=one.eased)
            for one in journey.flags.values()
        ],
        plans=[_plan(one.opened, one.end_on, one.came) for one in journey.plans.values()],
        talks=journey.talks,
    )  # fmt: skip


def _sitting(one: Sat) -> dict[str, Any]:
    tool = risk.load_model().instrument
    stated = {name: getattr(one, name) for name in SittingOut.model_fields if hasattr(one, name)}
    from_end = [None if value is None else scoring.distance_from_end(tool, value) for value in one.values]
    gaps = [
        GapOut(factor=factor, apart=gap[0], error=gap[1])
        for at, factor in enumerate(FACTORS)
        if (gap := scoring.context_gap(one.values, one.errors, at))
    ]
    return {**stated, "from_end": from_end, "gaps": gaps}


def _plan(opened: f.PlanOpened, end_on: date, came: str | None) -> PlanOut:
    fields = {name: getattr(opened, name) for name in PlanOut.model_fields if hasattr(opened, name)}
    return PlanOut(**{**fields, "end_on": end_on, "came": came})


def _fact(fact: Fact) -> FactOut:
    event = fact.event
    topic = event.topic if isinstance(event, Opaque | Erased) else event.TOPIC
    data = event.data if isinstance(event, Opaque) else event.model_dump(mode="json", exclude=ENVELOPE)
    return FactOut(
        position=fact.position, event_id=event.event_id, topic=topic, happened_on=event.day,
        recorded_at=fact.recorded_at, by=event.by.id, role=event.by.role, origin=fact.origin, data=data,
    )  # fmt: skip


def _told(event: Event) -> tuple[str, str] | None:
    match event:
        case f.PupilEnrolled():
            return "joined", "You joined the school."
        case f.PupilLeft():
            return "left", "You left the school."
        case f.AssessmentSat():
            return "sat", "You imagined your place and made your choices there."
        case f.NotTodaySaid():
            own = event.by.role == "pupil"
            return "not_today", "You said: not today." if own else "Somebody noted for you: not today."
        case f.PlanOpened():
            return "plan_began", f"A plan with you began: {event.goal}"
        case f.PlanClosed():
            return "plan_ended", "The plan came to its end."
        case f.TalkRequested():
            return "asked_to_talk", "You said that you would like to talk to someone."
        case f.TalkAcknowledged():
            return "was_heard", "Somebody took up your wish to talk."
        case f.CustodyReleased():
            return "moved_on", "Your record moved on to your next school."
        case _:
            return None


def _rows(values: Any) -> list[list[float | None]]:
    return [[_number(one) for one in row] for row in values]


def _number(value: Any) -> float | None:
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None
