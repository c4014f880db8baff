"""Accreditation in pages: the evidence from the record, an accreditor's award or its taking back, for lead and head."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.accreditation import Accrediting
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import Site, see_other
from domain.accreditation import AREAS
from domain.authority import Action
from domain.small import SMALLEST

AREA_NAMES = {"noticing": "Noticing", "answering": "Answering", "supporting": "Supporting", "learning": "Learning"}
TWO_YEARS = timedelta(days=730)


def accreditation_pages(site: Site) -> APIRouter:
    """One page: what the record shows, what was awarded, and for an accreditor the two decisions."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/accreditation")
    def shown(request: Request, who: Who) -> Response:
        who.see(Action.SEE_PRACTICE)
        return _page(site, request, who)

    @router.post("/accreditation/awards")
    def award(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.ACCREDIT)
        try:
            Accrediting(who.app, who.records).award(
                sent.ask(who), award_id=sent.id("award_id"),
                accreditor=sent.text("accreditor", 200, label="Your name and body", needed=True),
                interests=sent.text("interests", 200, label="Your interests", needed=True),
                from_on=sent.day("from_on", label="From"), until=sent.day("until", label="Until"),
            )  # fmt: skip
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused)
        return see_other("/accreditation", "awarded")

    @router.post("/accreditation/revoke")
    def revoke(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.ACCREDIT)
        try:
            Accrediting(who.app, who.records).revoke(
                sent.ask(who), award_id=sent.id("award_id"), why=sent.text("why", 200, label="Why", needed=True)
            )
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused)
        return see_other("/accreditation", "award-revoked")

    return router


def _page(
    site: Site, request: Request, who: Caller, typed: Form | None = None, refused: Exception | None = None
) -> Response:
    ours = Accrediting(who.app, who.records)
    evidence = ours.evidence(who.today)
    areas = [(AREA_NAMES[area], [one for one in evidence if one.area == area]) for area in AREAS]
    return site.page(
        request, "accreditation.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        school=ours.name, areas=areas, smallest=SMALLEST,
        missing=[name for name, some in areas if not all(one.met for one in some)],
        entries=ours.registered(who.today), may_award=who.can(Action.ACCREDIT), award_id=who.app.new_id(),
        first=who.today, last=who.today + TWO_YEARS, typed=typed or Form(),
        error=said(refused) if refused else "", error_at=getattr(refused, "name", "") if refused else "",
    )  # fmt: skip
