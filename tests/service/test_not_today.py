""" "Not today", said by a pupil or for them: on record, counted apart from who is absent, and without consequence."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from domain import instrument
from domain.journey.facts import NotTodaySaid
from domain.journey.refusals import NotInRound
from domain.round import RoundAlreadyClosed, RoundClosed, RoundNotOpenYet
from domain.scope import Scope
from projections import round_progress
from projections.round_progress import Progress
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

EVERYBODY = Scope(everyone=True)


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


def said(small: SmallSchool, name: str) -> list[NotTodaySaid]:
    _, facts = small.records.journey(small.pupils[name])
    return [fact.event for fact in facts if isinstance(fact.event, NotTodaySaid)]


def counts(small: SmallSchool) -> Progress:
    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        found = round_progress.rounds(cur, small.school_id, EVERYBODY)
    return next(one for one in found if one.round_id == small.open_round)


def left(small: SmallSchool) -> dict[UUID, date | None]:
    with small.app.views.reading(small.school_id) as cur:
        found = round_progress.still_to_sit(cur, small.school_id, small.open_round, EVERYBODY)
    return {one.pupil.pupil_id: one.not_today_on for one in found}


def test_a_pupil_says_it_on_the_first_page_is_told_that_it_is_fine_and_may_sit_later(
    pages: FastAPI, small: SmallSchool
) -> None:
    before = counts(small)
    signs = dict(small.records.journey(small.pupils["Ewan"])[0].flags)
    for _ in range(2):
        reader = Reader(pages, small, "Ewan")
        answer = reader.send(reader.get("/sit"), "/sit/not-today")
        assert "nobody is cross" in answer.text and reader.get("/sit").url.path == "/sign-in"
    (one,) = said(small, "Ewan")
    assert (one.round_id, one.by.role, one.by.id) == (small.open_round, "pupil", small.pupils["Ewan"])
    after = counts(small)
    assert (after.sat, after.not_today, after.absent) == (before.sat, before.not_today + 1, before.absent - 1)
    assert small.records.journey(small.pupils["Ewan"])[0].flags == signs
    reader = Reader(pages, small, "Ewan")
    assert "Step 1" in reader.send(reader.send(reader.get("/sit"), "/sit/begin"), "/sit/answer", answer="3").text


def test_a_tutor_says_it_for_a_pupil_beside_who_is_absent_and_it_goes_once_they_have_sat(
    pages: FastAPI, small: SmallSchool
) -> None:
    tutor, tom = Reader(pages, small, "tutor"), small.pupils["Tom"]
    page = tutor.get("/rounds")
    assert "Spring 2026" in page.text and "Says not today<span" in page.text and "Has not sat yet" in page.text
    page = tutor.send(page, f"/rounds/{small.open_round}/pupils/{tom}/not-today")
    assert "They may sit on any later day" in page.text and "Said not today on 18 March 2026" in page.text
    assert f"pupils/{tom}/not-today" not in page.text, "it need not be said again on the same day"
    assert left(small)[tom] == date(2026, 3, 18)
    (one,) = said(small, "Tom")
    assert one.by.role == "tutor"
    absentees = tutor.get(f"/api/v1/rounds/{small.open_round}/absentees").json()
    days = {one["pupil_id"]: one["not_today_on"] for one in absentees}
    assert days[str(tom)] == "2026-03-18" and None in days.values()
    (line,) = [one for one in tutor.get("/api/v1/rounds").json() if one["round_id"] == str(small.open_round)]
    assert line["expected"] == line["sat"] + line["not_today"] + line["absent"] and line["not_today"] == 2
    assert "Noted for the pupil by the tutor." in tutor.get(f"/pupils/{tom}").text
    items = {item: 3 + n % 2 for n, item in enumerate(items_of(small))}
    small.records.hand_in(
        small.ask("pupil"), tom, sitting_id=uuid4(), round_id=small.open_round, on=date(2026, 3, 18), answers=items
    )
    assert counts(small).not_today == 1 and tom not in left(small)
    answer = tutor.post(f"/rounds/{small.open_round}/pupils/{tom}/not-today", token="")
    assert answer.status_code == 422


def items_of(small: SmallSchool) -> list[str]:
    opened = small.records.round_state(small.open_round).opened
    assert opened
    return [item.id for item in instrument.load(opened.instrument, opened.instrument_version).items]


def test_a_pupil_reads_in_their_own_story_that_they_said_it_and_parents_do_not(
    pages: FastAPI, small: SmallSchool
) -> None:
    small.records.say_not_today(small.ask("pupil"), small.pupils["Mia"], round_id=small.open_round)
    mia = Reader(pages, small, "Mia")
    assert "You said: not today. Nothing follows from it." in mia.get("/me").text
    mine = mia.get(f"/api/v1/pupils/{small.pupils['Mia']}/story").json()
    assert "not_today" in [one["what"] for one in mine]
    family = Reader(pages, small, "family")
    small.records.release_account(
        small.ask("dsl"), small.pupils["Mia"], release_id=uuid4(), agreed_with_pupil=True, words=""
    )
    account = family.get("/family/account")
    assert account.status_code == 200 and "Sat the questions" in account.text and "Not today" not in account.text
    told = family.client.get(f"/api/v1/pupils/{small.pupils['Mia']}/story").json()
    assert told and "not_today" not in [one["what"] for one in told]


def test_it_is_said_only_while_the_round_is_open_for_this_pupil(small: SmallSchool) -> None:
    today = small.clock().date()
    for opens, closes, years, refused in (
        (today + timedelta(days=1), today + timedelta(days=9), (10,), RoundNotOpenYet),
        (today - timedelta(days=9), today - timedelta(days=1), (10,), RoundAlreadyClosed),
        (today, today, (9,), NotInRound),
    ):
        round_id = uuid4()
        small.records.open_round(
            small.ask(), round_id=round_id, name="Another", opens_on=opens, closes_on=closes, year_groups=years
        )
        with pytest.raises(refused):
            small.records.say_not_today(small.ask("tutor"), small.pupils["Sam"], round_id=round_id)
    assert said(small, "Sam") == []


def test_how_many_of_a_class_were_offered_it_once_more_is_counted_and_withheld_while_few_have_sat(
    pages: FastAPI, small: SmallSchool
) -> None:
    def offered(least: int) -> list[round_progress.AskedAgain]:
        small.app.views.catch_up(small.school_id)
        with small.app.views.reading(small.school_id) as cur:
            rounds = [small.open_round]
            made = round_progress.asked_again(cur, small.school_id, rounds, EVERYBODY, "tutor group", least)
        return made[small.open_round]

    ((name, sat, again),) = offered(1)
    all_alike = dict.fromkeys(items_of(small), 4)
    small.records.hand_in(
        small.ask("pupil"), small.pupils["Kofi"], sitting_id=uuid4(), round_id=small.open_round, on=date(2026, 3, 18),
        answers=all_alike,
    )  # fmt: skip
    assert sat is not None and again is not None
    assert offered(1) == [(name, sat + 1, again + 1)] and name == "10B"
    assert offered(10) == [("10B", None, None)]
    assert "10B: fewer than 10 sat" in Reader(pages, small, "administrator").get("/setup").text


def test_a_round_is_closed_with_how_many_said_not_today(pages: FastAPI, small: SmallSchool) -> None:
    office, before = Reader(pages, small, "administrator"), counts(small)
    page = office.get("/setup")
    assert f"{before.not_today} said not today, {before.absent} still to sit" in page.text
    office.send(page, f"/setup/rounds/{small.open_round}/close")
    closed = [fact.event for fact in small.records.log.load(small.open_round).facts][-1]
    assert isinstance(closed, RoundClosed)
    assert (closed.expected, closed.sat, closed.not_today) == (before.expected, before.sat, before.not_today)
    tutor = Reader(pages, small, "tutor")
    assert "Has not sat yet" not in tutor.get("/rounds").text
