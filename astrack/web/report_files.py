"""What the pages of reports share: the period asked for, files to take away, a whole report as a page."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.reports import period
from astrack.reports.period import Period
from astrack.web.forms import day_of
from astrack.web.site import HEADERS
from domain.half_year import Days

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def window_of(who: Caller, since: str, until: str, rounds: Sequence[Days] = ()) -> Period:
    """The first and last day asked for; the newest half-year that can be told where none is. Raises BadForm."""
    first = day_of(since, "since", "From") if since else None
    last = day_of(until, "until", "Until") if until else None
    return period.asked(who.app, first, last, rounds)


def attached(content: bytes, name: str, kind: str) -> Response:
    """A file to take away."""
    return Response(content, 200, {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}, kind)


def whole(document: str) -> Response:
    """A report that is a whole document of its own, with its style inside and no script."""
    return Response(document, 200, {**HEADERS, "Content-Security-Policy": POLICY}, "text/html; charset=utf-8")
