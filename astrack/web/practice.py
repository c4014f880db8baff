"""The practice school in pages: look at invented pupils, review their signs, write a plan; nothing is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import practice
from astrack.access.callers import Caller
from astrack.practice import Invented
from astrack.web.aims import aim_words, aims, flag_aim, goal_for
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.plan import EVIDENCE, MONITORING, TIER, WEEKS_FIRST, WEEKS_MAX, keeps_words
from astrack.web.reading import drawn, picture_of
from astrack.web.site import BadForm, Site
from astrack.web.story import flag_sentence
from domain import guidance, risk, support
from domain.authority import Action
from domain.base import Stamp
from domain.guidance.aims import of_code
from domain.journey import decisions
from domain.journey.facts import PlanOpened

PREFILLED = frozenset({"factor", "goal", "owner_id", "start_on", "end_on", "monitoring", "tier"})


def practice_pages(site: Site) -> APIRouter:
    """The class, one of it, and a plan for one of it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/practice")
    def school(request: Request, who: Who) -> Response:
        who.may(Action.TRAIN)
        rows = [(one, _signs(one)) for one in practice.pupils(who.viewer.id, who.today)]
        return site.page(request, "practice.html", viewer=who.viewer, rows=rows)

    @router.get("/practice/{number}")
    def pupil(request: Request, who: Who, number: int) -> Response:
        one = _pupil(who, number)
        data = picture_of(one.journey, one.facts, one.identity, who.today)
        return site.page(request, "practice_pupil.html", viewer=who.viewer, one=one, signs=_signs(one), **drawn(data))

    @router.get("/practice/{number}/plan")
    def plan(request: Request, who: Who, number: int, about: str = "") -> Response:
        return _wizard(site, request, who, _pupil(who, number), about)

    @router.post("/practice/{number}/plan")
    def planned(request: Request, who: Who, sent: Sent, number: int) -> Response:
        one = _pupil(who, number)
        try:
            made = _plan(who, sent, one)
        except REFUSALS as refused:
            return _wizard(site, request, who, one, sent.text("about"), sent, refused)
        fields = made.model_dump()
        return site.page(
            request, "practice_done.html", viewer=who.viewer, one=one, plan=made, entry=guidance.load().entry,
            decisions=support.decisions(fields, PREFILLED), most=support.DECISIONS_MAX,
        )  # fmt: skip

    return router


def _pupil(who: Caller, number: int) -> Invented:
    who.may(Action.TRAIN)
    one = practice.pupil(who.viewer.id, who.today, number)
    if one is None:
        raise BadForm("There is nobody with this number in the practice school: open the list again.")
    return one


def _signs(one: Invented) -> list[dict[str, Any]]:
    standing = [(key, flag.raised) for key, flag in one.journey.flags.items() if not flag.eased]
    found = [(raised, flag_aim(raised)) for _, raised in standing if risk.makes_work(raised.kind)]
    return [{"said": flag_sentence(raised, one.called), "about": aim.code if aim else ""} for raised, aim in found]


def _plan(who: Caller, sent: Form, one: Invented) -> PlanOpened:
    """The plan as the real rules would take it. Raises BadForm and what opening a plan raises."""
    aim = of_code(sent.text("about"))
    if aim is None:
        raise BadForm("Choose what the plan is about first.", "about")
    stamp = Stamp(who.app.clock(), who.viewer.actor, who.app.new_id)
    own = tuple(text for n in (1, 2) if (text := sent.text(f"own_{n}", 200, label="Your own idea")))
    made = PlanOpened(
        **stamp.fresh(), plan_id=UUID(int=0), kind="individual", tier=TIER,
        goal=sent.text("goal", 200, label="The goal", needed=True), factor=aim.factor, context=aim.context,
        pole=aim.pole, causes=sent.many("cause"), risks=sent.many("risk"), signposts=sent.many("signpost"),
        own_strategies=own, owner_id=who.viewer.id, start_on=who.today,
        end_on=who.today + timedelta(weeks=sent.number("weeks", 1, WEEKS_MAX, label="Weeks")),
        monitoring=sent.one_of("monitoring", MONITORING, label="How often somebody looks in"),  # type: ignore[arg-type]
    )  # fmt: skip
    decisions.open_plan(one.journey, made, keep_words=keeps_words(sent))
    return made


def _wizard(
    site: Site,
    request: Request,
    who: Caller,
    one: Invented,
    about: str,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    aim = of_code(about)
    months = one.journey.age_months_on(who.today) or practice.AT_AGE_MONTHS
    fit = guidance.load().fit(aim.places, guidance.age_band(months)) if aim else None
    return site.page(
        request, "practice_plan.html", status=status_of(refused) if refused else 200, viewer=who.viewer, one=one,
        called=one.called, path=f"/practice/{one.number}", aim=aim, aims=aims(), about=aim.code if aim else "",
        about_words=aim_words(aim) if aim else "",
        fit=fit, suggested=support.suggested(fit, (), aim.factor, aim.pole) if aim and fit else [],
        owners=[(who.viewer.id, "Yourself")], evidence=EVIDENCE, monitoring=MONITORING, weeks=WEEKS_FIRST,
        weeks_max=WEEKS_MAX, typed=typed or Form(), goal=goal_for(aim), error=said(refused) if refused else "",
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip
