"""Accreditation from the evidence to the public register: who may, what is shown, how a badge is checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from astrack.accreditation import Accrediting
from domain import accreditation
from tests.support.pages import forms

ORIGIN = {"Origin": "https://astrack.test"}
GOOD = accreditation.Practice((95, 100), (50, 52), (3, 3), (7, 7), (30, 33), (20, 21), (4, 4), (2, 3))


def send(browser: Any, page: Any, action: str, **values: Any) -> Any:
    found = next(one for one in forms(page) if one.action.endswith(action) and one.method == "post")
    return browser.post(found.action, data={**found.values, **values}, headers=ORIGIN)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of good practice: the counting itself is tried elsewhere."""
    monkeypatch.setattr(Accrediting, "practice", lambda self, today: GOOD)


def awarded(school: Any) -> str:
    outside = school.as_("accreditor")
    page = outside.get("/accreditation")
    done = send(outside, page, "/awards", accreditor="Dr Outside, Northern Practice Trust", interests="none")
    assert "on the public register" in done.text, done.text
    return next(iter(Accrediting(school.app, school.records).state().awards)).hex


def test_what_the_record_does_not_show_is_not_awarded(school: Any) -> None:
    outside = school.as_("accreditor")
    page = outside.get("/accreditation")
    assert "nothing to count yet" in page.text
    refused = send(outside, page, "/awards", accreditor="Dr Outside", interests="none")
    assert refused.status_code == 409
    assert "does not show noticing yet" in refused.text
    assert Accrediting(school.app, school.records).state().awards == {}


def test_an_award_goes_to_the_public_register_and_its_badge_is_checked_by_anybody(school: Any, shown: None) -> None:
    award_id = awarded(school)
    anybody = school.client()
    assert "Mill Lane Primary" in anybody.get("/register").text
    path = f"/register/{school.school_id}"
    entry = anybody.get(f"{path}/{award_id}").text
    assert "The award stands." in entry
    assert "Wishes to talk were taken up: shown (fewer than 10, not counted in public)" in entry
    assert "half a year: 2 of 3" in entry
    token = anybody.get(f"{path}/{award_id}/badge").text
    good = send(anybody, anybody.get("/register"), "/check", badge=token)
    assert "<strong>Good.</strong>" in good.text
    bad = send(anybody, anybody.get("/register"), "/check", badge=token[:-6] + "AAAAAA")
    assert bad.status_code == 422
    assert "altered" in bad.text
    assert anybody.get(f"{path}/key").json()["kid"] == f"https://astrack.test{path}/key"
    assert anybody.get(f"{path}/issuer").json()["id"] == f"https://astrack.test{path}/issuer"


def test_a_revoked_award_says_so_in_public_and_on_the_signed_list(school: Any, shown: None) -> None:
    from transfer import badge

    award_id = awarded(school)
    anybody, path = school.client(), f"/register/{school.school_id}"
    token = anybody.get(f"{path}/{award_id}/badge").text
    outside = school.as_("accreditor")
    gone = send(outside, outside.get("/accreditation"), "/revoke", why="The records were not as shown.")
    assert "The award is revoked" in gone.text
    assert "was revoked" in anybody.get(f"{path}/{award_id}").text
    said = send(anybody, anybody.get("/register"), "/check", badge=token)
    assert "the award was revoked" in said.text
    key = Accrediting(school.app, school.records).key().public_key()
    listed = badge.check(anybody.get(f"{path}/status").text, key)
    index = int(badge.claimed(token)["credentialStatus"]["statusListIndex"])
    assert badge.is_revoked(listed, index)


def test_an_award_expires_by_itself(school: Any, shown: None) -> None:
    award_id = awarded(school)
    at = school.clock.at
    school.clock.at += timedelta(days=731)
    try:
        assert "has expired" in school.client().get(f"/register/{school.school_id}/{award_id}").text
    finally:
        school.clock.at = at


def test_a_school_without_an_award_is_not_named_in_public(neighbour: Any) -> None:
    anybody = neighbour.client()
    answers = [anybody.get(f"/register/{one}/status") for one in (neighbour.school_id, neighbour.pupil)]
    assert [one.status_code for one in answers] == [404, 404]
    assert str(neighbour.school_id) not in anybody.get("/register").text


def test_head_and_lead_see_the_evidence_and_award_nothing(school: Any, shown: None) -> None:
    for role in ("head", "lead_practitioner"):
        text = school.as_(role).get("/accreditation").text
        assert "All four are shown." in text
        assert 'action="/accreditation/awards"' not in text
    assert school.as_("tutor").get("/accreditation").status_code == 403


def test_the_register_reads_a_school_again_only_when_its_log_has_grown(
    school: Any, shown: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    awarded(school)
    read: list[UUID] = []
    whole = Accrediting.registered
    monkeypatch.setattr(Accrediting, "registered", lambda self, on: read.append(self.school_id) or whole(self, on))
    anybody = school.client()
    anybody.get("/register")
    read.clear()
    assert "stands" in anybody.get("/register").text
    assert read == []
    outside = school.as_("accreditor")
    send(outside, outside.get("/accreditation"), "/revoke", why="The records were not as shown.")
    read.clear()
    assert "was revoked" in anybody.get("/register").text
    assert read == [school.school_id]
