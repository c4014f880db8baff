"""One plan for pupils who share a place: the same three steps, a plan on each record, tied together."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import looking
from astrack.access.callers import Caller
from astrack.records.support import Support
from astrack.web.aims import aim_words, aims, flag_aim, goal_for, patterns
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import named, reading
from astrack.web.plan import EVIDENCE, MONITORING, WEEKS_FIRST, WEEKS_MAX, keeps_words, library, plan_of
from astrack.web.site import BadForm, Site, see_other
from astrack.web.writing import owners, suggestions
from domain import guidance
from domain.authority import Action
from domain.guidance.aims import Aim, of_code, of_sign
from projections import risk_register
from projections.risk_register import Line

LEAST, MOST, READ = 2, 12, 400


def group_plan_pages(site: Site) -> APIRouter:
    """The wizard for a group."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/plans/group")
    def group_page(request: Request, who: Who, about: str = "") -> Response:
        return _wizard(site, request, who, about)

    @router.post("/plans/group")
    def open_plans(request: Request, who: Who, sent: Sent) -> Response:
        try:
            _open(who, sent)
        except REFUSALS as refused:
            return _wizard(site, request, who, sent.text("about"), sent, refused)
        return see_other("/plans", "group-plan-opened")

    return router


def _open(who: Caller, sent: Form) -> None:
    chosen = sent.ids("pupil", MOST)
    if not LEAST <= len(chosen) <= MOST:
        raise BadForm(f"Choose {LEAST} to {MOST} pupils for a group.", "pupil")
    about = [one for pupil_id in chosen if (one := who.may(Action.WRITE_PLANS, pupil_id))]
    plan, ask, aim = plan_of(sent, who, about), sent.ask(who), of_code(sent.text("about"))
    flags = {one: _signs(who, one, aim) for one in chosen} if aim else {}
    # the ids hang on the form: sent twice, each pupil still gets one plan
    Support(who.records).open_group_plan(ask, plan, chosen, flags, plan["plan_id"], keep_words=keeps_words(sent))


def _signs(who: Caller, pupil_id: UUID, aim: Aim) -> tuple[UUID, ...]:
    """The standing signs of this place on one pupil's record: the plan answers them."""
    standing = [(key, flag_aim(one.raised)) for key, one in who.journey(pupil_id)[0].flags.items() if not one.eased]
    return tuple(key for key, its in standing if its and its.shares(aim))


def _wizard(
    site: Site,
    request: Request,
    who: Caller,
    about: str,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    scope = named(who, Action.WRITE_PLANS)
    aim = of_code(about)
    with reading(who) as (cur, school):
        lines = looking.known(who, risk_register.by_need(cur, school, scope, None, READ)) if aim else []
    fitting = [line for line in lines if aim and _shares(line, aim)]
    who.looked(Action.SEE_STORY, [line.pupil.pupil_id for line in fitting])
    fit = library(who).fit(aim.places, _band(who, fitting)) if aim else None
    return site.page(
        request, "group_plan.html", status=status_of(refused) if refused else 200, viewer=who.viewer, aim=aim,
        aims=aims() + patterns(), about=about if aim else "", about_words=aim_words(aim) if aim else "",
        fitting=fitting, typed=typed or Form(), evidence=EVIDENCE,
        monitoring=MONITORING,
        fit=fit, goal=goal_for(aim),
        suggested=suggestions(who, fit, aim, None) if aim and fit else [],
        owners=owners(who, []) if aim else [],
        weeks=WEEKS_FIRST, weeks_max=WEEKS_MAX, plan_id=who.app.new_id(), least=LEAST, most=MOST,
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _shares(line: Line, aim: Aim) -> bool:
    standing = [flag for flag in line.risk.flags.values() if flag["judgement"] != "not_what_we_see"]
    signs = [of_sign(*(flag[name] for name in ("kind", "factor", "context", "pole", "reason"))) for flag in standing]
    return any(sign and sign.shares(aim) for sign in signs)


def _band(who: Caller, fitting: list[Line]) -> str:
    born = [line.pupil.date_of_birth for line in fitting if line.pupil.date_of_birth]
    if not born:
        return guidance.age_band(12 * 12)
    youngest = max(born)
    return guidance.age_band((who.today.year - youngest.year) * 12 + who.today.month - youngest.month)
