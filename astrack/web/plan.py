"""Plan in ten minutes: look back, look ahead, choose something small; then the plan itself on one printed side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access import About, about_journey
from astrack.access.callers import Caller
from astrack.picture import CAME as CAME_WORDS
from astrack.picture import IN_WORDS, NAMES
from astrack.records.support import Support
from astrack.web.aims import aim_words, aims, flag_aim, goal_for, patterns
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import BadForm, Site, see_other
from astrack.web.story import entry_words, flag_sentence, telling, to_be_done
from astrack.web.tutor import looks_ahead, place_of
from astrack.web.words import CAME, GOING
from astrack.web.writing import owner_of, owners, suggestions
from domain import guidance
from domain.authority import Action
from domain.base import Fact
from domain.guidance import Guidance
from domain.guidance import aims as about_plans
from domain.guidance.aims import Aim
from domain.journey import facts as f
from domain.journey.facts import Came, Going
from domain.journey.refusals import NoSuchPlan
from domain.journey.state import Journey
from domain.support import Since, counts_from, since_plan

WEEKS_FIRST, WEEKS_MAX, TIER = 6, 12, 2
MONITORING = {"weekly": "every week", "fortnightly": "every two weeks", "monthly": "every month"}
EVIDENCE = {"related": "studies of similar support", "practice": "schools' experience"}
MIDDLE_AGE_MONTHS = 12 * 12
SINCE = {
    "reliably_improved": "Nearer the middle, by more than the noise of two sittings.",
    "improved": "Nearer the middle, by no more than the noise of two sittings.",
    "unchanged": "The same as before.",
    "worse": "Farther from the middle, by no more than the noise of two sittings.",
    "reliably_worse": "Farther from the middle, by more than the noise of two sittings.",
    "crossed": "From one end to the other: that is no improvement.",
}


def plan_pages(site: Site) -> APIRouter:
    """The plan wizard and the pages of a plan."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils/{pupil_id}/plan")
    def plan_page(request: Request, who: Who, pupil_id: UUID, flag: UUID | None = None, about: str = "") -> Response:
        who.may(Action.SEE_NAME, pupil_id)
        who.may(Action.WRITE_PLANS, pupil_id)
        return _wizard(site, request, who, pupil_id, flag, about)

    @router.post("/pupils/{pupil_id}/plan")
    def open_plan(request: Request, who: Who, sent: Sent, pupil_id: UUID) -> Response:
        pupil = who.may(Action.WRITE_PLANS, pupil_id)
        flag = sent.id("flag") if sent.text("flag", 40) else None
        try:
            plan = plan_of(sent, who, [pupil] if pupil else [])
            who.records.open_plan(sent.ask(who), pupil_id, plan=plan, keep_words=keeps_words(sent))
        except REFUSALS as refused:
            return _wizard(site, request, who, pupil_id, flag, sent.text("about"), sent, refused)
        return see_other(f"/pupils/{pupil_id}/plans/{plan['plan_id']}", "plan-opened")

    @router.get("/pupils/{pupil_id}/plans/{plan_id}")
    def one_plan(request: Request, who: Who, pupil_id: UUID, plan_id: UUID) -> Response:
        who.may(Action.SEE_NAME, pupil_id)
        who.see(Action.SEE_PLANS, pupil_id)
        return _one(site, request, who, pupil_id, plan_id)

    @router.post("/pupils/{pupil_id}/plans/{plan_id}/{act}")
    def act_on_plan(request: Request, who: Who, sent: Sent, pupil_id: UUID, plan_id: UUID, act: str) -> Response:
        who.may(Action.WRITE_PLANS, pupil_id)
        try:
            done = _act(who, sent, pupil_id, plan_id, act)
        except REFUSALS as refused:
            return _one(site, request, who, pupil_id, plan_id, sent, refused)
        return see_other(f"/pupils/{pupil_id}/plans/{plan_id}", done)

    return router


def _act(who: Caller, sent: Form, pupil_id: UUID, plan_id: UUID, act: str) -> str:
    ask, note = sent.ask(who), sent.text("note", 1000, label="Your note")
    if act == "monitor":
        going = cast(Going, sent.one_of("going", GOING, label="How it is going"))
        who.records.monitor_plan(ask, pupil_id, plan_id=plan_id, going=going, note=note)
        return "monitored"
    if act == "close":
        came = cast(Came, sent.one_of("came", CAME, label="What came of it"))
        who.records.close_plan(ask, pupil_id, plan_id=plan_id, came=came, note=note)
        return "plan-closed"
    if act == "review":
        end_on = who.today + timedelta(weeks=sent.number("weeks", 1, WEEKS_MAX, label="Weeks"))
        who.records.review_plan(ask, pupil_id, plan_id=plan_id, end_on=end_on, note=note)
        return "plan-reviewed"
    raise BadForm("This form is not one that we made: open the plan again and send it from there.")


def plan_of(sent: Form, who: Caller, about: Sequence[About]) -> dict[str, Any]:
    """The fields of PlanOpened from the wizard's form, for these pupils. Raises BadForm, OwnerCannotSee."""
    aim = about_plans.of_code(sent.text("about"))
    if aim is None:
        raise BadForm("Choose what the plan is about first.", "about")
    own = [one for n in (1, 2) if (one := sent.text(f"own_{n}", 200, label="Your own idea"))]
    start_on, offered = who.today, library(who)
    return {
        # made with the form, so that the form sent twice names the same plan
        "plan_id": sent.id("plan_id"),
        "kind": "individual",
        "tier": TIER,
        "goal": sent.text("goal", 200, label="The goal", needed=True),
        "factor": aim.factor,
        "context": aim.context,
        "pole": aim.pole,
        "flags": (sent.id("flag"),) if sent.text("flag", 40) else (),
        "causes": _known(offered, sent, "cause"),
        "risks": _known(offered, sent, "risk"),
        "signposts": _known(offered, sent, "signpost"),
        "own_strategies": tuple(own),
        "owner_id": owner_of(sent, who, about),
        "start_on": start_on,
        "end_on": start_on + timedelta(weeks=sent.number("weeks", 1, WEEKS_MAX, label="Weeks")),
        "monitoring": sent.one_of("monitoring", MONITORING, label="How often somebody looks in"),
        "guidance_digest": offered.digest,
    }


def keeps_words(sent: Form) -> bool:
    """Whether the writer was asked about the goal's wording and keeps it."""
    return sent.text("keep_words", 3) == "yes"


def _known(offered: Guidance, sent: Form, name: str) -> tuple[str, ...]:
    codes = sent.many(name)
    if any(offered.entry(code) is None for code in codes):
        raise BadForm("The suggestions have changed since this page was made: open it again and choose anew.", name)
    return codes


def library(who: Caller) -> Guidance:
    """What this school offers: the library with the school's own additions."""
    return Support(who.records).guidance()


def _say(offered: Guidance, code: str) -> str:
    entry = offered.entry(code)
    return entry.say if entry else entry_words(code)


def _wizard(
    site: Site,
    request: Request,
    who: Caller,
    pupil_id: UUID,
    flag_id: UUID | None,
    about: str,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    journey, facts = who.records.journey(pupil_id)
    named = telling(facts, who.records.identity(pupil_id))
    flag = journey.flags.get(flag_id) if flag_id else None
    aim = about_plans.of_code(about) or (flag_aim(flag.raised) if flag else None)
    months = journey.age_months_on(who.today) or MIDDLE_AGE_MONTHS
    fit = library(who).fit(aim.places, guidance.age_band(months)) if aim else None
    pupil = about_journey(who.records, pupil_id, journey, who.today)
    status = status_of(refused) if refused else 200
    return site.page(
        request, "plan.html", status=status, viewer=who.viewer, called=named.called, path=f"/pupils/{pupil_id}",
        aim=aim, aims=aims(), patterns=patterns(), about=aim.code if aim else "", fit=fit,
        about_words=aim_words(aim) if aim else "",
        suggested=suggestions(who, fit, aim, pupil_id) if aim and fit else [],
        owners=owners(who, [pupil]) if aim else [],
        flag={"id": flag_id, "said": flag_sentence(flag.raised, named.called)} if flag else None,
        helped=helped_before(journey, aim) if aim else [], evidence=EVIDENCE, monitoring=MONITORING,
        weeks=WEEKS_FIRST, weeks_max=WEEKS_MAX, typed=typed or Form(), plan_id=who.app.new_id(),
        goal=goal_for(aim), error=said(refused) if refused else "", age_band=guidance.age_band(months),
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Helped:
    """What an earlier plan about the same tried, and what came of it."""

    tried: str
    came: str


def helped_before(journey: Journey, aim: Aim) -> list[Helped]:
    """What was tried before with this pupil about the same, at either end of a factor, the newest first."""
    named = {at.about for at in aim.places}
    ended = [
        plan
        for plan in journey.plans.values()
        if plan.came and (about := _aim_of(journey, plan.opened)) and named & {at.about for at in about.places}
    ]
    return [Helped(to_be_done(one.opened), CAME_WORDS[one.came]) for one in reversed(ended)]


def _aim_of(journey: Journey, plan: f.PlanOpened) -> Aim | None:
    return about_plans.of_plan(plan, [journey.flags[one].raised for one in plan.flags if one in journey.flags])


def _one(
    site: Site,
    request: Request,
    who: Caller,
    pupil_id: UUID,
    plan_id: UUID,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    journey, facts = who.records.journey(pupil_id)
    plan = journey.plans.get(plan_id)
    if plan is None:
        raise NoSuchPlan("there is no such plan on this record: open the pupil's page again")
    identity = who.records.identity(pupil_id)
    next_on = next((one.next_on for one in looks_ahead(journey, facts, who.today) if one.id == plan_id), None)
    opened, offered = plan.opened, library(who)
    aim = _aim_of(journey, opened)
    return site.page(
        request, "one_plan.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        path=f"/pupils/{pupil_id}", plan_path=f"/pupils/{pupil_id}/plans/{plan_id}",
        name=identity.person.full_name if identity.person else "", place=place_of(journey), plan=opened,
        end_on=plan.end_on,
        came=CAME_WORDS[plan.came], running=plan.came is None, next_on=next_on,
        about_words=aim_words(aim) if aim else "several things", words=lambda code: _say(offered, code),
        entry=offered.entry,
        owner=_owner(who, opened.owner_id),
        monitoring=MONITORING[opened.monitoring], notes=_notes(facts, plan_id), going=GOING, came_choices=CAME,
        weeks=WEEKS_FIRST, weeks_max=WEEKS_MAX, typed=typed or Form(), error=said(refused) if refused else "",
        since=_since(journey, opened, aim),
        counts_from=counts_from(opened),
    )  # fmt: skip


def _since(journey: Journey, plan: f.PlanOpened, aim: Aim | None) -> list[tuple[Since, str, str]]:
    """What the next round shows: the change, what it means, and of what it is told."""
    found = since_plan(journey.sittings, plan, aim.cells if aim else ())
    return [(one, SINCE[one.came], f"{NAMES[one.factor].lower()} {IN_WORDS[one.context]}") for one in found]


def _owner(who: Caller, owner_id: UUID) -> str:
    added = who.records.staff_state(owner_id).added
    return added.name if added else "a member of staff"


def _notes(facts: Sequence[Fact], plan_id: UUID) -> list[tuple[date, str, str]]:
    events = [one.event for one in facts]
    looked = [
        (e.day, GOING[e.going], e.note) for e in events if isinstance(e, f.PlanMonitored) and e.plan_id == plan_id
    ]
    went_on = [(e.day, "Goes on", e.note) for e in events if isinstance(e, f.PlanReviewed) and e.plan_id == plan_id]
    ended = [(e.day, CAME[e.came], e.note) for e in events if isinstance(e, f.PlanClosed) and e.plan_id == plan_id]
    return sorted([*looked, *went_on, *ended], key=lambda one: one[0], reverse=True)
