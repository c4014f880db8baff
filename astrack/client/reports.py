"""What the API has on the topic `reports`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date

from astrack.client.calling import Caller, Got


class ReportOut(Got):
    """A report on a period. ``may_not`` and ``why_not``: a sentence that must not be said, and why."""

    school: str
    since: date
    until: date
    made_on: date
    headline: str
    beside: list[str]
    may_not: str
    why_not: str
    tables: list[TableOut]


class TableOut(Got):
    """One table of the report: cells are text, small numbers hidden."""

    name: str
    title: str
    note: str
    head: list[str]
    rows: list[list[str]]


class TrustReportOut(Got):
    """The schools of a trust side by side; a school that is hidden cannot be worked out from the others."""

    trust: str
    since: date
    until: date
    made_on: date
    headline: str
    beside: list[str]
    side_by_side: str
    schools: list[TrustReportSchool]
    tables: list[TableOut]


class TrustReportSchool(Got):
    """A school of a trust, and what may be said of it by itself."""

    school: str
    headline: str


class ReportsCalls(Caller):
    """What the API has on the topic `reports`."""

    def trust_report(self, *, since: date | None = None, until: date | None = None) -> TrustReportOut:
        """Schools side by side, asked for at the trust's office: one comparison over all, a funnel, each in a
        sentence. Without days: the newest half-year that can be told.
        """
        return self.value(TrustReportOut, "GET", "/reports/trust", query={"since": since, "until": until})

    def impact_report(self, *, since: date | None = None, until: date | None = None) -> ReportOut:
        """Screening done, signs, plans made and kept, impact with its caveats, training: over a period, or the
        newest half-year that can be told.
        """
        return self.value(ReportOut, "GET", "/reports/impact", query={"since": since, "until": until})
