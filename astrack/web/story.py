"""A pupil's facts as sentences for people: the story under the picture, newest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from astrack.picture import (
    CAME,
    CONTEXTS,
    FACTORS,
    IN_WORDS,
    JUDGED,
    NAMES,
    Context,
    long_day,
    term_of,
    value_words,
)
from astrack.web.words import GOING, HELPERS, ROLE_NAMES, count_of
from domain import guidance, instrument, risk
from domain.base import Erased, Event, Fact
from domain.identity import Identity
from domain.instrument import PLACES, Instrument
from domain.journey import facts as f
from domain.journey.decisions import CORRECTABLE
from domain.journey.state import corrected

STORY_MAX = 400
_PLACE = re.compile(r"^(In (?:general|school|general and in school)), ")
OUTCOMES = {
    "none": "nothing to report",
    "bullied": "was bullied",
    "self_harm": "self-harm, known to the safeguarding lead",
    "not_coping": "not coping",
    "attendance": "attendance",
    "behaviour": "behaviour",
    "peer_difficulty": "difficulty with peers",
    "anxiety_support": "support for worries",
    "referral": "referral to another service",
    "exclusion": "exclusion",
    "other": "something else",
}
SOURCES = {
    "staff": "a member of staff",
    "dsl": "the safeguarding lead",
    "pupil": "the pupil",
    "family": "the family",
    "attendance_record": "the attendance record",
    "behaviour_record": "the behaviour record",
    "health": "a health professional",
    "outside_service": "another service",
    "not_stated": "",
}
ENDED = {"withdrawn": "called off", "rejected": "refused by the other school", "expired": "out of time",
         "recalled": "called back"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the story: what happened on a day, and where that is known from.

    ``topic`` is the fact's own; ``recorded_at`` when this school recorded it; ``came_from`` the log it came with.
    """

    event_id: UUID
    on: date
    said: str
    more: tuple[str, ...]
    topic: str
    recorded_at: datetime
    role: str
    came_from: str
    corrected: bool
    source: str = ""
    correctable: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """What sentences need beyond the facts: first name, school names, and what flags and plans are called."""

    called: str
    schools: Mapping[UUID, str]
    flags: Mapping[UUID, f.FlagRaised]
    plans: Mapping[UUID, f.PlanOpened]


def telling(facts: Sequence[Fact], identity: Identity) -> Telling:
    """What the sentences of one pupil's facts need."""
    events = [fact.event for fact in facts]
    return Telling(
        called=identity.person.called if identity.person else "This pupil",
        schools={key: one.name for key, one in identity.schools.items()},
        flags={one.flag_id: one for one in events if isinstance(one, f.FlagRaised)},
        plans={one.plan_id: one for one in events if isinstance(one, f.PlanOpened)},
    )


def story(
    facts: Sequence[Fact], identity: Identity, *, guided: bool = False, limit: int = STORY_MAX,
    words: Callable[[Event], str] | None = None,
) -> list[Told]:  # fmt: skip
    """The newest ``limit`` facts as sentences, newest first, corrections applied.

    ``guided`` is the pupil's own form: what they did and what was agreed, without early signs and staff notes;
    ``words`` says it in other sentences than those for staff.
    """
    named = telling(facts, identity)
    now = corrected([fact.event for fact in facts])
    told = [
        _plain(_told(named, fact, event), words(event) if words else "") if guided else _told(named, fact, event)
        for fact, event in zip(facts, now, strict=True)
        if not guided or isinstance(event, GUIDED)
    ]
    order = sorted(range(len(told)), key=lambda at: (told[at].on, told[at].recorded_at, at), reverse=True)
    return [told[at] for at in order[:limit]]


def _plain(told: Told, said: str) -> Told:
    return replace(told, said=said or told.said, more=())


def _told(named: Telling, fact: Fact, event: Event) -> Told:
    said, *more = _SAY.get(type(event), _other)(named, event)
    return Told(
        event_id=event.event_id,
        on=event.day,
        said=said,
        more=tuple(one for one in more if one),
        topic=getattr(event, "topic", "") or getattr(type(event), "TOPIC", ""),
        recorded_at=fact.recorded_at,
        role=ROLE_NAMES.get(event.by.role, event.by.role),
        came_from=fact.origin,
        corrected=event != fact.event,
        source=_source(event),
        correctable=type(event) in CORRECTABLE and not isinstance(event, f.FactCorrected),
    )


def _source(event: Event) -> str:
    if isinstance(event, f.AssessmentSat):
        tool = _tool(event)
        status = "not installed here" if tool is None else f"{tool.title}, {tool.status}"
        return f"{event.instrument}, version {event.instrument_version}: {status}."
    if isinstance(event, f.FlagRaised):
        return f"Model {event.model_digest[:12]}, resting on {count_of(len(event.rests_on), 'sitting')}."
    return ""


def by_year(told: Sequence[Told]) -> list[tuple[str, list[Told]]]:
    """The story in school years, the newest first: ("2025/26", its lines)."""
    years = groupby(told, key=lambda one: one.on.year - (one.on.month < 9))
    return [(f"{year}/{(year + 1) % 100:02d}", list(lines)) for year, lines in years]


def flag_sentence(raised: f.FlagRaised, called: str) -> str:
    """What moved, where, since when, how sure, with the pupil's first name."""
    return sign_sentence(raised.reason, raised.day, called)


def sign_sentence(reason: str, since: date, called: str) -> str:
    """A sign's reason with the first name put in, and since when where the reason does not say."""
    named = claim_sentence(reason, called)
    return named if re.search(r"\bsince\b", named, re.IGNORECASE) else f"{named} Since {term_of(since)}."


def claim_sentence(reason: str, called: str) -> str:
    """What a sign says with the first name put in."""
    first = reason[:1].upper() + reason[1:]
    named = _PLACE.sub(lambda found: f"{found[1]}, {called} ", first) if _PLACE.match(first) else first
    named = f"{called} now {named[4:]}" if named.startswith("Now ") else named
    return named if named.endswith(".") else named + "."


def entry_words(code: str) -> str:
    """What a code of the guidance library says; the code itself where the library has it no longer."""
    entry = guidance.load().entry(code)
    return entry.say if entry else code


def to_be_done(plan: f.PlanOpened) -> str:
    """What a plan tries, its own ideas last, as one text of sentences."""
    said = [*(entry_words(code) for code in plan.signposts), *plan.own_strategies]
    return " ".join(f"{one[0].upper()}{one[1:]}{'' if one[-1] in '.!?' else '.'}" for one in said if one)


def _year(group: int | None) -> str:
    return "" if group is None else "Reception" if group == 0 else f"Year {group}" if group > 0 else "nursery"


def _groups(groups: Sequence[f.Group]) -> str:
    return ", ".join(f"{one.dimension} {one.name}" for one in groups)


def _enrolled(named: Telling, one: f.PupilEnrolled) -> tuple[str, ...]:
    where = named.schools.get(one.school_id, "a school")
    year = f" in {_year(one.year_group)}" if _year(one.year_group) else ""
    return f"Joined {where}{year}.", _groups(one.groups)


def _regrouped(_: Telling, one: f.PupilRegrouped) -> tuple[str, ...]:
    return f"Now in {_year(one.year_group) or 'another group'}.", _groups(one.groups)


def _sat(_: Telling, one: f.AssessmentSat) -> tuple[str, ...]:
    readable = "" if one.usable else "It could not be read well, so nothing rests on it."
    wrote = HELPERS[one.helped_by].lower() if one.helped_by else "an adult"
    how = {"alone": "", "read_aloud": "With sentences read aloud.", "supported": f"Supported: {wrote} wrote."}[one.mode]
    if risk.reads(one.instrument, one.instrument_version):
        return "Sat the questions about an imagined place.", readable, how
    tool = _tool(one)
    if tool is None:
        return f"Sat other questions ({one.instrument}).", readable, how, "What they are is not known here."
    lies = [f"{IN_WORDS[context].capitalize()}: {_lies(tool, one, context)}." for context in CONTEXTS]
    return f"Sat other questions ({tool.title}).", readable, how, *lies, OTHER_SCALE


OTHER_SCALE = "They lie on a scale of their own: they are not in the picture, and no early sign rests on them."


def _tool(one: f.AssessmentSat) -> Instrument | None:
    here = one.instrument_version in instrument.available().get(one.instrument, ())
    return instrument.load(one.instrument, one.instrument_version) if here else None


def _lies(tool: Instrument, one: f.AssessmentSat, context: Context) -> str:
    """Where the four values of a context lie, in words, by the cut-offs of the instrument that was answered."""
    values = [(factor, one.values[PLACES[context, factor]]) for factor in FACTORS]
    words = ((factor, value_words(factor, value, tool.poles.low, tool.poles.high)) for factor, value in values)
    return "; ".join(f"{NAMES[factor].lower()} {said}" for factor, said in words)


def _not_today(_: Telling, one: f.NotTodaySaid) -> tuple[str, ...]:
    by = "" if one.by.role == "pupil" else f"Noted for the pupil by the {ROLE_NAMES.get(one.by.role, one.by.role)}."
    return "Not today, was said to the questions.", by, "Nothing follows from it."


def _raised(named: Telling, one: f.FlagRaised) -> tuple[str, ...]:
    return (f"Early sign: {flag_sentence(one, named.called)}",)


def _eased(named: Telling, one: f.FlagEased) -> tuple[str, ...]:
    return "An early sign is no longer seen.", _reason_of(named, one.flag_id)


def _reviewed(named: Telling, one: f.FlagReviewed) -> tuple[str, ...]:
    return f"Early sign {JUDGED[one.judgement]}.", _reason_of(named, one.flag_id), one.note


def _reason_of(named: Telling, flag_id: UUID) -> str:
    return named.flags[flag_id].reason if flag_id in named.flags else ""


def _goal_of(named: Telling, plan_id: UUID) -> str:
    return named.plans[plan_id].goal if plan_id in named.plans else "a plan"


def _plan(_: Telling, one: f.PlanOpened) -> tuple[str, ...]:
    return f"Plan begun: {one.goal}.", f"Until {long_day(one.end_on)}. {to_be_done(one)}"


def _totals(_: Telling, one: f.TotalsImported) -> tuple[str, ...]:
    reached = (f"{scale} {it.reached:g} ({it.least:g} to {it.most:g})" for scale, it in sorted(one.totals.items()))
    return (
        f"Totals of {one.instrument} {one.version}, another publisher's instrument: {'; '.join(reached)}.",
        f"Taken in as numbers under the school's licence ({one.licence}). No early sign rests on them.",
    )


def _corrected(_: Telling, one: f.FactCorrected) -> tuple[str, ...]:
    return f"Corrected {', '.join(name.replace('_', ' ') for name in one.changes)} of an earlier entry.", one.why


def _prepared(_: Telling, one: f.TransferPrepared) -> tuple[str, ...]:
    to = "the next school" if one.kind == "school" else "the student"
    return f"Record sealed for {to}.", "Provenance withheld by law." if one.protected else ""


def _received(named: Telling, one: f.RecordReceived) -> tuple[str, ...]:
    source = named.schools.get(one.from_school_id, "another school") if one.from_school_id else "another school"
    return f"Record received from {source} and verified.", f"{one.facts} entries came with it."


def _other(_: Telling, one: Event) -> tuple[str, ...]:
    return ("Something was recorded that this version does not know.", getattr(one, "topic", ""))


_SAY: dict[type[Event], Callable[[Telling, Any], tuple[str, ...]]] = {
    f.PupilEnrolled: _enrolled,
    f.PupilRegrouped: _regrouped,
    f.PupilLeft: lambda n, e: ("Left the school's roll.",),
    f.AssessmentSat: _sat,
    f.NotTodaySaid: _not_today,
    f.FlagRaised: _raised,
    f.FlagEased: _eased,
    f.FlagReviewed: _reviewed,
    f.PupilLookedAt: lambda n, e: (
        "Looked at without any early sign: " + ("something to follow up." if e.concern else "no concern."), e.note),
    f.OutcomeReported: lambda n, e: (
        f"Later came to pass: {OUTCOMES[e.code]}.", f"Said by {SOURCES[e.source]}." if SOURCES[e.source] else ""),
    f.TotalsImported: _totals,
    f.TalkRequested: lambda n, e: (f"Asked to talk to someone ({ROLE_NAMES.get(e.with_role, e.with_role)}).",),
    f.TalkAcknowledged: lambda n, e: ("The wish to talk was taken up.",),
    f.TalkEscalated: lambda n, e: (f"The wish to talk went on to the {ROLE_NAMES.get(e.to_role, e.to_role)}.",),
    f.PlanOpened: _plan,
    f.PlanMonitored: lambda n, e: (f"Plan looked in on: {GOING[e.going].lower()}.", _goal_of(n, e.plan_id), e.note),
    f.PlanReviewed: lambda n, e: (f"Plan goes on until {long_day(e.end_on)}.", _goal_of(n, e.plan_id), e.note),
    f.PlanClosed: lambda n, e: (f"Plan ended: {CAME[e.came]}.", _goal_of(n, e.plan_id), e.note),
    f.TransferPrepared: _prepared,
    f.CustodyReleased: lambda n, e: ("The next school confirmed that it has the record.",),
    f.TransferWithdrawn: lambda n, e: (f"The hand-over was {ENDED[e.why]}.",),
    f.RecordReceived: _received,
    f.SupplementPrepared: lambda n, e: ("What was written down late was sealed, to follow the record.",),
    f.SupplementReceived: lambda n, e: (
        "What another school wrote down late followed the record.", f"{count_of(e.facts, 'entry')} came with it."),
    f.OwnershipPassed: lambda n, e: ("The student was given their own copy.",),
    f.FactCorrected: _corrected,
    f.OptOutRecorded: lambda n, e: (f"No assessment wanted, said the {e.asked_by}.",),
    f.OptOutEnded: lambda n, e: (f"Assessment wanted again, said the {e.asked_by}.",),
    f.ProcessingRestricted: lambda n, e: ("The record is kept and not used until a question about it is settled.",),
    f.RestrictionLifted: lambda n, e: ("The record may be used again.",),
    Erased: lambda n, e: ("An entry that has been erased.",),
}  # fmt: skip
GUIDED = (f.PupilEnrolled, f.AssessmentSat, f.NotTodaySaid, f.PlanOpened, f.PlanClosed, f.TalkRequested,
          f.TalkAcknowledged, f.RecordReceived, f.OwnershipPassed, f.OptOutRecorded, f.OptOutEnded,
          f.ProcessingRestricted, f.RestrictionLifted)  # fmt: skip
"""What the pupil's own form of the story holds."""
