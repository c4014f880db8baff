"""When a request is due at this school: its terms, and the bank holidays."""

from __future__ import annotations

from datetime import date

from astrack.records import Records
from domain.bank_holidays import bank_holidays
from domain.rights import requests
from domain.rights.requests import Request
from domain.school import Term
from domain.school_year import TermDatesMissing


def terms_of(records: Records) -> list[Term]:
    """Every term a school has stated."""
    return [term for year in records.school_state().terms.values() for term in year]


def due(request: Request, terms: list[Term]) -> date | None:
    """The last day to answer in time; None while the clock stands, or where the terms are not known far enough."""
    if request.received is None:
        return None
    year = request.received.happened_on.year
    closed = bank_holidays(year) | bank_holidays(year + 1)
    try:
        return requests.due(request, terms, closed)
    except TermDatesMissing:
        return None
