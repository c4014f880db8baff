"""What can be done to one pupil's record: the roll, a sitting, a flag, an outcome, a wish to talk, a mistake."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from astrack.access import about_pupil
from astrack.access.callers import CallerOf
from astrack.api.common import (  # fmt: skip
    Body,
    Code,
    Day,
    Done,
    GroupList,
    IfMatch,
    Key,
    Line,
    Note,
    Out,
    YearGroup,
    expected,
    needed,
)
from domain import review
from domain.authority import Action
from domain.identity import Person
from domain.journey.facts import Group, Helper, Judgement, Mode
from domain.journey.outside import OutcomeCode, Source
from domain.pupil_number import PupilNumber

router = APIRouter(tags=["pupils"])
Given = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Sex = Annotated[str, StringConstraints(pattern=r"^[A-Z]?$")]


class PersonIn(Body):
    """Who a pupil is."""

    surname: Given
    forename: Given
    preferred_forename: Line = ""
    middle_names: Line = ""
    upn: Annotated[str, Field(min_length=13, max_length=13, examples=["H801200001001"])] | None = None
    date_of_birth: Annotated[Day, Field(examples=["2017-03-04"])]
    sex: Sex = ""

    def person(self) -> Person:
        """The domain's person. Raises BadPupilNumber for a UPN that cannot be one."""
        if self.upn is not None:
            PupilNumber.parse(self.upn)
        return Person(**self.model_dump())


class AdmitIn(Body):
    """A pupil who is new here."""

    person: PersonIn
    on: Day
    year_group: YearGroup | None
    groups: GroupList = Field(default_factory=list)


class Admitted(Out):
    """The new pupil's id."""

    pupil_id: UUID


class Placed(Body):
    """A year group and groups, from a day on."""

    on: Day
    year_group: YearGroup | None
    groups: GroupList = Field(default_factory=list)


class OnDay(Body):
    """The day it happened."""

    on: Day


class SittingIn(Body):
    """What a pupil handed in: a step of its instrument's scale for each item, and the seconds each took where known.

    `supported`: an adult wrote for the pupil, `helped_by` in which role.
    """

    sitting_id: UUID
    round_id: UUID | None = None
    on: Day
    answers: Annotated[dict[Code, Annotated[int, Field(ge=1, le=10)]], Field(max_length=200)]
    seconds: Annotated[dict[Code, Annotated[float, Field(ge=0, le=86_400)]], Field(max_length=200)] = Field(
        default_factory=dict
    )
    mode: Mode = "alone"
    helped_by: Helper | None = None


class NotTodayIn(Body):
    """The round that a pupil would rather not sit today."""

    round_id: UUID


class Raised(Out):
    """The flags a sitting raised for a pupil and that ask nobody for a look: the others stand on the list of looks."""

    pupil_id: UUID
    raised: list[UUID]


class HandedIn(Out):
    """What came of a sitting; a pupil is told nothing of flags."""

    flags: list[Raised]


class FlagReviewIn(Body):
    """What a person makes of a flag."""

    judgement: Judgement
    note: Note = ""


class LookedAtIn(Body):
    """What a person sees in a pupil without flags."""

    concern: bool
    note: Note = ""


class OutcomeIn(Body):
    """What later came to pass, as a code, and where that is known from; `self_harm` is for the DSL alone."""

    outcome_id: UUID
    on: Day
    code: OutcomeCode
    source: Source


class TalkIn(Body):
    """A wish to talk to somebody."""

    talk_id: UUID
    with_role: Annotated[str, Field(pattern=r"^(tutor|head_of_year|dsl)$")] = "tutor"


class Escalate(Body):
    """Whom to ask next."""

    to_role: Annotated[str, Field(pattern=r"^(head_of_year|dsl)$")] = "dsl"


class CorrectionIn(Body):
    """Which fact was wrong, what is right, and why."""

    corrects: UUID
    changes: Annotated[
        dict[Code, Note | bool | int | float | Annotated[list[Group], Field(max_length=40)] | list[Line] | None],
        Field(min_length=1, max_length=10, examples=[{"happened_on": "2026-11-03"}]),
    ]
    why: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class OptOutIn(Body):
    """Who asked that no assessment be taken, and when."""

    asked_by: Literal["parent", "pupil"]
    on: Day


@router.post("/pupils")
def admit(caller: CallerOf, body: AdmitIn, key: Key) -> Admitted:
    """Begin the record of a pupil who is new here."""
    caller.may(Action.ADMIT)
    answer = caller.records.admit(
        caller.ask(key), body.person.person(), on=body.on, year_group=body.year_group, groups=body.groups
    )
    return Admitted(pupil_id=answer["pupil_id"])


@router.put("/pupils/{pupil_id}/identity")
def amend_identity(caller: CallerOf, pupil_id: UUID, body: PersonIn, key: Key, if_match: IfMatch = None) -> Done:
    """State anew who a pupil is; needs the ETag of the statement it replaces."""
    caller.may(Action.KEEP_ROSTER, pupil_id)
    # what a roster carries along and this form does not know stays as it was
    before = caller.records.identity(pupil_id).person
    person = body.person().model_copy(update={"carried": before.carried} if before else {})
    caller.records.amend_identity(caller.ask(key, needed(if_match)), pupil_id, person)
    return Done(pupil_id=pupil_id, events=[])


@router.post("/pupils/{pupil_id}/groups")
def regroup(caller: CallerOf, pupil_id: UUID, body: Placed, key: Key, if_match: IfMatch = None) -> Done:
    """Another year group, or other groups, from a day on."""
    caller.may(Action.KEEP_ROSTER, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.regroup(ask, pupil_id, on=body.on, year_group=body.year_group, groups=body.groups))


@router.post("/pupils/{pupil_id}/leave")
def leave(caller: CallerOf, pupil_id: UUID, body: OnDay, key: Key, if_match: IfMatch = None) -> Done:
    """The pupil leaves the roll."""
    caller.may(Action.KEEP_ROSTER, pupil_id)
    return Done(**caller.records.leave(caller.ask(key, expected(if_match)), pupil_id, on=body.on))


@router.post("/pupils/{pupil_id}/return")
def return_to_roll(caller: CallerOf, pupil_id: UUID, body: Placed, key: Key, if_match: IfMatch = None) -> Done:
    """Put a pupil whose record is here on roll again."""
    caller.may(Action.KEEP_ROSTER, pupil_id)
    ask = caller.ask(key, expected(if_match))
    done = caller.records.return_to_roll(ask, pupil_id, on=body.on, year_group=body.year_group, groups=body.groups)
    return Done(**done)


@router.post("/pupils/{pupil_id}/sittings")
def hand_in(caller: CallerOf, pupil_id: UUID, body: SittingIn, key: Key, if_match: IfMatch = None) -> HandedIn:
    """Hand in one sitting; it is scored, and flags are raised or eased, in the same decision."""
    caller.may(Action.SIT, pupil_id)
    answer = caller.records.hand_in(
        caller.ask(key, expected(if_match)), pupil_id, sitting_id=body.sitting_id, round_id=body.round_id, on=body.on,
        answers=body.answers, seconds=body.seconds, mode=body.mode, helped_by=body.helped_by,
    )  # fmt: skip
    if not caller.can(Action.SEE_STORY, about_pupil(caller.records, pupil_id, caller.today)):
        return HandedIn(flags=[])
    # what waits for a review stands on the list of looks, and nowhere else
    waiting = review.waiting(caller.records.journey(pupil_id)[0])
    raised = [flag_id for one in answer["flags"] for key in one["raised"] if (flag_id := UUID(key)) not in waiting]
    return HandedIn(flags=[Raised(pupil_id=pupil_id, raised=raised)])


@router.post("/pupils/{pupil_id}/not-today")
def say_not_today(caller: CallerOf, pupil_id: UUID, body: NotTodayIn, key: Key) -> Done:
    """A pupil would rather not sit a round today; nothing follows from it, and the round can be sat later."""
    caller.may(Action.SIT, pupil_id)
    return Done(**caller.records.say_not_today(caller.ask(key), pupil_id, round_id=body.round_id))


@router.post("/pupils/{pupil_id}/flags/{flag_id}/review")
def review_flag(
    caller: CallerOf, pupil_id: UUID, flag_id: UUID, body: FlagReviewIn, key: Key, if_match: IfMatch = None
) -> Done:
    """Say what you make of a sign, by the id it has on the list of looks."""
    caller.may(Action.REVIEW_FLAGS, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.review_flag(ask, pupil_id, flag_id=flag_id, judgement=body.judgement, note=body.note))


@router.post("/pupils/{pupil_id}/looked-at")
def look_at(caller: CallerOf, pupil_id: UUID, body: LookedAtIn, key: Key, if_match: IfMatch = None) -> Done:
    """Review a pupil who has no flag."""
    caller.may(Action.REVIEW_FLAGS, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.look_at(ask, pupil_id, concern=body.concern, note=body.note))


@router.post("/pupils/{pupil_id}/outcomes")
def report_outcome(caller: CallerOf, pupil_id: UUID, body: OutcomeIn, key: Key, if_match: IfMatch = None) -> Done:
    """Say, as a code, what later came to pass."""
    caller.may(Action.REPORT_OUTCOME, pupil_id)
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.report_outcome(ask, pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/talks")
def ask_to_talk(caller: CallerOf, pupil_id: UUID, body: TalkIn, key: Key) -> Done:
    """I would like to talk to someone."""
    caller.may(Action.ASK_TO_TALK, pupil_id)
    return Done(**caller.records.ask_to_talk(caller.ask(key), pupil_id, **body.model_dump()))


@router.post("/pupils/{pupil_id}/talks/{talk_id}/take-up")
def take_up_talk(caller: CallerOf, pupil_id: UUID, talk_id: UUID, key: Key) -> Done:
    """Take up a pupil's wish to talk."""
    caller.may(Action.TAKE_UP_TALK, pupil_id)
    return Done(**caller.records.take_up_talk(caller.ask(key), pupil_id, talk_id=talk_id))


@router.post("/pupils/{pupil_id}/talks/{talk_id}/escalate")
def escalate_talk(caller: CallerOf, pupil_id: UUID, talk_id: UUID, body: Escalate, key: Key) -> Done:
    """Ask the next person to take up a wish to talk."""
    caller.may(Action.TAKE_UP_TALK, pupil_id)
    return Done(**caller.records.escalate_talk(caller.ask(key), pupil_id, talk_id=talk_id, to_role=body.to_role))


@router.post("/pupils/{pupil_id}/corrections")
def correct(caller: CallerOf, pupil_id: UUID, body: CorrectionIn, key: Key, if_match: IfMatch = None) -> Done:
    """Say that an earlier fact was wrong; it stays, and the correction beside it."""
    caller.may(Action.CORRECT, pupil_id)
    changes = body.model_dump(mode="json")["changes"]
    ask = caller.ask(key, expected(if_match))
    return Done(**caller.records.correct(ask, pupil_id, corrects=body.corrects, changes=changes, why=body.why))


@router.post("/pupils/{pupil_id}/opt-out")
def opt_out(caller: CallerOf, pupil_id: UUID, body: OptOutIn, key: Key) -> Done:
    """Record that no assessment is wanted."""
    caller.may(Action.OPT_OUT, pupil_id)
    return Done(**caller.records.opt_out(caller.ask(key), pupil_id, asked_by=body.asked_by, on=body.on))


@router.post("/pupils/{pupil_id}/opt-out/end")
def end_opt_out(caller: CallerOf, pupil_id: UUID, body: OptOutIn, key: Key) -> Done:
    """Record that an opt-out is taken back."""
    caller.may(Action.OPT_OUT, pupil_id)
    return Done(**caller.records.end_opt_out(caller.ask(key), pupil_id, asked_by=body.asked_by, on=body.on))
