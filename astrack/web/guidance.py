"""The guidance library in pages: what is offered at a place; the lead adds entries and retires them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.records.support import Support
from astrack.web.aims import place_words, places
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.plan import EVIDENCE
from astrack.web.site import BadForm, Site, see_other
from domain.authority import Action
from domain.guidance import AGES, CONTEXTS, Entry, Kind, Place, Signpost, place

REVIEWS = {
    "makers": "Written by the makers of astrack, not yet reviewed outside.",
    "outside": "Written by the makers of astrack and reviewed outside.",
}
KINDS: dict[str, str] = {"cause": "Causes to consider", "risk": "Risks ahead", "signpost": "Signposts"}


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


def _place(about: str, age: str) -> Place:
    at = place(about)
    if at is None or age not in AGES:
        raise BadForm("Choose what it is about and an age from the list first.", "about")
    return at


def _add(who: Caller, sent: Form) -> None:
    about, age = sent.text("about"), sent.text("age", 10)
    at, kind = _place(about, age), cast(Kind, sent.one_of("kind", KINDS, label="Kind"))
    fields: dict[str, Any] = {
        "id": f"own.{sent.id('entry_id').hex[:12]}", "say": sent.text("say", 160, label="What it says", needed=True),
        "contexts": {at.context} if at.context else set(CONTEXTS), "ages": {age}, "evidence": "practice",
    }  # fmt: skip
    if kind == "signpost":
        names = {"who": 60, "where": 60, "first": 160, "stop": 120, "not_when": 120}
        fields |= {name: sent.text(name, most, label=name.replace("_", " ").capitalize(), needed=True)
                   for name, most in names.items()}  # fmt: skip
        entry: Entry = Signpost(**fields, weeks=sent.number("weeks", 1, 12, label="Weeks"))
    else:
        entry = Entry(**fields)
    Support(who.records).add_guidance(who.ask(sent.key), kind=kind, factor=at.about, pole=at.pole, entry=entry)


def _library(
    site: Site,
    request: Request,
    who: Caller,
    about: str,
    age: str,
    typed: Form | None = None,
    refused: Exception | None = None,
) -> Response:
    at, band = place(about), age if age in AGES else "11-14"
    support = Support(who.records)
    own, offered = support.own_guidance(), support.guidance()
    fit = offered.suggest(*at, band) if at else None
    lists = (("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts)) if fit else ()
    return site.page(
        request, "guidance.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        about=about if at else "", about_words=place_words(at) if at else "", age=band, ages=AGES, aims=places(),
        review=REVIEWS[offered.parts[at.about].review] if at else "", kinds=KINDS, evidence=EVIDENCE,
        lists=[(kind, [_line(one, one.id in own.added) for one in some]) for kind, some in lists],
        added=len(own.added), retired=len(own.retired), may_keep=who.can(Action.KEEP_GUIDANCE),
        entry_id=who.app.new_id(), typed=typed or Form(), error=said(refused) if refused else "",
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _line(one: Entry, own: bool) -> Line:
    return Line(one, own, one if isinstance(one, Signpost) else None)
