"""Schools of a trust side by side, for its head, from its office alone: aggregates, small cells hidden."""

from __future__ import annotations

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.reports import trust as reports_trust
from astrack.reports.tables import csv_files
from astrack.reports.trust import TrustReport
from astrack.trusts import NotTheOffice, Trust
from astrack.web.door import PageRoute, Who
from astrack.web.report_files import attached, whole, window_of
from astrack.web.site import BadForm, Site
from domain.authority import Action


def trust_pages(site: Site) -> APIRouter:
    """One page, its PDF and its tables. That a head looked is on record at the office."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/trust")
    def shown(request: Request, who: Who, since: str = "", until: str = "") -> Response:
        trust = _seen(who)
        found = _found(who, trust, since, until)
        # every text in a plot is escaped
        plots = [Markup(one) for one in reports_trust.plots(found)]  # noqa: S704
        return site.page(
            request, "trust.html", viewer=who.viewer, trust=trust, found=found, told=reports_trust.said(found),
            plots=plots, tables=found.tables,
        )  # fmt: skip

    @router.get("/trust/report.pdf")
    def paper(who: Who, since: str = "", until: str = "") -> Response:
        found = _found(who, _seen(who), since, until)
        return attached(reports_trust.pdf(found), f"schools-side-by-side-{found.until}.pdf", "application/pdf")

    @router.get("/trust/report.html")
    def read(who: Who, since: str = "", until: str = "") -> Response:
        found = _found(who, _seen(who), since, until)
        return whole(reports_trust.html(found))

    @router.get("/trust/tables/{name}")
    def exported(who: Who, name: str, since: str = "", until: str = "") -> Response:
        files = csv_files(_found(who, _seen(who), since, until).tables)
        if name not in files:
            raise BadForm("There is no such table: choose one on the page of the trust.")
        return attached(files[name], name, "text/csv; charset=utf-8")

    return router


def may_see(who: Caller) -> bool:
    """Whether the page of a trust would open; nothing goes on record."""
    try:
        who.app.trusts.seen_from(who.records.school_id)
    except NotTheOffice:
        return False
    return who.can(Action.SEE_TRUST)


def _seen(who: Caller) -> Trust:
    who.see(Action.SEE_TRUST)
    return who.app.trusts.seen_from(who.records.school_id)


def _found(who: Caller, trust: Trust, since: str, until: str) -> TrustReport:
    first, last = window_of(who, since, until)
    return reports_trust.kept(who.app, trust.schools, since=first, until=last)
