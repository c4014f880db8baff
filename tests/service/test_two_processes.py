"""What one process does holds in every other at once: two services over one database, sharing nothing in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astrack.access.sessions import HERE
from astrack.app import App
from astrack.changing import Ask
from astrack.server.site import build
from astrack.settings import Settings
from astrack.store import Store
from domain.base import Actor

WHY = "because somebody asked for it"


@pytest.fixture(scope="module")
def elsewhere(settings: Settings, clock: Any) -> Iterator[FastAPI]:
    """The service as another process has it: a store, keys and caches of its own."""
    with Store.open(settings) as store:
        yield build(App(replace(settings), store, clock))


def beside(browser: TestClient, elsewhere: FastAPI) -> TestClient:
    """The same browser, answered by the other process."""
    return TestClient(elsewhere, base_url=str(browser.base_url), cookies=browser.cookies, raise_server_exceptions=False)


def office() -> Ask:
    return Ask(Actor(id=uuid4(), role="administrator"), str(uuid4()))


def test_a_session_ends_everywhere(school: Any, elsewhere: FastAPI) -> None:
    other = beside(school.as_("tutor"), elsewhere)
    assert other.get("/api/v1/me").status_code == 200
    school.site.state.sessions.revoke(school.school_id, school.staff["tutor"])
    assert other.get("/api/v1/me").status_code == 401


def test_a_role_that_was_taken_away_is_gone_everywhere(school: Any, elsewhere: FastAPI) -> None:
    other, staff_id = beside(school.as_("dsl"), elsewhere), school.staff["dsl"]
    assert other.get(f"/api/v1/pupils/{school.pupil}").status_code == 200
    (grant_id,) = school.records.staff_state(staff_id).grants
    school.records.withdraw_role(office(), staff_id, grant_id=grant_id)
    assert other.get(f"/api/v1/pupils/{school.pupil}").status_code == 403


def test_wrong_tries_are_counted_together(school: Any, elsewhere: FastAPI) -> None:
    one, other = school.client(), beside(school.client(), elsewhere)
    wrong = {"school_id": str(school.school_id), "code": "BBBB-BBBB-BBBB-BBBB"}
    said = [browser.post("/api/v1/sign-in", json=wrong).status_code for browser in (one, other) * int(HERE.burst / 2)]
    assert set(said) == {401}
    assert other.post("/api/v1/sign-in", json=wrong).status_code == 429


def test_a_pupil_whose_record_was_erased_is_not_here_in_any_process(school: Any, elsewhere: FastAPI) -> None:
    other = beside(school.as_("dsl"), elsewhere)
    assert other.get(f"/api/v1/pupils/{school.far}").status_code == 200
    by = Ask(Actor(id=school.staff["dpo"], role="dpo"), "decide")
    school.records.review_retention(by, school.far, decision="erase", until_on=None, why=WHY)
    school.records.erase_pupil(Ask(Actor(id=school.staff["dsl"], role="dsl"), "erase"), school.far)
    for path in ("", "/identity", "/timeline"):
        assert other.get(f"/api/v1/pupils/{school.far}{path}").status_code == 404, path


def test_a_round_opened_in_one_process_is_sat_in_another_at_once(school: Any, elsewhere: FastAPI) -> None:
    reader = beside(school.as_("pupil"), elsewhere)
    assert "no questions" in reader.get("/sit/next").text
    today: date = school.clock().date()
    school.records.open_round(
        office(), round_id=uuid4(), name="Autumn", opens_on=today, closes_on=today + timedelta(days=5), year_groups=[5]
    )
    assert "/sit/answer" in reader.get("/sit/next").text
