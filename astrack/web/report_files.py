"""What the pages of reports share: the period asked for, files to take away, a whole report as a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.reports import period
from astrack.reports.period import Period
from astrack.web.site import HEADERS, BadForm
from domain.half_year import Days

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def window_of(who: Caller, since: str, until: str, rounds: Sequence[Days] = ()) -> Period:
    """The first and last day asked for; the newest half-year that can be told where none is. Raises BadForm."""
    try:
        first, last = (date.fromisoformat(one) if one else None for one in (since, until))
    except ValueError:
        raise BadForm("Write the days as year-month-day, such as 2026-11-24.", "since") from None
    return period.asked(who.app, first, last, rounds)


def attached(content: bytes, name: str, kind: str) -> Response:
    """A file to take away."""
    return Response(content, 200, {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}, kind)


def whole(document: str) -> Response:
    """A report that is a whole document of its own, with its style inside and no script."""
    return Response(document, 200, {**HEADERS, "Content-Security-Policy": POLICY}, "text/html; charset=utf-8")
