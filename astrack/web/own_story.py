"""A pupil's own story, told to them: what they did and what was agreed, without early signs and staff's notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from astrack.picture import CAME
from astrack.web.story import STORY_MAX, Telling, Told, story, telling
from astrack.web.welsh import Translate
from domain import risk
from domain.base import Event, Fact
from domain.identity import Identity
from domain.journey import facts as f

Tell = Callable[[Telling, Any, Translate], str]


def own_story(facts: Sequence[Fact], identity: Identity, say: Translate, limit: int = STORY_MAX) -> list[Told]:
    """The newest ``limit`` facts as sentences to the pupil, newest first, corrections applied."""
    named = telling(facts, identity)
    return story(facts, identity, guided=True, limit=limit, words=lambda event: words_of(named, event, say))


def words_of(named: Telling, event: Event, say: Translate) -> str:
    """One fact of a pupil's own story as a sentence to them."""
    return _SAY[type(event)](named, event, say)


def _joined(named: Telling, one: f.PupilEnrolled, say: Translate) -> str:
    school = named.schools.get(one.school_id) or say("a school")
    if not one.year_group or one.year_group < 1:
        return say("You joined {school}.").format(school=school)
    year = say("Year {n}").format(n=one.year_group)
    return say("You joined {school}, in {year}.").format(school=school, year=year)


def _sat(_: Telling, one: f.AssessmentSat, say: Translate) -> str:
    ours = risk.reads(one.instrument, one.instrument_version)
    return say("You imagined your place and made your choices there." if ours else "You answered other questions.")


def _not_today(_: Telling, one: f.NotTodaySaid, say: Translate) -> str:
    own = one.by.role == "pupil"
    return say(f"{'You said' if own else 'It was noted for you'}: not today. Nothing follows from it.")


def _received(named: Telling, one: f.RecordReceived, say: Translate) -> str:
    known = named.schools.get(one.from_school_id) if one.from_school_id else None
    return say("Your record came from {school} and was checked.").format(school=known or say("another school"))


def _opted(ends: str) -> Tell:
    who = {"pupil": "You", "parent": "Your family"}
    return lambda _, one, say: say(f"{who[one.asked_by]} said that you {ends}.")


_SAY: dict[type[Event], Tell] = {
    f.PupilEnrolled: _joined,
    f.AssessmentSat: _sat,
    f.NotTodaySaid: _not_today,
    f.PlanOpened: lambda _, one, say: say("A plan with you began: {goal}").format(goal=one.goal),
    f.PlanClosed: lambda _, one, say: say("The plan came to its end: {came}.").format(came=say(CAME[one.came])),
    f.TalkRequested: lambda _, __, say: say("You said that you would like to talk to someone."),
    f.TalkAcknowledged: lambda _, __, say: say("Somebody took up your wish to talk."),
    f.RecordReceived: _received,
    f.OwnershipPassed: lambda _, __, say: say("You were given your own copy."),
    f.OptOutRecorded: _opted("would rather not take part"),
    f.OptOutEnded: _opted("take part again"),
    f.ProcessingRestricted: lambda _, __, say: say(
        "Your record is kept and not used until a question about it is settled."
    ),
    f.RestrictionLifted: lambda _, __, say: say("Your record may be used again."),
}
