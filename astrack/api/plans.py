"""Action plans, hand-offs to the DSL, and what a pupil or a parent signs in with."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from astrack.access import check_owner
from astrack.access.callers import CallerOf
from astrack.api.common import Body, Code, Day, Done, IfMatch, Key, Line, Note, Out, expected
from astrack.records.support import Support
from domain import safeguarding, support
from domain.authority import Action
from domain.journey.facts import Came, Going
from domain.rights.family import RelationNotStanding
from projections import plan_board

router = APIRouter(tags=["plans"])
hand_offs = APIRouter(tags=["safeguarding"])
cards = APIRouter(tags=["sign-in"])
Codes = Annotated[list[Code], Field(max_length=20)]


class PlanIn(Body):
    """A plan: causes looked back on, risks looked ahead to, signposts chosen, an owner, an end. No step is skipped.

    ``keep_words``: open it though its goal says what will be gone ("stops", "no longer") and not what will be there.
    """

    plan_id: UUID
    kind: Code = "individual"
    tier: Annotated[int, Field(ge=1, le=3)] = 2
    goal: Annotated[Line, Field(examples=["Asks for help when stuck"])]
    factor: Code | None = None
    context: Code | None = None
    pole: Literal["low", "high"] | None = None
    flags: Annotated[list[UUID], Field(max_length=20)] = Field(default_factory=list)
    causes: Codes
    risks: Codes
    signposts: Codes = Field(default_factory=list)
    own_strategies: Annotated[list[Line], Field(max_length=20)] = Field(default_factory=list)
    owner_id: UUID
    start_on: Day
    end_on: Day
    monitoring: Literal["weekly", "fortnightly", "monthly"] = "weekly"
    group_plan_id: UUID | None = None
    keep_words: bool = False


class GroupPlanIn(Body):
    """One plan for 2 to 12 pupils, opened for all of them or for none: each keeps a plan of their own."""

    group_plan_id: UUID
    plan: PlanIn
    pupil_ids: Annotated[list[UUID], Field(min_length=2, max_length=12)]
    flags: Annotated[dict[UUID, Annotated[list[UUID], Field(max_length=20)]], Field(max_length=12)] = Field(
        default_factory=dict
    )


class GroupPlanMade(Out):
    """The group plan, and whose plans it is tied to."""

    group_plan_id: UUID
    pupils: list[UUID]


class ReminderOut(Out):
    """How many of the caller's plans wait for a look, with a sentence that an e-mail may carry; never which."""

    due: int
    overdue: int
    said: str | None


class MonitorIn(Body):
    """How a plan is going."""

    going: Going
    note: Note = ""


class PlanReviewIn(Body):
    """A plan goes on until a later day."""

    end_on: Day
    note: Note = ""


class CloseIn(Body):
    """What came of a plan, in its owner's eyes."""

    came: Came
    note: Note = ""


class HandOffIn(Body):
    """Where the concern is kept in the school's own system: a reference, never the story."""

    hand_off_id: UUID
    on: Day
    reference: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._/-]+$")]


class HandOffMade(Out):
    """The hand-off that was made."""

    hand_off_id: UUID


class HandOffOut(Out):
    """A hand-off nobody has taken up yet."""

    hand_off_id: UUID
    on: Day
    reference: str
    by: UUID


class KnownOut(Out):
    """An outcome that only the DSL says and is shown."""

    outcome_id: UUID
    on: Day
    code: str
    by: UUID


class TakeBackIn(Body):
    """Why an outcome was wrong."""

    why: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CardOut(Out):
    """A pupil's new sign-in card, shown this once."""

    words: str


class LetterIn(Body):
    """The verified relation the letter is written to, where there is one."""

    relation_id: UUID | None = None


class LetterOut(Out):
    """A parent's code, shown this once, to be printed in a letter."""

    parent_id: UUID
    code: str


@router.post("/pupils/{pupil_id}/plans")
def open_plan(caller: CallerOf, pupil_id: UUID, body: PlanIn, key: Key, if_match: IfMatch = None) -> Done:
    """Open a plan; its owner must be somebody here who can see the pupil."""
    if about := caller.may(Action.WRITE_PLANS, pupil_id):
        check_owner(caller.records, body.owner_id, about, caller.today)
    ask = caller.ask(key, expected(if_match))
    plan = body.model_dump(exclude={"keep_words"})
    return Done(**caller.records.open_plan(ask, pupil_id, plan=plan, keep_words=body.keep_words))


@router.post("/plans/group")
def open_group_plan(caller: CallerOf, body: GroupPlanIn, key: Key) -> GroupPlanMade:
    """Open one plan for several pupils, all or none; its owner must be somebody who can see every one of them."""
    for pupil_id in body.pupil_ids:
        if about := caller.may(Action.WRITE_PLANS, pupil_id):
            check_owner(caller.records, body.plan.owner_id, about, caller.today)
    plan = body.plan.model_dump(exclude={"plan_id", "kind", "flags", "group_plan_id", "keep_words"})
    flags = {pupil_id: tuple(some) for pupil_id, some in body.flags.items()}
    made = Support(caller.records).open_group_plan(
        caller.ask(key), plan, body.pupil_ids, flags, body.group_plan_id, keep_words=body.plan.keep_words
    )
    return GroupPlanMade(**made)


@router.get("/plans/reminder")
def plan_reminder(caller: CallerOf) -> ReminderOut:
    """How many of the caller's own plans are due for a look, and overdue."""
    caller.listed(Action.SEE_PLANS)
    school_id = caller.records.school_id
    caller.app.views.catch_up(school_id)
    with caller.app.views.reading(school_id) as cur:
        due, overdue = plan_board.waiting(cur, school_id, caller.today).get(caller.viewer.id, (0, 0))
    return ReminderOut(due=due, overdue=overdue, said=support.reminder(due, overdue))


@router.post("/pupils/{pupil_id}/plans/{plan_id}/monitor")
def monitor_plan(
    caller: CallerOf, pupil_id: UUID, plan_id: UUID, body: MonitorIn, key: Key, if_match: IfMatch = None
) -> Done:
    """Note how a plan is going."""
    caller.may(Action.WRITE_PLANS, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.monitor_plan(ask, pupil_id, plan_id=plan_id, going=body.going, note=body.note))


@router.post("/pupils/{pupil_id}/plans/{plan_id}/review")
def review_plan(
    caller: CallerOf, pupil_id: UUID, plan_id: UUID, body: PlanReviewIn, key: Key, if_match: IfMatch = None
) -> Done:
    """Look at a plan as a whole and let it go on."""
    caller.may(Action.WRITE_PLANS, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.review_plan(ask, pupil_id, plan_id=plan_id, end_on=body.end_on, note=body.note))


@router.post("/pupils/{pupil_id}/plans/{plan_id}/close")
def close_plan(
    caller: CallerOf, pupil_id: UUID, plan_id: UUID, body: CloseIn, key: Key, if_match: IfMatch = None
) -> Done:
    """End a plan and say what came of it."""
    caller.may(Action.WRITE_PLANS, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.close_plan(ask, pupil_id, plan_id=plan_id, came=body.came, note=body.note))


@hand_offs.post("/pupils/{pupil_id}/hand-offs")
def hand_off(caller: CallerOf, pupil_id: UUID, body: HandOffIn, key: Key) -> HandOffMade:
    """Hand a concern to the DSL in the school's own system, and say where it is kept there."""
    caller.may(Action.RAISE_HAND_OFF, pupil_id)
    caller.records.hand_off(
        caller.ask(key), pupil_id, hand_off_id=body.hand_off_id, on=body.on, reference=body.reference
    )
    return HandOffMade(hand_off_id=body.hand_off_id)


@hand_offs.get("/pupils/{pupil_id}/hand-offs")
def open_hand_offs(caller: CallerOf, pupil_id: UUID) -> list[HandOffOut]:
    """The hand-offs about a pupil that nobody has taken up, oldest first."""
    caller.see(Action.SEE_HAND_OFFS, pupil_id)
    waiting = safeguarding.open_hand_offs(fact.event for fact in caller.records.safeguarding_facts(pupil_id))
    return [
        HandOffOut(hand_off_id=one.hand_off_id, on=one.happened_on, reference=one.reference, by=one.by.id)
        for one in waiting.values()
    ]


@hand_offs.get("/pupils/{pupil_id}/outcomes")
def known_outcomes(caller: CallerOf, pupil_id: UUID) -> list[KnownOut]:
    """Outcomes that only the DSL says and is shown; the others stand in the story."""
    caller.see(Action.SEE_HAND_OFFS, pupil_id)
    known = safeguarding.standing_outcomes(fact.event for fact in caller.records.safeguarding_facts(pupil_id))
    return [KnownOut(outcome_id=key, on=one.happened_on, code=one.code, by=one.by.id) for key, one in known.items()]


@hand_offs.post("/pupils/{pupil_id}/outcomes/{outcome_id}/take-back")
def take_back_outcome(caller: CallerOf, pupil_id: UUID, outcome_id: UUID, body: TakeBackIn, key: Key) -> Done:
    """Say that such an outcome was recorded in error; both stay on record."""
    caller.may(Action.TAKE_UP_HAND_OFF, pupil_id)
    done = caller.records.take_back_outcome(caller.ask(key), pupil_id, outcome_id=outcome_id, why=body.why)
    return Done(**done)


@hand_offs.post("/pupils/{pupil_id}/hand-offs/{hand_off_id}/acknowledge")
def acknowledge_hand_off(caller: CallerOf, pupil_id: UUID, hand_off_id: UUID, key: Key) -> HandOffMade:
    """Take up a hand-off."""
    caller.may(Action.TAKE_UP_HAND_OFF, pupil_id)
    caller.records.acknowledge_hand_off(caller.ask(key), pupil_id, hand_off_id=hand_off_id)
    return HandOffMade(hand_off_id=hand_off_id)


@cards.post("/pupils/{pupil_id}/card")
def make_card(caller: CallerOf, pupil_id: UUID, key: Key) -> CardOut:
    """Four words that sign this pupil in; cards made before stop working."""
    caller.see(Action.MAKE_CARD, pupil_id)
    return CardOut(words=caller.sessions.credentials(caller.records.school_id).card(pupil_id))


@cards.post("/pupils/{pupil_id}/letter")
def make_letter(caller: CallerOf, pupil_id: UUID, key: Key, body: LetterIn | None = None) -> LetterOut:
    """A code that lets a parent in once, for this pupil. One that names no verified relation lets them object only."""
    caller.see(Action.MAKE_LETTER, pupil_id)
    parent_id = body.relation_id if body and body.relation_id else None
    if parent_id is not None and not caller.records.family(pupil_id).stands(parent_id, caller.today):
        raise RelationNotStanding("this relation is not verified, has ended, or an order limits it: no letter is made")
    parent_id = parent_id or caller.app.new_id()
    code = caller.sessions.credentials(caller.records.school_id).letter(parent_id, pupil_id)
    return LetterOut(parent_id=parent_id, code=code)
