from __future__ import annotations

from datetime import date

import pytest

from domain import school_year as sy
from domain.school import Term

AUTUMN = (
    Term(first_on=date(2026, 9, 2), last_on=date(2026, 10, 23)),
    Term(first_on=date(2026, 11, 2), last_on=date(2026, 12, 18)),
    Term(first_on=date(2027, 1, 4), last_on=date(2027, 2, 12)),
)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 9, 1), "2026/27"),
        (date(2027, 8, 31), "2026/27"),
        (date(2026, 8, 31), "2025/26"),
        (date(1999, 9, 1), "1999/00"),
    ],
)
def test_the_academic_year_runs_from_september_to_august(day: date, text: str) -> None:
    assert sy.academic_year(day) == text


def test_an_academic_year_is_read_back() -> None:
    assert sy.academic_year_start("2026/27") == date(2026, 9, 1)


@pytest.mark.parametrize(
    "text", ["2026", "2026/28", "2026-27", "26/27", "2026/2027", "abcd/ef", "²026/27", "0000/01", ""]
)
def test_other_texts_are_no_academic_year(text: str) -> None:
    with pytest.raises(sy.AcademicYearMalformed):
        sy.academic_year_start(text)


@pytest.mark.parametrize(
    ("born", "year_group"),
    [
        (date(2018, 8, 31), 4),  # 8 on 31 August 2026
        (date(2018, 9, 1), 3),
        (date(2017, 9, 1), 4),
        (date(2009, 8, 31), 13),
        (date(2008, 9, 1), 13),
        (date(2022, 8, 31), 0),
    ],
)
def test_the_year_group_is_the_age_on_31_august_minus_four(born: date, year_group: int) -> None:
    assert sy.expected_year_group(born, date(2026, 11, 24)) == year_group
    assert sy.expected_year_group(born, date(2027, 8, 31)) == year_group


def test_a_pupil_taught_out_of_year_is_a_warning() -> None:
    warning = sy.year_group_warning(date(2017, 9, 1), 5, date(2026, 11, 24))
    assert warning is not None
    assert "Year 5 is stated" in warning
    assert "Year 4" in warning


@pytest.mark.parametrize("stated", [4, None])
def test_the_expected_year_group_or_none_gives_no_warning(stated: int | None) -> None:
    assert sy.year_group_warning(date(2017, 9, 1), stated, date(2026, 11, 24)) is None


@pytest.mark.parametrize(
    ("born", "on", "months"),
    [
        (date(2018, 3, 15), date(2018, 3, 15), 0),
        (date(2018, 3, 15), date(2018, 4, 14), 0),
        (date(2018, 3, 15), date(2018, 4, 15), 1),
        (date(2018, 1, 31), date(2018, 2, 28), 0),
        (date(2018, 1, 31), date(2018, 3, 1), 1),
        (date(2008, 2, 29), date(2026, 2, 28), 215),
        (date(2008, 2, 29), date(2026, 3, 1), 216),
    ],
)
def test_age_is_counted_in_whole_months(born: date, on: date, months: int) -> None:
    assert sy.age_months(born, on) == months


def test_no_age_before_birth() -> None:
    with pytest.raises(sy.NotYetBorn):
        sy.age_months(date(2018, 3, 15), date(2018, 3, 14))


@pytest.mark.parametrize(
    ("born", "eighteen_on"),
    [
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2006, 2, 28), date(2024, 2, 28)),
        (date(2010, 11, 3), date(2028, 11, 3)),
    ],
)
def test_18_is_reached_on_the_birthday_and_a_leap_child_waits_for_1_march(born: date, eighteen_on: date) -> None:
    assert sy.eighteenth_birthday(born) == eighteen_on


def test_the_18th_birthday_is_the_day_the_age_becomes_18() -> None:
    for offset in range(4 * 366):
        born = date.fromordinal(date(2006, 1, 1).toordinal() + offset)
        birthday = sy.eighteenth_birthday(born)
        assert sy.age_years(born, birthday) == 18
        assert sy.age_years(born, date.fromordinal(birthday.toordinal() - 1)) == 17


def test_school_days_skip_weekends_and_holidays() -> None:
    assert sy.add_school_days(date(2026, 10, 22), 1, AUTUMN) == date(2026, 10, 23)
    assert sy.add_school_days(date(2026, 10, 22), 2, AUTUMN) == date(2026, 11, 2)
    assert sy.add_school_days(date(2026, 12, 18), 1, AUTUMN) == date(2027, 1, 4)


def test_fifteen_school_days_from_the_first_day_of_term() -> None:
    assert sy.add_school_days(date(2026, 9, 2), 15, AUTUMN) == date(2026, 9, 23)


def test_a_day_in_the_holidays_counts_from_the_next_term() -> None:
    assert sy.add_school_days(date(2026, 8, 20), 1, AUTUMN) == date(2026, 9, 2)


def test_counting_past_the_last_term_known_is_refused() -> None:
    with pytest.raises(sy.TermDatesMissing):
        sy.add_school_days(date(2027, 2, 12), 1, AUTUMN)
    with pytest.raises(sy.TermDatesMissing):
        sy.add_school_days(date(2027, 2, 12), 1, ())
