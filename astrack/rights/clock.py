"""When a request is due at this school: its terms, and the bank holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from astrack.records import Records
from domain.bank_holidays import bank_holidays
from domain.rights import requests
from domain.rights.requests import Request, RequestKind
from domain.school import Term
from domain.school_year import TermDatesMissing


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a school's clocks are reckoned by: every term it has stated, and whether it is maintained."""

    terms: list[Term]
    maintained: bool


def calendar_of(records: Records) -> Calendar:
    """The calendar of a school; one that has not said what it is counts as maintained, which is the stricter."""
    known = records.school_state()
    terms = [term for year in known.terms.values() for term in year]
    return Calendar(terms, known.registered is None or known.registered.maintained)


def due(request: Request, calendar: Calendar) -> date | None:
    """The last day to answer in time; None while the clock stands, or where the terms are not known far enough."""
    if request.received is None:
        return None
    year = request.received.happened_on.year
    closed = bank_holidays(year) | bank_holidays(year + 1)
    try:
        return requests.due(request, calendar.terms, closed, maintained=calendar.maintained)
    except TermDatesMissing:
        return None


def source(kind: RequestKind, calendar: Calendar) -> str:
    """Where the law sets the clock of a request."""
    return requests.CLOCKS[requests.clock_of(kind, maintained=calendar.maintained)]
