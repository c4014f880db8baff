"""The tutor's pages about one pupil: the journey, what to do next, reviews in two clicks, wishes to talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import looking, picture
from astrack.access import about_journey
from astrack.access.callers import Caller
from astrack.web.aims import flag_aim
from astrack.web.as_known import as_known_page, first_day
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.reading import drawn, picture_of, with_own_school
from astrack.web.site import BadForm, Site, see_other
from astrack.web.story import OUTCOMES, SOURCES, by_year, claim_sentence, flag_sentence, story, telling
from astrack.web.talks import talks_of
from astrack.web.words import JUDGEMENTS
from domain import risk, safeguarding
from domain.authority import Action
from domain.base import Fact
from domain.identity import Identity
from domain.journey import facts as f
from domain.journey import outside
from domain.journey.facts import Judgement
from domain.journey.outside import OutcomeCode, Source
from domain.journey.state import Custody, Journey

LOOK_DAYS = {"weekly": 7, "fortnightly": 14, "monthly": 28}
STORY_SHOWN = 120
AGREED = ("new_to_us", "already_known")
FROZEN = {
    Custody.FROZEN: "This record is sealed for the next school. It is frozen here until the receipt comes.",
    Custody.RELEASED: "This record is with another school now. What you see is this school's copy.",
}
MAY = (Action.REVIEW_FLAGS, Action.REPORT_OUTCOME, Action.WRITE_PLANS, Action.TAKE_UP_TALK, Action.RAISE_HAND_OFF,
       Action.CORRECT, Action.SEE_FAMILY, Action.SEND_RECORD)  # fmt: skip


def tutor_pages(site: Site) -> APIRouter:
    """One pupil's page and what is done from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils/{pupil_id}")
    def pupil(request: Request, who: Who, pupil_id: UUID, day: str = "") -> Response:
        # this page has names on it: who may see stories under a pseudonym has the audit pages
        who.may(Action.SEE_NAME, pupil_id)
        who.see(Action.SEE_STORY, pupil_id)
        if day:
            identity = identity_of(who, pupil_id)
            up = (f"/pupils/{pupil_id}", f"{identity.person.called if identity.person else 'The pupil'} today")
            return as_known_page(site, request, who, pupil_id, day, identity, up)
        return site.page(request, "pupil.html", viewer=who.viewer, **pupil_context(who, pupil_id))

    @router.post("/pupils/{pupil_id}/flags/{flag_id}")
    def review_flag(who: Who, sent: Sent, pupil_id: UUID, flag_id: UUID) -> Response:
        who.may(Action.REVIEW_FLAGS, pupil_id)
        judgement = cast(Judgement, sent.one_of("judgement", JUDGEMENTS, label="What you make of it"))
        note = sent.text("note", 1000, label="Your note")
        who.records.review_flag(sent.ask(who), pupil_id, flag_id=flag_id, judgement=judgement, note=note)
        return see_other(f"/pupils/{pupil_id}", "reviewed")

    @router.post("/pupils/{pupil_id}/outcomes")
    def report_outcome(who: Who, sent: Sent, pupil_id: UUID) -> Response:
        who.may(Action.REPORT_OUTCOME, pupil_id)
        code = cast(OutcomeCode, sent.one_of("code", outcomes_for(who), label="What came to pass"))
        source = cast(Source, sent.one_of("source", outside.SOURCES, label="Who says so"))
        on = sent.day("on", label="The day")
        if on > who.today:
            raise BadForm("The day: it is still to come. Report what has come to pass.", "on")
        who.records.report_outcome(
            sent.ask(who), pupil_id, outcome_id=sent.id("outcome"), on=on, code=code, source=source
        )
        return see_other(f"/pupils/{pupil_id}", "outcome-reported")

    @router.post("/pupils/{pupil_id}/outcomes/{outcome_id}/take-back")
    def take_back_outcome(who: Who, sent: Sent, pupil_id: UUID, outcome_id: UUID) -> Response:
        who.may(Action.TAKE_UP_HAND_OFF, pupil_id)
        why = sent.text("why", 200, label="Why")
        if not why:
            raise BadForm("Why: say in a few words what was wrong.", "why")
        who.records.take_back_outcome(sent.ask(who), pupil_id, outcome_id=outcome_id, why=why)
        return see_other(f"/pupils/{pupil_id}", "outcome-taken-back")

    @router.post("/pupils/{pupil_id}/talks/{talk_id}")
    def take_up_talk(who: Who, sent: Sent, pupil_id: UUID, talk_id: UUID) -> Response:
        who.may(Action.TAKE_UP_TALK, pupil_id)
        who.records.take_up_talk(who.ask(sent.key), pupil_id, talk_id=talk_id)
        return see_other(f"/pupils/{pupil_id}", "talk-taken-up")

    return router


def outcomes_for(who: Caller) -> dict[str, str]:
    """The codes somebody may report, with their words."""
    return {code: OUTCOMES[code] for code in OUTCOMES if code not in outside.FOR_THE_DSL or who.viewer.role == "dsl"}


def identity_of(who: Caller, pupil_id: UUID) -> Identity:
    """Who a pupil is, with this school's name known too."""
    registered = who.records.school_state().registered
    return with_own_school(who.records.identity(pupil_id), registered.school if registered else None)


def pupil_context(who: Caller, pupil_id: UUID) -> dict[str, Any]:
    """What the page of one pupil shows."""
    journey, facts = who.journey(pupil_id)
    identity = identity_of(who, pupil_id)
    about = about_journey(who.records, pupil_id, journey, who.today)
    path = f"/pupils/{pupil_id}"
    data = picture_of(journey, facts, identity, who.today, pupil_path=path)
    named = telling(facts, identity)
    return {
        "name": identity.person.full_name if identity.person else "A pupil without a name here",
        "called": named.called,
        "place": place_of(journey),
        "path": path,
        "first": first_day(who, pupil_id),
        **drawn(data),
        "frozen": FROZEN.get(journey.custody, ""),
        "opted_out": journey.opted_out,
        **_signs(who, pupil_id, journey, named.called),
        "plans_due": looks_ahead(journey, facts, who.today),
        "talks": [one for one in talks_of(journey, facts) if one.state != "acknowledged"],
        "now": who.app.clock(),
        "new_id": who.app.new_id,
        "sittings": len(journey.sittings),
        "judgements": JUDGEMENTS,
        "may": {action.value: who.can(action, about) for action in MAY},
        "about": _about(identity, journey),
        "outcomes": outcomes_for(who),
        "sources": {code: words for code, words in SOURCES.items() if words},
        "outcome_id": who.app.new_id(),
        "known": _known(who, pupil_id) if who.can(Action.SEE_HAND_OFFS, about) else [],
        "may_take_back": who.can(Action.TAKE_UP_HAND_OFF, about),
        "years": by_year(story(facts, identity, limit=STORY_SHOWN)),
    }


def _known(who: Caller, pupil_id: UUID) -> list[tuple[UUID, date, str]]:
    """What the DSL alone has put on record and is shown: outcomes of the safeguarding stream."""
    facts = who.records.safeguarding_facts(pupil_id)
    standing = safeguarding.standing_outcomes(fact.event for fact in facts)
    return [(key, one.happened_on, OUTCOMES[one.code]) for key, one in standing.items()]


def _signs(who: Caller, pupil_id: UUID, journey: Journey, called: str) -> dict[str, Any]:
    """What to look at now; signs that staff have seen too and no plan answers yet; what else was noticed."""
    look = looking.at_pupil(who, pupil_id)
    planned = {flag_id for plan in journey.plans.values() for flag_id in plan.opened.flags}
    standing = [(key, one) for key, one in journey.flags.items() if not one.eased]
    agreed = [(key, one.raised) for key, one in standing if one.judgement in AGREED and key not in planned]
    noticed = [(key, one.raised) for key, one in standing if one.judgement is None]
    asked = {"id": look.sign_id, "said": claim_sentence(look.said, called), "leads": ""} if look else None
    return {
        "look": asked,
        "agreed": [_sign(key, one, called) for key, one in agreed if risk.makes_work(one.kind)],
        "noticed": [_sign(key, one, called) for key, one in noticed],
    }


def _sign(flag_id: UUID, raised: f.FlagRaised, called: str) -> dict[str, Any]:
    """A sign and where it leads: to a plan, or, where it is about the sitting, to what may help with that."""
    sitting = "sitting" if raised.kind == "response_quality" else ""
    return {"id": flag_id, "said": flag_sentence(raised, called), "leads": "plan" if flag_aim(raised) else sitting}


def place_of(journey: Journey) -> str:
    """Where a pupil is now: "Year 7, tutor group 7B"."""
    year = "" if journey.year_group is None else f"Year {journey.year_group}"
    return ", ".join(part for part in (year, *(f"{one.dimension} {one.name}" for one in journey.groups)) if part)


def _about(identity: Identity, journey: Journey) -> list[tuple[str, str]]:
    person = identity.person
    lines = [("Name", person.full_name), ("Born", picture.long_day(person.date_of_birth))] if person else []
    schools = [one.name for one in identity.schools.values()]
    lines += [("Schools", ", ".join(schools))] if schools else []
    return [*lines, ("Sittings", str(len(journey.sittings))), ("Plans", str(len(journey.plans)))]


@dataclass(frozen=True, slots=True)
class Look:
    """A running plan and the day somebody should look at it next."""

    id: UUID
    goal: str
    next_on: date
    late: bool


def looks_ahead(journey: Journey, facts: Sequence[Fact], today: date) -> list[Look]:
    """The running plans with their next looks, the earliest first."""
    running = {key: plan for key, plan in journey.plans.items() if plan.came is None}
    found = []
    for key, plan in running.items():
        since = max((d for d in _looked(facts, key) if d <= today), default=plan.opened.start_on)
        due = min(plan.end_on, since + timedelta(days=LOOK_DAYS[plan.opened.monitoring]))
        found.append(Look(key, plan.opened.goal, due, due < today))
    return sorted(found, key=lambda one: one.next_on)


def _looked(facts: Sequence[Fact], plan_id: UUID) -> list[date]:
    kinds = (f.PlanMonitored, f.PlanReviewed)
    return [one.event.day for one in facts if isinstance(one.event, kinds) and one.event.plan_id == plan_id]
