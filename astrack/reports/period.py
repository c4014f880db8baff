"""The period a report is on: what was asked for, else the newest half-year that can be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import islice
from uuid import UUID

from astrack.app import App
from domain.half_year import Days, HalfYear, half_years, newest_told
from projections import round_progress

SHOWN = 3
Period = tuple[date, date]


def rounds_of(app: App, school_id: UUID) -> list[Days]:
    """The days of a school's rounds, by which its half-years change. Catches the read models up."""
    app.views.catch_up(school_id)
    with app.views.reading(school_id) as cur:
        return round_progress.days(cur, school_id)


def asked(app: App, since: date | None, until: date | None, rounds: Sequence[Days] = ()) -> Period:
    """The first and last day asked for. One of them alone is completed by its half-year, none by the newest that can be
    told. A trust, whose schools have rounds of their own, goes without ``rounds``: by the calendar.
    """
    today = app.clock().date()
    if since and until:
        return since, until
    if since is None and until is None:
        told = newest_told(today, rounds)
        return told.since, told.until
    around = next(one for one in half_years(since or until or today, rounds))
    return since or around.since, until or around.until


def lately(app: App, rounds: Sequence[Days]) -> list[HalfYear]:
    """The newest half-years that have begun, the newest first."""
    return list(islice(half_years(app.clock().date(), rounds), SHOWN))
