"""The guidance library in pages: what is offered at a place; the lead adds entries and retires them."""

from __future__ import annotations

from collections.abc import Callable
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
from domain.guidance.local import GuidanceReviewed, Own

KINDS: dict[str, str] = {"cause": "Causes to consider", "risk": "Risks ahead", "signpost": "Signposts"}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the page shows it; ``more`` is the signpost's own detail."""

    entry: Entry
    own: bool
    review: GuidanceReviewed | None
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
        def does(support: Support, entry_id: str) -> None:
            support.retire_guidance(sent.ask(who), entry_id, why=sent.text("why", 200, label="Why"))

        return _changed(site, request, who, sent, does, "guidance-retired")

    @router.post("/guidance/review")
    def review(request: Request, who: Who, sent: Sent) -> Response:
        def does(support: Support, entry_id: str) -> None:
            reviewer = sent.text("reviewer", 100, label="Who reviewed it", needed=True)
            on = sent.day("reviewed_on", label="When")
            support.review_guidance(sent.ask(who), entry_id, reviewer=reviewer, happened_on=on)

        return _changed(site, request, who, sent, does, "guidance-reviewed")

    return router


def _changed(
    site: Site, request: Request, who: Caller, sent: Form, does: Callable[[Support, str], None], done: str
) -> Response:
    """Change one entry of a place, and show that place again."""
    who.may(Action.KEEP_GUIDANCE)
    about, age = sent.text("about"), sent.text("age", 10)
    try:
        _place(about, age)
        does(Support(who.records), sent.text("entry_id", 80, label="The entry", needed=True))
    except REFUSALS as refused:
        return _library(site, request, who, about, age, sent, refused)
    return see_other(f"/guidance?about={about}&age={age}", done)


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
    own = support.own_guidance()
    fit = support.guidance().suggest(*at, band) if at else None
    lists = (("cause", fit.causes), ("risk", fit.risks), ("signpost", fit.signposts)) if fit else ()
    return site.page(
        request, "guidance.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        about=about if at else "", about_words=place_words(at) if at else "", age=band, ages=AGES, aims=places(),
        review=fit.reviewed if fit else "", kinds=KINDS, evidence=EVIDENCE,
        lists=[(kind, [_line(one, own) for one in some]) for kind, some in lists], day=who.today,
        added=len(own.added), retired=len(own.retired), may_keep=who.can(Action.KEEP_GUIDANCE),
        entry_id=who.app.new_id(), typed=typed or Form(), error=said(refused) if refused else "",
        error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip


def _line(one: Entry, own: Own) -> Line:
    return Line(one, one.id in own.added, own.review_of(one), one if isinstance(one, Signpost) else None)
