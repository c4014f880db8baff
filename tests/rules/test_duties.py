from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain import duties
from domain.duties import CHILD_PROTECTION_FILE, EDUCATIONAL_RECORD, DayKind, due_on
from domain.school import Term
from domain.school_year import TermDatesMissing

TERMS = (
    Term(first_on=date(2026, 9, 2), last_on=date(2026, 10, 23)),
    Term(first_on=date(2026, 11, 2), last_on=date(2026, 12, 18)),
)


def test_a_child_protection_file_in_term_is_due_in_five_days_of_any_kind() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 9, 17), TERMS) == date(2026, 9, 22)


def test_a_child_protection_file_of_the_holidays_is_due_in_the_first_five_days_of_term() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 8, 20), TERMS) == date(2026, 9, 6)


def test_a_move_on_the_first_day_of_term_counts_that_day() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 9, 2), TERMS) == date(2026, 9, 6)


def test_a_half_term_begins_no_new_term() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 10, 24), TERMS) == date(2026, 10, 29)
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 11, 2), TERMS) == date(2026, 11, 7)


def test_a_move_on_the_last_day_of_term_is_in_term() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 10, 23), TERMS) == date(2026, 10, 28)


def test_without_term_dates_the_child_protection_file_is_due_in_five_days() -> None:
    assert due_on(CHILD_PROTECTION_FILE, date(2026, 8, 20)) == date(2026, 8, 25)


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        (DayKind.CALENDAR, date(2026, 10, 27)),
        (DayKind.WEEKDAY, date(2026, 10, 29)),
        (DayKind.SCHOOL, date(2026, 11, 5)),
    ],
)
def test_the_kind_of_day_is_the_schools_choice(kind: DayKind, due: date) -> None:
    policy = duties.changed("child_protection_file", {"kind": kind})
    assert due_on(policy["child_protection_file"], date(2026, 10, 22), TERMS) == due


def test_the_default_kind_is_the_strictest() -> None:
    days = {
        kind: due_on(
            duties.changed("child_protection_file", {"kind": kind})["child_protection_file"], date(2026, 10, 22), TERMS
        )
        for kind in DayKind
    }
    assert min(days, key=lambda kind: days[kind]) is CHILD_PROTECTION_FILE.kind


def test_the_educational_record_is_due_in_fifteen_school_days() -> None:
    assert due_on(EDUCATIONAL_RECORD, date(2026, 10, 9), TERMS) == date(2026, 11, 6)


def test_school_days_are_not_guessed_where_terms_are_missing() -> None:
    with pytest.raises(TermDatesMissing):
        due_on(EDUCATIONAL_RECORD, date(2026, 12, 10), TERMS)


def test_a_school_outside_the_maintained_sector_keeps_the_child_protection_duty() -> None:
    assert [duty.code for duty in duties.binding(maintained=False)] == ["child_protection_file"]
    assert len(duties.binding(maintained=True)) == 3


def test_every_duty_names_its_source() -> None:
    assert all(duty.source for duty in duties.POLICY.values())


def test_an_unknown_duty_is_refused() -> None:
    with pytest.raises(duties.NoSuchDuty):
        duties.changed("homework", {"days": 1})


def test_a_change_is_checked_as_if_it_were_new() -> None:
    with pytest.raises(ValidationError):
        duties.changed("educational_record", {"days": -1})


def test_a_school_owes_what_binds_it_and_nothing_else() -> None:
    codes = duties.HAND_OVER
    day = date(2026, 9, 17)
    maintained = duties.owed(codes, day, TERMS, maintained=True)
    assert [(one.duty.code, one.due_on) for one in maintained] == [
        ("child_protection_file", date(2026, 9, 22)), ("educational_record", date(2026, 10, 8)),
    ]  # fmt: skip
    academy = duties.owed(codes, day, TERMS, maintained=False)
    assert [one.duty.code for one in academy] == ["child_protection_file"]


def test_a_duty_in_school_days_past_the_terms_known_has_no_day_and_is_still_owed() -> None:
    late = duties.owed(["educational_record"], date(2026, 12, 15), TERMS, maintained=True)
    assert [(one.duty.code, one.due_on) for one in late] == [("educational_record", None)]


def test_a_reminder_of_duties_says_how_many_and_nothing_else() -> None:
    assert duties.reminder(0, 0) is None
    assert duties.reminder(1, 0) == "1 duty of the school is due. Sign in to see which."
    assert duties.reminder(1, 2) == "3 duties of the school are due, 2 of them overdue. Sign in to see which."
