"""Did it help? What staff say came of plans, how groups stand, and what may and may not be said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from astrack import reports
from astrack.access.callers import Caller
from astrack.picture import CONTEXTS, FACTORS, IN_WORDS, NAMES
from astrack.records.support import Support
from astrack.reports import Report, period
from astrack.reports import html as reports_html
from astrack.reports import plot as reports_plot
from astrack.reports.period import Period
from astrack.reports.tables import csv_files
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.lists import reading
from astrack.web.report_files import attached, whole, window_of
from astrack.web.site import BadForm, Site
from astrack.web.trust import may_see
from domain.authority import Action
from domain.scope import Scope
from domain.small import SMALLEST
from domain.statistics import wilson
from projections import cohort, plan_board, pupils, round_progress
from projections.cohort import Cell

ROUNDS_SHOWN = 6
WIDTH, LEFT = 480, 20
A_YEAR = timedelta(days=365)
"""How far back the newest sitting of a group's pupils may lie."""


def impact_pages(site: Site) -> APIRouter:
    """The head's page: aggregates alone, small groups hidden."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/impact")
    def impact(request: Request, who: Who, by: str = "year", since: str = "", until: str = "") -> Response:
        who.see(Action.SEE_AGGREGATES)
        rounds_days = period.rounds_of(who.app, who.records.school_id)
        window = window_of(who, since, until, rounds_days)
        everyone = Scope(everyone=True)
        with reading(who) as (cur, school):
            came = plan_board.came_of(cur, school, everyone)
            known = pupils.dimensions(cur, school, everyone)
            dimensions = sorted(known, key=lambda one: (one != "year", one))
            chosen = by if by in dimensions else "year"
            groups = cohort.cells(cur, school, everyone, chosen, since=who.today - A_YEAR, until=who.today)
            rounds = round_progress.rounds(cur, school, everyone, ROUNDS_SHOWN)
        report = _report(who, window)
        return site.page(
            request, "impact.html", viewer=who.viewer, came=_came(came),
            groups=[_group(one) for one in groups], by=chosen, dimensions=dimensions, smallest=SMALLEST,
            heads=[f"{NAMES[factor]}, {IN_WORDS[context]}" for context in CONTEXTS for factor in FACTORS],
            rounds=[one for one in rounds if one.expected >= SMALLEST], report=report, window=window,
            halves=[(one, one.told_on <= who.today) for one in period.lately(who.app, rounds_days)],
            trust=may_see(who), **_plots(report),
        )  # fmt: skip

    @router.post("/impact/report")
    def made(who: Who, sent: Sent) -> Response:
        who.see(Action.SEE_AGGREGATES)
        since, until = _window(who, sent.text("since", 10), sent.text("until", 10))
        content = reports_html.pdf(_report(who, (since, until)))
        digest = hashlib.sha256(content).hexdigest()
        Support(who.records).record_report(who.ask(sent.key), since=since, until=until, sha256=digest)
        return attached(content, f"did-it-help-{until}.pdf", "application/pdf")

    @router.get("/impact/report.html")
    def read(who: Who, since: str = "", until: str = "") -> Response:
        who.see(Action.SEE_AGGREGATES)
        return whole(reports_html.html(_report(who, _window(who, since, until))))

    @router.get("/impact/tables/{name}")
    def exported(who: Who, name: str, since: str = "", until: str = "") -> Response:
        who.see(Action.SEE_AGGREGATES)
        files = csv_files(_report(who, _window(who, since, until)).tables)
        if name not in files:
            raise BadForm("There is no such table: choose one on the page Did it help.")
        return attached(files[name], name, "text/csv; charset=utf-8")

    return router


def _window(who: Caller, since: str, until: str) -> Period:
    return window_of(who, since, until, period.rounds_of(who.app, who.records.school_id))


def _report(who: Caller, window: Period) -> Report:
    """The report of a period. Raises ReportDatesWrong."""
    return reports.kept(who.app, who.records.school_id, since=window[0], until=window[1])


def _plots(report: Report) -> dict[str, Any]:
    # both escape every text they are given; with too few pupils there is nothing to draw
    found = report.found if report.found.shown else None
    arms = Markup(reports_plot.arms(found)) if found else Markup()  # noqa: S704
    estimate = Markup(reports_plot.estimate(found.primary)) if found and found.primary else Markup()  # noqa: S704
    return {"arms_plot": arms, "estimate_plot": estimate}


@dataclass(frozen=True, slots=True)
class Share:
    """A share of plans with its 95 % interval, in per cent, and where to draw it; hidden under ten plans."""

    of: int
    shown: bool
    count: int = 0
    best: int = 0
    low: int = 0
    high: int = 0

    def x(self, percent: int) -> float:
        """Where a percentage lies on the drawing."""
        return LEFT + (WIDTH - 2 * LEFT) * percent / 100


def _came(came: Mapping[str, int]) -> Share:
    helped, ended = came.get("helped", 0) + came.get("helped_partly", 0), sum(came.values())
    if ended < SMALLEST:
        return Share(ended, shown=False)
    low, high = wilson(helped, ended)
    return Share(ended, True, helped, round(100 * helped / ended), round(100 * low), round(100 * high))


def _group(cell: Cell) -> dict[str, Any]:
    means = [None if one is None else f"{one:.1f}" for one in cell.mean] if cell.mean else []
    flagged = cell.flagged if cell.flagged is not None and cell.pupils is not None else None
    return {"name": "everybody" if cell.name == "all" else cell.name, "shown": cell.shown, "pupils": cell.pupils,
            "means": means, "flagged": flagged}  # fmt: skip
