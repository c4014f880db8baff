"""The half-years in which a school looks whether support helped: their days, by its rounds, and when they can be told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import islice, pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base import Actor, Stamp
from domain.half_year import ASKED_WITHIN, Days, HalfYear, half_years, newest_told
from domain.reporting import make, tells

SUMMER, AUTUMN, SPRING = (
    (date(2025, 6, 9), date(2025, 6, 20)), (date(2025, 10, 6), date(2025, 10, 17)), (date(2026, 2, 2), date(2026, 2, 13))
)  # fmt: skip


def begun(today: date, rounds: list[Days], count: int = 3) -> list[HalfYear]:
    return list(islice(half_years(today, rounds), count))


def test_half_years_change_on_the_first_of_march_and_of_september() -> None:
    found = begun(date(2026, 3, 1), [])
    assert [(one.since, one.until) for one in found] == [
        (date(2026, 3, 1), date(2026, 8, 31)), (date(2025, 9, 1), date(2026, 2, 28)), (date(2025, 3, 1), date(2025, 8, 31)),
    ]  # fmt: skip
    assert begun(date(2024, 2, 29), [])[0].until == date(2024, 2, 29)


def test_a_round_over_the_change_lies_in_the_half_in_which_it_began() -> None:
    over = (date(2026, 2, 23), date(2026, 3, 6))
    found = begun(date(2026, 3, 18), [over])
    assert [(one.since, one.until) for one in found[:2]] == [
        (date(2026, 3, 7), date(2026, 8, 31)), (date(2025, 9, 1), date(2026, 3, 6)),
    ]  # fmt: skip
    assert begun(date(2026, 3, 4), [over])[0].since == date(2025, 9, 1)


def test_a_half_year_can_be_told_once_the_next_round_has_closed() -> None:
    rounds = [SUMMER, AUTUMN, SPRING]
    assert newest_told(date(2025, 10, 16), rounds).since == date(2024, 9, 1)
    assert newest_told(date(2025, 10, 17), rounds).since == date(2025, 3, 1)
    assert newest_told(date(2026, 3, 18), rounds).since == date(2025, 3, 1)


def test_without_another_round_it_can_be_told_when_a_last_plan_had_its_time() -> None:
    found = newest_told(date(2026, 1, 18), [])
    assert (found.since, found.told_on, found.due_on) == (
        date(2025, 3, 1), date(2026, 1, 18), date(2026, 1, 18) + ASKED_WITHIN,
    )  # fmt: skip
    assert newest_told(date(2026, 1, 17), []).since == date(2024, 9, 1)


@given(
    st.dates(date(2010, 1, 1), date(2040, 1, 1)),
    st.lists(st.tuples(st.dates(date(2009, 1, 1), date(2040, 1, 1)), st.integers(0, 40)), max_size=8),
)
def test_half_years_follow_each_other_without_a_gap(today: date, drawn: list[tuple[date, int]]) -> None:
    rounds = [(opens, date.fromordinal(opens.toordinal() + length)) for opens, length in drawn]
    found = begun(today, rounds, 6)
    assert found[0].since <= today
    assert all(one.since <= one.until < one.told_on for one in found)
    assert all(older.until.toordinal() + 1 == newer.since.toordinal() for newer, older in pairwise(found))


HALF = HalfYear(date(2025, 3, 1), date(2025, 8, 31), date(2025, 10, 17))


@pytest.mark.parametrize(
    ("since", "until", "on", "does"),
    [
        (HALF.since, HALF.until, date(2025, 10, 17), True),
        (date(2024, 9, 1), date(2025, 11, 1), date(2025, 11, 2), True),
        (HALF.since, HALF.until, date(2025, 9, 30), False),
        (date(2025, 4, 1), HALF.until, date(2025, 10, 20), False),
        (HALF.since, date(2025, 8, 30), date(2025, 10, 20), False),
    ],
)
def test_a_report_tells_of_a_half_year_that_it_is_wholly_on_and_that_could_be_told_then(
    since: date, until: date, on: date, does: bool
) -> None:
    stamp = Stamp(datetime.combine(on, time(9), UTC), Actor(id=uuid4(), role="head"), uuid4)
    (made,) = make(stamp, since=since, until=until, sha256="0" * 64)
    assert tells(made, HALF) is does
