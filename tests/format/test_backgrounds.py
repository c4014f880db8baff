"""What roster files state of pupils' background is read where it is asked for, brought down to broad groups."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from domain.background import NOTHING, WATCHABLE, Background
from domain.identity import Person, SchoolName
from transfer.rosters import ctf

ALL = tuple(WATCHABLE)
SCHOOL = SchoolName(school_id=UUID(int=1), name="Brook", urn="900101", lea="330", estab="2345")
HEADER = ctf.Header(SCHOOL, SCHOOL, datetime(2026, 9, 14, 8, 30))


def file(*carried: str) -> bytes:
    people = [
        Person(surname=f"Hartley{number}", forename="Mabli", date_of_birth=date(2018, 3, 1 + number),
               carried=f"<Pupil>{more}</Pupil>" if more else "")
        for number, more in enumerate(carried)
    ]  # fmt: skip
    return ctf.write(HEADER, [(one, 4) for one in people])


def read(*carried: str) -> list[Background]:
    return [one.background for one in ctf.read(file(*carried), watched=ALL).pupils]


def sen(*stages: tuple[str, str]) -> str:
    told = (f"<SEN><StartDate>{on}</StartDate><SENprovision>{code}</SENprovision></SEN>" for on, code in stages)
    return f"<SENhistory>{''.join(told)}</SENhistory>"


def language(kind: str, code: str) -> str:
    said = f"<Type><LanguageType>{kind}</LanguageType><Language>{code}</Language></Type>"
    return f"<BasicDetails><Languages>{said}</Languages></BasicDetails>"


def meals(start: str, end: str = "") -> str:
    until = f"<FSMendDate>{end}</FSMendDate>" if end else ""
    return f"<FSMhistory><FSMinstance><FSMstartDate>{start}</FSMstartDate>{until}</FSMinstance></FSMhistory>"


def test_nothing_is_read_that_is_not_asked_for() -> None:
    data = file(sen(("2024-09-01", "K")) + language("F", "POL") + meals("2025-09-01"))
    assert [one.background for one in ctf.read(data).pupils] == [NOTHING]
    assert [one.background for one in ctf.read(data, watched=("fsm",)).pupils] == [Background(fsm=True)]


def test_what_is_read_is_still_handed_on_as_it_came() -> None:
    more = sen(("2024-09-01", "K"))
    assert more in ctf.read(file(more), watched=ALL).pupils[0].person.carried


def test_the_newest_provision_says_whether_there_are_special_needs() -> None:
    now, before = sen(("2023-09-01", "N"), ("2025-01-06", "E")), sen(("2025-01-06", "N"), ("2023-09-01", "K"))
    assert [one.sen for one in read(now, before)] == [True, False]


def test_a_history_nobody_has_says_nothing_and_one_that_some_have_says_no_for_the_rest() -> None:
    assert [one.sen for one in read("", "")] == [None, None]
    assert [one.sen for one in read(sen(("2024-09-01", "K")), "")] == [True, False]


def test_a_partial_file_says_no_of_nobody() -> None:
    whole = file(sen(("2024-09-01", "K")) + meals("2025-09-01"), "")
    part = whole.replace(b"<DocumentQualifier>full<", b"<DocumentQualifier>partial<")
    assert [(one.background.sen, one.background.fsm) for one in ctf.read(whole, watched=ALL).pupils] == [
        (True, True), (False, False),
    ]  # fmt: skip
    assert [(one.background.sen, one.background.fsm) for one in ctf.read(part, watched=ALL).pupils] == [
        (True, True), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "eal"), [("POL", True), ("OTB", True), ("ENG", False), ("ENB", False), ("REF", None), ("NOT", None)]
)
def test_the_first_language_says_whether_english_is_an_additional_one(code: str, eal: bool | None) -> None:
    assert [one.eal for one in read(language("F", code), language("H", "POL"))] == [eal, None]


def test_free_school_meals_count_on_the_day_of_the_file() -> None:
    spans = [("2025-09-01", ""), ("2025-09-01", "2026-09-14"), ("2025-09-01", "2026-09-13"), ("2026-09-15", "")]
    assert [one.fsm for one in read(*(meals(*span) for span in spans))] == [True, True, False, False]


@pytest.mark.parametrize(
    ("code", "group"),
    [("WBRI", "White"), ("MWBC", "Mixed"), ("AIND", "Asian"), ("CHNE", "Asian"), ("BAFR", "Black"), ("OOTH", "other"),
     ("REFU", None), ("NOBT", None), ("???", None)],
)  # fmt: skip
def test_an_ethnicity_is_kept_as_its_broad_group_alone(code: str, group: str | None) -> None:
    assert read(f"<BasicDetails><Ethnicity>{code}</Ethnicity></BasicDetails>")[0].ethnicity == group
