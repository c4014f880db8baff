"""Plan in ten minutes: look back, look ahead, choose something small; then the plan itself on one printed side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.picture import CAME as CAME_WORDS
from astrack.picture import ENDS, FACTORS, IN_WORDS, NAMES
from astrack.records.support import Support
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import BadForm, Site, see_other
from astrack.web.story import entry_words, flag_sentence, telling
from astrack.web.tutor import looks_ahead, place_of
from astrack.web.words import CAME, GOING
from domain import guidance
from domain.authority import Action
from domain.base import Fact
from domain.guidance import Guidance
from domain.journey import facts as f
from domain.journey.facts import Came, Going
from domain.journey.refusals import NoSuchPlan
from domain.journey.state import Journey

WEEKS_FIRST, WEEKS_MAX, TIER = 6, 12, 2
MONITORING = {"weekly": "every week", "fortnightly": "every two weeks", "monthly": "every month"}
EVIDENCE = {"related": "studies of similar support", "practice": "schools' experience"}
MIDDLE_AGE_MONTHS = 12 * 12


@dataclass(frozen=True, slots=True)
class Aim:
    """What a plan is about: a factor, an end, a context; and the flag it answers, if any."""

    factor: str
    pole: str
    context: str
    flag_id: UUID | None = None

    @property
    def words(self) -> str:
        """The aim in plain words: "in school: keeps to self"."""
        return (
            f"{IN_WORDS['school' if self.context == 'school' else 'general']}: {ENDS[self.factor][self.pole == 'high']}"
        )


def plan_pages(site: Site) -> APIRouter:
    """The plan wizard and the pages of a plan."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/pupils/{pupil_id}/plan")
    def plan_page(request: Request, who: Who, pupil_id: UUID, flag: UUID | None = None, about: str = "") -> Response:
        who.may(Action.WRITE_PLANS, pupil_id)
        return _wizard(site, request, who, pupil_id, flag, about)

    @router.post("/pupils/{pupil_id}/plan")
    def open_plan(request: Request, who: Who, sent: Sent, pupil_id: UUID) -> Response:
        who.may(Action.WRITE_PLANS, pupil_id)
        flag = sent.id("flag") if sent.text("flag", 40) else None
        try:
            plan = plan_of(sent, who)
            who.records.open_plan(who.ask(sent.key), pupil_id, plan=plan)
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
    ask, note = who.ask(sent.key), sent.text("note", 1000, label="Your note")
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


def plan_of(sent: Form, who: Caller) -> dict[str, Any]:
    """The fields of PlanOpened from the wizard's form. Raises BadForm."""
    aim = aim_of(sent.text("about"))
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
        "owner_id": who.viewer.id,
        "start_on": start_on,
        "end_on": start_on + timedelta(weeks=sent.number("weeks", 1, WEEKS_MAX, label="Weeks")),
        "monitoring": sent.one_of("monitoring", MONITORING, label="How often somebody looks in"),
        "guidance_digest": offered.digest,
    }


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


def aim_of(text: str) -> Aim | None:
    """The aim written as factor.pole.context; None for anything else."""
    factor, pole, context = [*text.split("."), "", "", ""][:3]
    known = factor in FACTORS and pole in ("low", "high") and context in ("general", "school")
    return Aim(factor, pole, context) if known else None


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
    aim = aim_of(about) or (_flag_aim(flag.raised) if flag else None)
    months = journey.age_months_on(who.today) or MIDDLE_AGE_MONTHS
    fit = library(who).suggest(aim.factor, aim.pole, aim.context, guidance.age_band(months)) if aim else None
    status = status_of(refused) if refused else 200
    return site.page(
        request, "plan.html", status=status, viewer=who.viewer, called=named.called, path=f"/pupils/{pupil_id}",
        aim=aim, aims=aims(), about=f"{aim.factor}.{aim.pole}.{aim.context}" if aim else "", fit=fit,
        flag={"id": flag_id, "said": flag_sentence(flag.raised, named.called)} if flag else None,
        helped=helped_before(journey, aim.factor) if aim else [], evidence=EVIDENCE, monitoring=MONITORING,
        weeks=WEEKS_FIRST, weeks_max=WEEKS_MAX, typed=typed or Form(), plan_id=who.app.new_id(),
        goal=goal_for(aim), error=said(refused) if refused else "", age_band=guidance.age_band(months),
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _flag_aim(raised: f.FlagRaised) -> Aim | None:
    if raised.factor not in FACTORS or raised.pole is None:
        return None
    return Aim(raised.factor, raised.pole, "school" if raised.context == "school" else "general")


def aims() -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything a plan can be about: for each factor, (its code, its words)."""
    contexts = ("general", "school")
    return [
        (
            NAMES[factor],
            [(f"{factor}.{pole}.{one}", Aim(factor, pole, one).words) for one in contexts for pole in ("low", "high")],
        )
        for factor in FACTORS
    ]


GOALS = {
    ("self_disclosure", "low"): "tells one trusted person what matters",
    ("self_disclosure", "high"): "chooses what to tell, and to whom",
    ("trust_of_self", "low"): "tries a first answer of their own",
    ("trust_of_self", "high"): "asks for advice and uses some of it",
    ("trust_of_others", "low"): "relies on one person here",
    ("trust_of_others", "high"): "checks before following others",
    ("seeking_change", "low"): "tries one new thing and has a way back",
    ("seeking_change", "high"): "finishes what was begun",
}


def goal_for(aim: Aim | None) -> str:
    """A goal to begin from."""
    return GOALS[(aim.factor, aim.pole)].capitalize() if aim else ""


@dataclass(frozen=True, slots=True)
class Helped:
    """What an earlier plan for the same factor tried, and what came of it."""

    tried: str
    came: str


def helped_before(journey: Journey, factor: str) -> list[Helped]:
    """What was tried before for this pupil and factor, the newest first."""
    ended = [plan for plan in journey.plans.values() if plan.came and plan.opened.factor == factor]
    return [
        Helped("; ".join([*(entry_words(code) for code in one.opened.signposts), *one.opened.own_strategies]),
               CAME_WORDS[one.came])
        for one in reversed(ended)
    ]  # fmt: skip


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
    return site.page(
        request, "one_plan.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        path=f"/pupils/{pupil_id}", plan_path=f"/pupils/{pupil_id}/plans/{plan_id}",
        name=identity.person.full_name if identity.person else "", place=place_of(journey), plan=opened,
        end_on=plan.end_on,
        came=CAME_WORDS[plan.came], running=plan.came is None, next_on=next_on,
        aim=aim_of(f"{opened.factor}.{opened.pole}.{opened.context}"), words=lambda code: _say(offered, code),
        entry=offered.entry,
        owner=_owner(who, opened.owner_id),
        monitoring=MONITORING[opened.monitoring], notes=_notes(facts, plan_id), going=GOING, came_choices=CAME,
        weeks=WEEKS_FIRST, weeks_max=WEEKS_MAX, typed=typed or Form(), error=said(refused) if refused else "",
    )  # fmt: skip


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
