"""What the pages of reports share: the period asked for, files to take away, a whole report as a page."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.site import HEADERS, BadForm

YEAR = timedelta(days=365)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
Window = tuple[date, date]


def window_of(who: Caller, since: str, until: str) -> Window:
    """The first and last day asked for; the last year where none is. Raises BadForm."""
    try:
        last = date.fromisoformat(until) if until else who.today
        first = date.fromisoformat(since) if since else last - YEAR
    except ValueError:
        raise BadForm("Write the days as year-month-day, such as 2026-11-24.", "since") from None
    return first, last


def attached(content: bytes, name: str, kind: str) -> Response:
    """A file to take away."""
    return Response(content, 200, {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}, kind)


def whole(document: str) -> Response:
    """A report that is a whole document of its own, with its style inside and no script."""
    return Response(document, 200, {**HEADERS, "Content-Security-Policy": POLICY}, "text/html; charset=utf-8")
