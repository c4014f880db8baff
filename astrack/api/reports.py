"""The report for governors and inspection as data: what may be said, what may not, and every table."""

from __future__ import annotations

from fastapi import APIRouter

from astrack import reports
from astrack.access.callers import CallerOf
from astrack.api.common import Day, Out
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


@router.get("/reports/impact")
def impact_report(caller: CallerOf, since: Day, until: Day) -> ReportOut:
    """Screening done, signs, plans made and kept, impact with its caveats, training: over a period."""
    caller.see(Action.SEE_AGGREGATES)
    found = reports.kept(caller.app, caller.records.school_id, since=since, until=until)
    tables = [
        TableOut(
            name=one.name, title=one.title, note=one.note, head=list(one.head), rows=[list(row) for row in one.rows]
        )
        for one in found.tables
    ]
    return ReportOut(
        school=found.school, since=found.since, until=found.until, made_on=found.made_on,
        headline=found.said.headline, beside=list(found.said.beside), may_not=found.said.may_not or "",
        why_not=found.said.why_not or "", tables=tables,
    )  # fmt: skip
