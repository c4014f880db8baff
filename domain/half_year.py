"""The half-years by which a school looks whether support helped: when each begins, ends, and can be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from domain.impact.cases import START_DAYS, WAIT_DAYS
from domain.school_year import starting_year

ASKED_WITHIN = timedelta(weeks=4)
"""How long a school has to look at a half-year once it can be told."""
Days = tuple[date, date]
"""The first and the last day of a round."""


class HalfYear(NamedTuple):
    """A half of an academic year. ``told_on``: from when its impact can be told, its pupils having been asked again."""

    since: date
    until: date
    told_on: date

    @property
    def due_on(self) -> date:
        """The day by which the school means to have looked at it."""
        return self.told_on + ASKED_WITHIN


def half_years(today: date, rounds: Iterable[Days] = ()) -> Iterator[HalfYear]:
    """The half-years that have begun, the newest first, without end.

    They change on 1 March and 1 September, or, where a round is open over that day, on the day after it: the sittings
    of a round lie in one half. A half-year can be told once the next round has closed, and at the latest when a plan
    for its last sign would have had the time to begin and to be looked at again.
    """
    known = sorted(rounds)
    year, after = starting_year(today) + 2, _change(date(starting_year(today) + 2, 9, 1), known)
    while True:
        for first in (date(year, 3, 1), date(year - 1, 9, 1)):
            begins = _change(first, known)
            if begins <= today:
                until = after - timedelta(days=1)
                yield HalfYear(begins, until, _told_on(until, known))
            after = begins
        year -= 1


def newest_told(today: date, rounds: Sequence[Days] = ()) -> HalfYear:
    """The newest half-year whose impact can be told on a day."""
    return next(one for one in half_years(today, rounds) if one.told_on <= today)


def _change(day: date, rounds: Iterable[Days]) -> date:
    over = [closes for opens, closes in rounds if opens < day <= closes]
    return max(over) + timedelta(days=1) if over else day


def _told_on(until: date, rounds: Iterable[Days]) -> date:
    latest = until + timedelta(days=START_DAYS + WAIT_DAYS)
    return min([latest, *(closes for opens, closes in rounds if opens > until)])
