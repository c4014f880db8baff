"""Bank holidays in England and Wales, by rule; a school adds those proclaimed for one year only."""

from __future__ import annotations

from datetime import date, timedelta

MONDAY, SATURDAY = 0, 5


def bank_holidays(year: int) -> frozenset[date]:
    """The regular bank holidays of a year (Banking and Financial Dealings Act 1971, schedule 1, and the yearly
    proclamations of New Year's Day and the first Monday in May): one that falls on a weekend moves on to a weekday.
    """
    easter = easter_sunday(year)
    monday = timedelta(days=7)
    moving = {easter - timedelta(days=2), easter + timedelta(days=1)}
    may = _first_monday(date(year, 5, 1))
    fixed = {may, _first_monday(date(year, 6, 1)) - monday, _first_monday(date(year, 9, 1)) - monday}
    found = moving | fixed
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() >= SATURDAY or day in found:
            day += timedelta(days=1)
        found.add(day)
    return frozenset(found)


def easter_sunday(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the anonymous algorithm, Nature, 20 April 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _first_monday(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)
