"""The guidance library in pages: what is offered at a place; the lead adds entries and retires them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.records.support import Support
from astrack.web.aims import aim_of, aims
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.plan import EVIDENCE
from astrack.web.site import BadForm, Site, see_other
from domain.authority import Action
from domain.guidance import AgeBand, Entry, Kind, Signpost

KINDS: dict[str, str] = {"cause": "Causes to consider", "risk": "Risks ahead", "signpost": "Signposts"}
AGES: tuple[str, ...] = get_args(AgeBand)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the page shows it; ``more`` is the signpost's own detail."""

    entry: Entry
    own: bool
    more: Signpost | None


def guidance_pages(site: Site) -> APIRouter:
    """The library, its places, and what a lead changes in it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/guidance")
    def library(request: Request, who: Who, about: str = "", age: str = "11-14") -> Response:
        who.may(Action.SEE_GUIDANCE)
        return _library(site, request, who, about, age)

    @router.post("/guidance")
    def add(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.KEEP_GUIDANCE)
        try:
            _add(who, sent)
        except REFUSALS as refused:
            return _library(site, request, who, sent.text("about"), sent.text("age", 10), sent, refused)
        return see_other(f"/guidance?about={sent.text('about')}&age={sent.text('age', 10)}", "guidance-added")

    @router.post("/guidance/retire")
    def retire(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.KEEP_GUIDANCE)
        about, age = sent.text("about"), sent.text("age", 10)
        try:
            _place(about, age)
            Support(who.records).retire_guidance(
                who.ask(sent.key), sent.text("entry_id", 80, label="The entry", needed=True),
                why=sent.text("why", 200, label="Why"),
            )  # fmt: skip
        except REFUSALS as refused:
            return _library(site, request, who, about, age, sent, refused)
        return see_other(f"/guidance?about={about}&age={age}", "guidance-retired")

    return router


def _place(about: str, age: str) -> None:
    if aim_of(about) is None or age not in AGES:
        raise BadForm("Choose a factor, an end, a context and an age from the list first.", "about")


def _add(who: Caller, sent: Form) -> None:
    about, age = sent.text("about"), sent.text("age", 10)
    _place(about, age)
    aim, kind = aim_of(about), cast(Kind, sent.one_of("kind", KINDS, label="Kind"))
    assert aim is not None
    fields: dict[str, Any] = {
        "id": f"own.{sent.id('entry_id').hex[:12]}", "say": sent.text("say", 160, label="What it says", needed=True),
        "contexts": {aim.context}, "ages": {age}, "evidence": "practice",
    }  # fmt: skip
    if kind == "signpost":
        names = {"who": 60, "where": 60, "first": 160, "stop": 120, "not_when": 120}
        fields |= {name: sent.text(name, most, label=name.replace("_", " ").capitalize(), needed=True)
                   for name, most in names.items()}  # fmt: skip
        entry: Entry = Signpost(**fields, weeks=sent.number("weeks", 1, 12, label="Weeks"))
    else:
        entry = Entry(**fields)
    Support(who.records).add_guidance(who.ask(sent.key), kind=kind, factor=aim.factor, pole=aim.pole, entry=entry)  # type: ignore[arg-type]


def _library(
    site: Site,
    request: Request,
    who: Caller,
    about: str,
    age: str,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    aim, band = aim_of(about), age if age in AGES else "11-14"
    support = Support(who.records)
    own = support.own_guidance()
    fit = support.guidance().suggest(aim.factor, aim.pole, aim.context, band) if aim else None
    lists = (("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts)) if fit else ()
    return site.page(
        request, "guidance.html", status=status_of(refused) if refused else 200, viewer=who.viewer, aim=aim,
        about=about if aim else "", age=band, ages=AGES, aims=aims(), kinds=KINDS, evidence=EVIDENCE,
        lists=[(kind, [_line(one, one.id in own.added) for one in some]) for kind, some in lists],
        added=len(own.added), retired=len(own.retired), may_keep=who.can(Action.KEEP_GUIDANCE),
        entry_id=who.app.new_id(), typed=typed or Form(), error=said(refused) if refused else "",
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _line(one: Entry, own: bool) -> Line:
    return Line(one, own, one if isinstance(one, Signpost) else None)
