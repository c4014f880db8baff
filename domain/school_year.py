"""Ages, year groups, academic years and school days, as schools in England reckon them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from domain.base import DomainError
from domain.school import Term

SATURDAY = 5
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)
"""The days that a record can speak of: with others the reckoning of years would run out of the calendar."""


class NotYetBorn(DomainError):
    """An age was asked for a day before the date of birth."""


class AcademicYearMalformed(DomainError):
    """An academic year is written as two years that follow one another."""


class TermDatesMissing(DomainError):
    """School days cannot be counted past the last term that is known."""


def starting_year(day: date) -> int:
    """The calendar year in which the academic year of a day began (1 September to 31 August)."""
    return day.year if day.month >= 9 else day.year - 1


def academic_year(day: date) -> str:
    """The academic year of a day, as "2026/27"."""
    first = starting_year(day)
    return f"{first}/{(first + 1) % 100:02d}"


def academic_year_start(text: str) -> date:
    """1 September of an academic year written "2026/27". Raises AcademicYearMalformed."""
    first, slash, second = text.partition("/")
    fits = slash and len(first) == 4 and (first + second).isascii() and (first + second).isdigit()
    if not fits or int(first) < 1 or f"{(int(first) + 1) % 100:02d}" != second:
        raise AcademicYearMalformed(f"{text!r} is not an academic year: write it as 2026/27")
    return date(int(first), 9, 1)


def age_months(born: date, on: date) -> int:
    """The age on a day in whole months; a month is full on the same day number, or on the 1st after a short month.

    Raises NotYetBorn.
    """
    if on < born:
        raise NotYetBorn(f"the date of birth is after {on}: correct one of the two")
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def age_years(born: date, on: date) -> int:
    """The age on a day in whole years. Raises NotYetBorn."""
    return age_months(born, on) // 12


def expected_year_group(born: date, on: date) -> int:
    """The year group the formula gives: the age on the 31 August before the academic year, minus 4 (8 -> Year 4).

    Below 0 are the years before Reception. The formula only ever warns: pupils are taught out of year for good reasons.
    """
    return starting_year(on) - starting_year(born) - 5


def year_group_warning(born: date, stated: int | None, on: date) -> str | None:
    """One sentence when the year group stated is not the one the formula gives; None when it is, or none was stated."""
    expected = expected_year_group(born, on)
    if stated is None or stated == expected:
        return None
    return (
        f"{year_name(stated)} is stated, the date of birth would put the pupil in {year_name(expected)}: "
        "what is stated is kept; correct it in the MIS if it is a slip"
    )


def year_name(year_group: int | None) -> str:
    """A year group as people say it."""
    if year_group is None:
        return "no year group"
    return {0: "Reception", -1: "Nursery 2", -2: "Nursery 1"}.get(year_group, f"Year {year_group}")


def eighteenth_birthday(born: date) -> date:
    """The day the pupil turns 18; born on 29 February, that is 1 March where the year has no 29th."""
    return birthday(born, 18)


def birthday(born: date, age: int) -> date:
    """The day of that birthday; born on 29 February, it is 1 March where the year has no 29th."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def is_school_day(day: date, terms: Iterable[Term]) -> bool:
    """Whether a day is a Monday to Friday inside a term. A bank holiday inside a term is a gap between two terms."""
    return day.weekday() < SATURDAY and any(term.first_on <= day <= term.last_on for term in terms)


def add_school_days(day: date, count: int, terms: Iterable[Term]) -> date:
    """The ``count``-th school day after ``day``, which itself is not counted (0: the day itself).

    Raises TermDatesMissing when the terms known end before that.
    """
    known = sorted(terms, key=lambda term: term.first_on)
    last = max((term.last_on for term in known), default=day)
    while count > 0:
        day += timedelta(days=1)
        if day > last:
            raise TermDatesMissing(f"the term dates known here end on {last}: state the next year's term dates")
        count -= is_school_day(day, known)
    return day
