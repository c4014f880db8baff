"""What a school owes by law stands on one page with its day and its source; what does not bind it does not."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from astrack import due
from astrack.handover import Handover
from astrack.settings import Settings
from astrack.store import Store
from domain.duties import CHILD_PROTECTION_FILE, EDUCATIONAL_RECORD
from domain.school import Term
from tests.support.command import Run
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

TERMS = (
    Term(first_on=date(2026, 1, 5), last_on=date(2026, 3, 27)),
    Term(first_on=date(2026, 4, 13), last_on=date(2026, 7, 21)),
)


@pytest.fixture
def small(store: Store, settings: Settings) -> SmallSchool:
    made = build(store, settings, pupils=4, years=1, with_past=False)
    made.records.set_term_dates(made.ask(), academic_year="2025/26", terms=TERMS)
    return made


def owed(small: SmallSchool, **which: bool) -> list[due.Due]:
    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        return due.of_school(
            cur, small.records, small.clock().date(), **{"moves": True, "requests": True, "impact": False, **which}
        )


def moves(small: SmallSchool, name: str, start: date) -> None:
    to = build_other(small)
    Handover(small.records).prepare(
        small.ask("dsl"), [small.pupils[name]], to=to.key_document(), words=to.key_words(), lawful_basis="public_task",
        accepted_on=start, start_on=start,
    )  # fmt: skip


def build_other(small: SmallSchool) -> Handover:
    records = small.app.create_school(uuid4())
    name = small.records.school_state().registered
    assert name is not None
    records.register_school(
        small.ask(),
        name.school.model_copy(update={"school_id": records.school_id, "name": "Beech", "lea": "", "estab": ""}),
    )
    return Handover(records)


def test_a_pupil_who_moves_is_owed_two_things_by_two_days_until_the_receipt_is_here(small: SmallSchool) -> None:
    assert owed(small) == []
    moves(small, "Tom", date(2026, 3, 16))
    found = owed(small)
    assert [(one.what, one.source, one.due_on) for one in found] == [
        (CHILD_PROTECTION_FILE.title, CHILD_PROTECTION_FILE.source, date(2026, 3, 21)),
        (EDUCATIONAL_RECORD.title, EDUCATIONAL_RECORD.source, date(2026, 4, 20)),
    ]
    assert {one.pupil_id for one in found} == {small.pupils["Tom"]}
    assert due.counts(found, date(2026, 3, 18)) == (1, 0)
    assert due.counts(found, date(2026, 4, 22)) == (0, 2)
    assert owed(small, moves=False) == []


def test_a_pupil_who_left_is_owed_them_although_nothing_was_prepared(small: SmallSchool) -> None:
    year_nine = small.pupils["Aisha"]
    small.records.regroup(small.ask(), year_nine, on=date(2026, 3, 16), year_group=9, groups=())
    small.records.leave(small.ask(), year_nine, on=date(2026, 3, 17))
    assert {one.pupil_id for one in owed(small)} == {year_nine}
    small.clock.to(date(2027, 4, 1))
    assert owed(small) == []


def test_a_school_that_is_not_maintained_is_told_nothing_that_does_not_bind_it(small: SmallSchool) -> None:
    known = small.records.school_state().registered
    assert known is not None
    small.records.register_school(small.ask(), known.school, maintained=False)
    moves(small, "Tom", date(2026, 3, 16))
    assert [one.what for one in owed(small)] == [CHILD_PROTECTION_FILE.title]
    reader = Reader(served(small), small, "dsl")
    for path in ("/due", "/transfers"):
        page = reader.get(path).text
        assert CHILD_PROTECTION_FILE.title in page
        assert EDUCATIONAL_RECORD.title not in page


def test_the_page_shows_what_is_over_and_where_the_law_says_so(small: SmallSchool) -> None:
    pages = served(small)
    assert "Nothing is due." in Reader(pages, small, "dsl").get("/due").text
    moves(small, "Tom", date(2026, 3, 16))
    small.clock.to(date(2026, 3, 23))
    page = Reader(pages, small, "dsl").get("/due").text
    assert "2 days over" in page
    assert "Tom Hughes" in page
    assert CHILD_PROTECTION_FILE.source in page
    assert "1 duty of the school is due, 1 of them overdue." in page
    assert "Tom Hughes" not in Reader(pages, small, "dpo").get("/due").text
    assert Reader(pages, small, "tutor").get("/due").status_code == 403


def test_terms_that_are_not_stated_are_asked_for(store: Store, settings: Settings) -> None:
    small = build(store, settings, pupils=2, years=1, with_past=False)
    moves(small, "Tom", date(2026, 3, 16))
    assert [one.due_on for one in owed(small)] == [date(2026, 3, 21), None]
    assert "state the term dates" in Reader(served(small), small, "dsl").get("/due").text


def test_a_half_year_is_due_until_a_report_on_it_is_made_and_only_for_whom_it_is(
    store: Store, settings: Settings
) -> None:
    small = build(store, settings, pupils=4, years=2)
    (found,) = owed(small, impact=True, moves=False, requests=False)
    assert found.href == "/impact?since=2025-03-01&until=2025-08-31"
    assert found.source == "Every six months"
    assert found.pupil_id is None
    pages = served(small)
    head, lead = (Reader(pages, small, who) for who in ("head", "lead_practitioner"))
    for reader in (head, lead):
        page = reader.get("/due").text
        assert "See whether support helped from 1 March 2025 to 31 August 2025" in page
        assert "The school" in page
        assert "Mia" not in page
    assert "See whether support helped" not in Reader(pages, small, "administrator").get("/due").text
    page = head.get(found.href)
    assert 'value="2025-03-01"' in page.text
    head.send(page, "/impact/report")
    assert owed(small, impact=True, moves=False, requests=False) == []
    assert "Nothing is due." in head.get("/due").text
    small.clock.to(date(2026, 7, 30))
    assert [one.href for one in owed(small, impact=True)] == ["/impact?since=2025-09-01&until=2026-02-28"]


def test_a_broken_glass_is_due_to_be_looked_at_the_next_day_by_whom_reviews_it(small: SmallSchool) -> None:
    officer, glass_id = small.staff["dpo"], small.app.new_id()
    small.records.break_glass(
        small.ask("dpo"), officer, glass_id=glass_id, pupil_id=small.pupils["Mia"], reason="A court order", minutes=30
    )
    pages, said = served(small), "Look at why a record was opened"
    for who in ("dsl", "head"):
        page = Reader(pages, small, who).get("/due").text
        assert said in page and 'href="/glass"' in page and "1 day left" in page
    assert said not in Reader(pages, small, "dpo").get("/due").text
    small.records.review_glass(small.ask("head"), officer, glass_id=glass_id, in_order=True, note="")
    assert said not in Reader(pages, small, "head").get("/due").text


def test_a_school_that_asked_nobody_in_a_half_year_owes_no_look_at_it(small: SmallSchool) -> None:
    assert owed(small, impact=True) == []


def test_the_page_of_impact_begins_with_the_newest_half_year_that_can_be_told(store: Store, settings: Settings) -> None:
    small = build(store, settings, pupils=4, years=2)
    head = Reader(served(small), small, "head")
    page = head.get("/impact").text
    assert 'name="since" type="date" value="2025-03-01"' in page
    assert 'name="until" type="date" value="2025-08-31"' in page
    assert "(to be told from" in page
    lone = head.get("/impact?since=2025-10-02").text
    assert 'name="until" type="date" value="2026-02-28"' in lone
    made = head.get("/api/v1/reports/impact").json()
    assert (made["since"], made["until"]) == ("2025-03-01", "2025-08-31")


def test_the_command_lists_them_and_reminds_without_a_name(here: Run, running: Any, small: SmallSchool) -> None:
    moves(small, "Tom", date(2026, 3, 16))
    listed = here("due", "--school", small.school_id)[1]
    assert EDUCATIONAL_RECORD.source.split(",")[0] in listed
    said = here("due", "--reminder", "--school", small.school_id)[1]
    assert said == "3 duties of the school are due, 3 of them overdue. Sign in to see which.\n"
