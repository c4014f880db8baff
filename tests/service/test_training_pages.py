"""Training, the practice school and guidance as people meet them: pages, API, and the gate between them and real data."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from astrack import practice
from astrack.records.support import Support
from domain import training
from domain.staff import FIRST_MODULE
from tests.support.pages import forms

ORIGIN = {"Origin": "https://astrack.test"}


def newcomer(world: Any, fresh_key: Any, role: str = "tutor") -> tuple[Any, UUID]:
    office, staff_id = world.as_("administrator"), uuid4()
    office.post("/api/v1/staff", json={"staff_id": str(staff_id), "name": "Una"}, headers=fresh_key())
    grant = {"grant_id": str(uuid4()), "role": role, "scope": {"everyone": True}}
    office.post(f"/api/v1/staff/{staff_id}/roles", json=grant, headers=fresh_key())
    code = office.post(f"/api/v1/staff/{staff_id}/invitation", headers=fresh_key()).json()["secret"]
    return world.sign_in(code), staff_id


def send(browser: Any, page: Any, action: str, **values: Any) -> Any:
    found = next(one for one in forms(page) if one.action.endswith(action) and one.method == "post")
    return browser.post(found.action, data={**found.values, **values}, headers=ORIGIN)


def right(world: Any, staff_id: UUID, wrong: int = 0) -> dict[str, int]:
    drawn = Support(world.records).drawn(staff_id, FIRST_MODULE)
    return {item.id: (item.right + (n < wrong)) % len(item.option) for n, (item, _) in enumerate(drawn)}


def test_the_gate_opens_with_the_first_module_and_every_answer_is_explained(school: Any, fresh_key: Any) -> None:
    browser, staff_id = newcomer(school, fresh_key)
    pupil = f"/pupils/{school.pupil}"
    refused = browser.get(pupil)
    assert refused.status_code == 403
    assert 'href="/training"' in refused.text
    page = browser.get(f"/training/{FIRST_MODULE}")
    failed = send(browser, page, FIRST_MODULE, **right(school, staff_id, wrong=5))
    assert "That is not enough yet" in failed.text
    assert failed.text.count("<strong>Best:</strong>") == 5
    again = browser.get(f"/training/{FIRST_MODULE}")
    asked = [set(re.findall(r'name="(fs\.[a-z0-9-]+)"', one.text)) for one in (page, again)]
    assert asked[0] and not asked[0] & asked[1], "a retake draws new questions"
    for _ in range(3):
        last = send(browser, browser.get(f"/training/{FIRST_MODULE}"), FIRST_MODULE, **right(school, staff_id))
        if "That is enough" in last.text:
            break
    assert "real records are open to you now" in last.text
    assert browser.get(pupil).status_code == 200
    assert "likely between" in browser.get("/training").text


def test_questions_left_out_are_counted_and_nothing_is_recorded(school: Any, fresh_key: Any) -> None:
    browser, staff_id = newcomer(school, fresh_key)
    answer = send(browser, browser.get(f"/training/{FIRST_MODULE}"), FIRST_MODULE)
    assert answer.status_code == 422
    assert "6 of 6 questions have no answer yet" in answer.text
    assert Support(school.records).attempts(staff_id) == []


def test_the_api_asks_and_explains_like_the_page(school: Any, fresh_key: Any) -> None:
    browser, staff_id = newcomer(school, fresh_key)
    asked = browser.get(f"/api/v1/training/{FIRST_MODULE}").json()["questions"]
    answers = right(school, staff_id, wrong=1)
    assert {one["id"] for one in asked} == set(answers)
    told = browser.post(
        f"/api/v1/training/{FIRST_MODULE}/attempts", json={"answers": answers}, headers=fresh_key()
    ).json()
    assert (told["right"], told["of"], len(told["explained"])) == (5, 6, 6)
    assert browser.get("/api/v1/training").json()["levels"][0]["answers"] == 6
    stale = browser.post(f"/api/v1/training/{FIRST_MODULE}/attempts", json={"answers": answers}, headers=fresh_key())
    assert stale.json()["type"].endswith("answers-incomplete")


def test_the_lead_sees_everybodys_level(school: Any) -> None:
    text = school.as_("lead_practitioner").get("/training/people").text
    assert "Quentin tutor" in text
    assert "First steps" in text


def test_the_practice_school_is_open_before_the_gate_and_keeps_nothing(school: Any, fresh_key: Any) -> None:
    browser, _ = newcomer(school, fresh_key)
    before = school.records.log.size()
    assert browser.get("/practice").text.count('scope="row"') == len(practice.STORIES)
    page = browser.get("/practice/3/plan?about=trust_of_self.low.school")
    chosen = {
        name: re.findall(f'name="{name}" value="([^"]+)"', page.text)[:1] for name in ("cause", "risk", "signpost")
    }
    skipped = send(browser, page, "/plan", cause=chosen["cause"], signpost=chosen["signpost"])
    assert "at least one risk" in skipped.text
    done = send(browser, page, "/plan", **chosen)
    assert "This plan would stand" in done.text
    assert "3 decisions" in done.text
    assert school.records.log.size() == before
    assert browser.get("/practice/99").status_code == 422


def test_a_practice_class_is_the_same_for_one_person_and_another_for_the_next(school: Any) -> None:
    today = school.clock().date()
    one, two = (practice.pupils.__wrapped__(UUID(int=n), today) for n in (1, 2))
    again = practice.pupils.__wrapped__(UUID(int=1), today)
    assert [pupil.facts for pupil in again] == [pupil.facts for pupil in one]
    assert [pupil.journey.sittings[0].values for pupil in one] != [pupil.journey.sittings[0].values for pupil in two]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_true_of_practice_pupils_mostly_shows_in_their_signs(seed: int, school: Any) -> None:
    found = {one.truth[:12]: one for one in practice.pupils(UUID(int=100 + seed), school.clock().date())}
    kinds = {truth: {flag.raised.kind for flag in one.journey.flags.values()} for truth, one in found.items()}
    assert "polar" in kinds["Far out on t"]
    assert "priority" in kinds["Two factors "]
    assert "response_quality" in kinds["Answered the"]
    assert not kinds["Near the mid"] & {"priority"}


def test_the_lead_adds_an_entry_which_tutors_are_offered_until_it_is_retired(school: Any) -> None:
    lead, tutor = school.as_("lead_practitioner"), school.as_("tutor")
    place = "/guidance?about=trust_of_self.low.school&age=8-11"
    says = {"say": "Too little sleep before tests.", "kind": "cause"}
    assert "is offered in plans" in send(lead, lead.get(place), "/guidance", **says).text
    wizard = f"/pupils/{school.pupil}/plan?about=trust_of_self.low.school"
    assert says["say"] in tutor.get(wizard).text
    page = lead.get(place)
    own = re.search(r'name="entry_id" value="(own\.[0-9a-f]+)"', page.text)
    assert own is not None
    assert "is offered no more" in send(lead, page, "/guidance/retire", entry_id=own[1]).text
    assert says["say"] not in tutor.get(wizard).text
    assert "this school's own" not in lead.get(place).text


def test_the_lead_says_who_reviewed_an_entry_and_everybody_is_told(school: Any) -> None:
    lead, place = school.as_("lead_practitioner"), "/guidance?about=flat&age=8-11"
    page = lead.get(place)
    assert "not yet reviewed outside" in page.text
    assert "Reviewed for this school" not in page.text
    says = {"entry_id": "fl.careful-child", "reviewer": "Dr Lee", "reviewed_on": "2026-10-01"}
    answer = send(lead, page, "/guidance/review", **says)
    assert "It is on record who reviewed it" in answer.text
    tutor = school.as_("tutor")
    assert tutor.get(place).text.count("Reviewed for this school by Dr Lee, 1 October 2026.") == 1
    assert "not yet reviewed outside" in tutor.get(f"/pupils/{school.pupil}/plan?about=flat").text
    entries = tutor.get("/api/v1/guidance?factor=flat&age=8-11").json()["entries"]
    assert {one["reviewed_by"] for one in entries if one["id"] == "fl.careful-child"} == {"Dr Lee"}
    late = send(lead, lead.get(place), "/guidance/review", **{**says, "reviewed_on": "2036-10-01"})
    assert late.status_code == 422
    assert "still to come" in late.text


def test_a_place_that_would_be_left_too_thin_keeps_its_entry(school: Any) -> None:
    lead = school.as_("lead_practitioner")
    place = "/guidance?about=trust_of_self.low.school&age=8-11"
    for _ in range(8):
        page = lead.get(place)
        first = re.findall(r'name="entry_id" value="([a-z][^"]+\.[^"]+)"', page.text)[0]
        answer = send(lead, page, "/guidance/retire", entry_id=first)
        if answer.status_code == 409:
            break
    assert "has fewer than 3" in answer.text


def test_modules_share_one_scale_and_have_twice_the_items_a_form_draws() -> None:
    for one in training.modules().values():
        assert len(one.item) >= 2 * one.draw
