"""The report for governors and inspection as data: what may be said, what may not, and every table."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from astrack import reports
from astrack.access.callers import CallerOf
from astrack.api.common import Day, Out
from astrack.reports import period
from astrack.reports import trust as reports_trust
from astrack.reports.tables import Table
from domain.authority import Action

router = APIRouter(tags=["reports"])


class TableOut(Out):
    """One table of the report: cells are text, small numbers hidden."""

    name: str
    title: str
    note: str
    head: list[str]
    rows: list[list[str]]


class ReportOut(Out):
    """A report on a period. ``may_not`` and ``why_not``: a sentence that must not be said, and why."""

    school: str
    since: Day
    until: Day
    made_on: Day
    headline: str
    beside: list[str]
    may_not: str
    why_not: str
    tables: list[TableOut]


class TrustReportSchool(Out):
    """A school of a trust, and what may be said of it by itself."""

    school: str
    headline: str


class TrustReportOut(Out):
    """The schools of a trust side by side; a school that is hidden cannot be worked out from the others."""

    trust: str
    since: Day
    until: Day
    made_on: Day
    headline: str
    beside: list[str]
    side_by_side: str
    schools: list[TrustReportSchool]
    tables: list[TableOut]


@router.get("/reports/trust")
def trust_report(caller: CallerOf, since: Day | None = None, until: Day | None = None) -> TrustReportOut:
    """Schools side by side, asked for at the trust's office: one comparison over all, a funnel, each in a sentence.
    Without days: the newest half-year that can be told.
    """
    caller.see(Action.SEE_TRUST)
    trust = caller.app.trusts.seen_from(caller.records.school_id)
    first, last = period.asked(caller.app, since, until)
    found = reports_trust.kept(caller.app, trust.schools, since=first, until=last)
    schools = [TrustReportSchool(school=name, headline=said) for name, said in found.schools]
    return TrustReportOut(
        trust=trust.name, since=found.since, until=found.until, made_on=found.made_on, headline=found.said.headline,
        beside=list(found.said.beside), side_by_side=reports_trust.said(found), schools=schools,
        tables=_tables(found.tables),
    )  # fmt: skip


@router.get("/reports/impact")
def impact_report(caller: CallerOf, since: Day | None = None, until: Day | None = None) -> ReportOut:
    """Screening done, signs, plans made and kept, impact with its caveats, training: over a period, or the newest
    half-year that can be told.
    """
    caller.see(Action.SEE_AGGREGATES)
    school_id = caller.records.school_id
    first, last = period.asked(caller.app, since, until, period.rounds_of(caller.app, school_id))
    found = reports.kept(caller.app, school_id, since=first, until=last)
    return ReportOut(
        school=found.school, since=found.since, until=found.until, made_on=found.made_on,
        headline=found.said.headline, beside=list(found.said.beside), may_not=found.said.may_not or "",
        why_not=found.said.why_not or "", tables=_tables(found.tables),
    )  # fmt: skip


def _tables(tables: Sequence[Table]) -> list[TableOut]:
    return [
        TableOut(
            name=one.name, title=one.title, note=one.note, head=list(one.head), rows=[list(row) for row in one.rows]
        )
        for one in tables
    ]
