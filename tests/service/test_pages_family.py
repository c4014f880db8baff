"""The pages about a family: relations and court orders with their dates, and what parents are shown of an account."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


@pytest.fixture(scope="module")
def dsl(pages: FastAPI, small: SmallSchool) -> Reader:
    return Reader(pages, small, "dsl")


def path(small: SmallSchool, name: str = "Mia") -> str:
    return f"/pupils/{small.pupils[name]}/family"


def test_a_parent_sees_what_was_released_as_it_stood_then_and_no_more_once_it_is_withdrawn(
    pages: FastAPI, small: SmallSchool, dsl: Reader
) -> None:
    family = Reader(pages, small, "family")
    assert "Nothing has been shared here yet" in family.get("/family").text
    assert family.get("/family/account").status_code == 403
    page = dsl.send(dsl.get(path(small)), "/family/release", words="We are proud of Mia.", agreed="yes")
    assert "Verified parents see the account from now on" in page.text and "The pupil agreed." in page.text
    small.clock.at += timedelta(minutes=1)
    small.records.ask_to_talk(small.ask("pupil"), small.pupils["Mia"], talk_id=small.app.new_id())
    shown = family.get("/family").text
    assert "We are proud of Mia." in shown and "/family/account" in shown
    account = family.get("/family/account")
    assert account.status_code == 200 and "Sat the questions" in account.text
    assert "to talk" not in account.text, "what is recorded after a release is not in it"
    assert "Early sign" not in account.text and "flag" not in account.text.partition("<main")[2].partition("legend")[0]
    told = family.client.get(f"/api/v1/pupils/{small.pupils['Mia']}/story").json()
    assert told and all(one["what"] != "talk" for one in told)
    assert "no longer" in dsl.send(dsl.get(path(small)), "/family/withdraw").text
    assert family.get("/family/account").status_code == 403
    assert "Nothing has been shared here yet" in family.get("/family").text


def test_a_parent_is_told_who_looked_but_not_whom_safeguarding_and_family_are(
    pages: FastAPI, small: SmallSchool, dsl: Reader
) -> None:
    mia, family = small.pupils["Mia"], Reader(pages, small, "family")
    assert "Nobody at the school has looked yet" in family.get("/family").text
    Reader(pages, small, "tutor").get(f"/pupils/{mia}")
    dsl.get(f"/pupils/{mia}")
    Reader(pages, small, "Mia").get("/me")
    card = family.get("/family").text.partition("<h2>Who looked</h2>")[2].partition("</ul>")[0]
    assert re.findall(r"<li>[^<]*: ([^<]*) \(2 times\)</li>", card) == ["tutor, teaching and care"]
    told = family.client.get(f"/api/v1/pupils/{mia}/looks").json()
    assert {(one["role"], one["purpose"]) for one in told} == {("tutor", "teaching_and_care")}
    assert family.client.get(f"/api/v1/pupils/{small.pupils['Tom']}/looks").status_code == 404


def test_a_letter_to_nobody_verified_does_not_tell_who_looked(pages: FastAPI, small: SmallSchool) -> None:
    anybody = Reader(pages, small)
    code = pages.state.sessions.credentials(small.school_id).letter(small.app.new_id(), small.pupils["Mia"])
    anybody.send(anybody.get("/sign-in"), "/sign-in", school=str(small.school_id), code=code)
    assert "Who looked" not in anybody.get("/family").text
    assert anybody.client.get(f"/api/v1/pupils/{small.pupils['Mia']}/looks").status_code == 403


def test_nothing_is_released_where_nobody_stands_and_the_words_are_kept(small: SmallSchool, dsl: Reader) -> None:
    refused = dsl.send(dsl.get(path(small, "Tom")), "/family/release", words="Kept words.")
    assert refused.status_code == 409 and "no verified parent" in refused.text and "Kept words." in refused.text


def test_a_court_order_shuts_a_parent_out_from_that_moment_and_shows_its_dates(
    pages: FastAPI, small: SmallSchool, dsl: Reader
) -> None:
    office = Reader(pages, small, "administrator")
    today = small.clock().date().isoformat()
    page = office.send(
        office.get(path(small, "Ewan")), "/family/relation", relation_name="Ann Castell", relation_kind="carer",
        relation_from="2025-09-01", verified_on=today, proof="care plan",
    )  # fmt: skip
    assert "since 1 September 2025" in page.text and "verified" in page.text and "care plan, seen" in page.text
    (relation_id,) = small.records.family(small.pupils["Ewan"]).relations
    letter = office.send(office.get(path(small, "Ewan")), "/family/letter").text
    (code,) = re.findall(r'class="ticket-code">([^<]+)<', letter)
    assert "Ann Castell, about Ewan" in letter
    parent = Reader(pages, small)
    parent.send(parent.get("/sign-in"), "/sign-in", school=str(small.school_id), code=code)
    assert "taking part" in parent.get("/family").text
    page = dsl.send(
        dsl.get(path(small, "Ewan")), "/family/order", order_kind="no_contact", limits="information",
        towards=str(relation_id), order_from=today, reference="CO-2041",
    )  # fmt: skip
    assert "told nothing, by court order" in page.text and "kept as CO-2041" in page.text
    assert parent.get("/family").url.path == "/sign-in"
    ended = dsl.send(dsl.get(path(small, "Ewan")), "/family/end-order", ends_on=today)
    assert "That order ends" in ended.text and f"until {int(today[8:])}" in ended.text


def test_an_order_against_nobody_named_is_refused_and_what_was_typed_is_kept(small: SmallSchool, dsl: Reader) -> None:
    page = dsl.send(
        dsl.get(path(small, "Tom")), "/family/order", limits="information", order_from="2026-01-05", reference="CO-7"
    )
    assert page.status_code == 404 and "say whom the order keeps information from" in page.text.lower()
    assert 'value="CO-7"' in page.text and re.search(r"<details open><summary>Record an order", page.text)


@pytest.mark.parametrize("who", ["tutor", "head", "auditor", "dpo", "Mia"])
def test_others_do_not_see_who_speaks_for_a_pupil(pages: FastAPI, small: SmallSchool, who: str) -> None:
    assert Reader(pages, small, who).get(path(small)).status_code in (403, 404)
