"""A plan about every kind of sign there is: through the page, with what helped before, for a group, and in the API."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from astrack.settings import Settings
from astrack.store import Store
from domain import guidance, instrument, risk
from domain.guidance import aims
from domain.risk import words
from tests.support.pages import Reader, offered, served
from tests.support.small_school import SmallSchool, build, raise_sign

COMPOSITES = [f"composite_{one.name}" for one in instrument.newest().composites]
Sign = dict[str, str | None]


def sign(
    kind: str, factor: str | None = None, context: str | None = None, pole: str | None = None, says: str = ""
) -> Sign:
    return {"kind": kind, "factor": factor, "context": context, "pole": pole, "reason": says or f"A sign of {kind}."}


TWO_ENDS = words.priority([("trust_of_self", "low"), ("seeking_change", "high")], 0.8, None)
SIGNS: dict[str, Sign] = {
    "priority": sign("priority", says=TWO_ENDS),
    "worsening": sign("worsening", "self_disclosure", "school", "low"),
    "both_contexts": sign("both_contexts", "trust_of_others", None, "high"),
    **{one: sign(one, context="school") for one in COMPOSITES},
    "polar": sign("polar", "seeking_change", "general", "low"),
    "context_gap": sign("context_gap", "trust_of_others", None, "low"),
    "unsettled": sign("unsettled"),
    "flat": sign("flat"),
}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=2)


@pytest.fixture(scope="module")
def tutor(small: SmallSchool) -> Reader:
    return Reader(served(small), small, "tutor")


def begun(tutor: Reader, path: str) -> Any:
    """A plan begun with the first choice of each step."""
    page = tutor.get(path)
    chosen = {name: offered(page, name) for name in ("cause", "risk", "signpost")}
    return tutor.send(page, path.partition("?")[0].rpartition("/")[2], **chosen)


def test_every_kind_but_the_one_about_the_sitting_is_tried_here() -> None:
    assert set(SIGNS) == {*risk.KINDS, *COMPOSITES} - {"response_quality"}


@pytest.mark.parametrize("kind", SIGNS)
def test_a_plan_is_made_about_a_sign_of_every_kind(tutor: Reader, small: SmallSchool, kind: str) -> None:
    pupil = small.pupils["Lowri"]
    flag_id = raise_sign(small, pupil, seen=True, **SIGNS[kind])
    link = f"/pupils/{pupil}/plan?flag={flag_id}"
    assert (f'href="{link}"' in tutor.get(f"/pupils/{pupil}").text) is risk.makes_work(kind)
    answer = begun(tutor, link)
    assert "The plan has begun" in answer.text
    assert "several things" not in answer.text
    plan = list(small.records.journey(pupil)[0].plans.values())[-1].opened
    named = SIGNS[kind]
    assert (plan.factor, plan.context, plan.pole) == (named["factor"], named["context"], named["pole"])
    assert plan.flags == (flag_id,)
    aim = aims.of_sign(kind, named["factor"], named["context"], named["pole"], named["reason"] or "")
    assert aim is not None
    fit = guidance.load().fit(aim.places, "14-18")
    assert plan.causes == (fit.causes[0].id,)
    assert plan.signposts[0] in {one.id for one in fit.signposts}


def test_a_sign_about_a_sitting_leads_to_guidance_about_the_sitting_and_not_to_a_plan(
    tutor: Reader, small: SmallSchool
) -> None:
    pupil = small.pupils["Priya"]
    flag_id = raise_sign(small, pupil, **sign("response_quality"))
    page = tutor.get(f"/pupils/{pupil}")
    assert f"plan?flag={flag_id}" not in page.text
    assert "/guidance?about=response_quality" in page.text
    assert "One calm second try in a small group" in tutor.get("/guidance?about=response_quality").text


def test_what_helped_with_a_composite_before_is_said_and_comes_first(tutor: Reader, small: SmallSchool) -> None:
    pupil = small.pupils["Aisha"]
    link = f"/pupils/{pupil}/plan?flag={raise_sign(small, pupil, **SIGNS['composite_full_sail'])}"
    page = tutor.get(link)
    last = re.findall('name="signpost" value="([^"]+)"', page.text)[-1]
    chosen = {name: offered(page, name) for name in ("cause", "risk")}
    tutor.send(tutor.send(page, "/plan", **chosen, signpost=[last]), "/close", came="helped", note="")
    again = tutor.get(link)
    assert offered(again, "signpost") == [last]
    assert "Tried once with this pupil, said to have helped once" in again.text
    assert "Tried before" in again.text


def test_pupils_who_share_a_composite_share_a_plan_each_with_their_own_sign(tutor: Reader, small: SmallSchool) -> None:
    signs = {small.pupils[name]: raise_sign(small, small.pupils[name], seen=True, **SIGNS["composite_open_gate"])
             for name in ("Kofi", "Tom")}  # fmt: skip
    page = tutor.get("/plans/group?about=composite_open_gate.school")
    assert "Sam Whitlock" not in page.text
    chosen = {name: offered(page, name) for name in ("cause", "risk", "signpost")}
    answer = tutor.send(page, "/plans/group", pupil=[str(one) for one in signs], **chosen)
    assert "has begun for every pupil" in answer.text
    plans = {pupil: list(small.records.journey(pupil)[0].plans.values())[-1].opened for pupil in signs}
    assert {pupil: plan.flags for pupil, plan in plans.items()} == {pupil: (flag,) for pupil, flag in signs.items()}


@pytest.mark.parametrize("kind", SIGNS)
def test_the_api_gives_guidance_and_takes_a_plan_for_every_kind(shared_school: Any, fresh_key: Any, kind: str) -> None:
    tutor, named = shared_school.as_("tutor"), SIGNS[kind]
    aim = aims.of_sign(kind, named["factor"], named["context"], named["pole"], named["reason"] or "")
    assert aim is not None
    place = {name: one for name, one in zip(("factor", "pole", "context"), aim.places[0], strict=True) if one}
    found = tutor.get("/api/v1/guidance", params={**place, "age": "8-11"}).json()
    steps = {
        step: [one["id"] for one in found["entries"] if one["kind"] == step] for step in ("cause", "risk", "signpost")
    }
    assert min(map(len, steps.values())) >= 3
    assert found["review"] == "makers"
    plan = {
        "plan_id": str(uuid4()), "goal": "Does one thing with somebody", "causes": steps["cause"][:1],
        "risks": steps["risk"][:1], "signposts": steps["signpost"][:1], "owner_id": str(shared_school.staff["tutor"]),
        "start_on": "2026-11-02", "end_on": "2026-12-14",
        **{name: named[name] for name in ("factor", "context", "pole")},
    }  # fmt: skip
    answer = tutor.post(f"/api/v1/pupils/{shared_school.pupil}/plans", json=plan, headers=fresh_key())
    assert answer.status_code == 200, answer.text


def test_the_api_refuses_guidance_about_what_has_no_place(shared_school: Any) -> None:
    answer = shared_school.as_("tutor").get("/api/v1/guidance", params={"factor": "polar", "age": "8-11"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/v1/problems/guidance-wrong")


def test_a_goal_that_says_what_will_be_gone_is_asked_about_once_and_nothing_is_kept_meanwhile(
    tutor: Reader, small: SmallSchool
) -> None:
    pupil = small.pupils["Ewan"]
    page = tutor.get(f"/pupils/{pupil}/plan?about=trust_of_self.low.school")
    assert "Keep my words" not in page.text
    chosen = {name: offered(page, name) for name in ("cause", "risk", "signpost")}
    before = small.records.log.size()
    asked = tutor.send(page, "/plan", **chosen, goal="Stops asking before each step")
    assert asked.status_code == 422
    assert "The goal says &#34;stop" in asked.text and "Asks for help when stuck" in asked.text
    assert 'value="Stops asking before each step"' in asked.text
    assert small.records.log.size() == before
    kept = tutor.send(asked, "/plan", **chosen, goal="Stops asking before each step", keep_words="yes")
    assert "The plan has begun" in kept.text


def test_the_api_asks_about_the_goal_too(shared_school: Any, fresh_key: Any) -> None:
    tutor, path = shared_school.as_("tutor"), f"/api/v1/pupils/{shared_school.pupil}/plans"
    plan = {
        "plan_id": str(uuid4()), "goal": "Is no longer late", "causes": ["moved"], "risks": ["withdraws"],
        "signposts": ["buddy"], "owner_id": str(shared_school.staff["tutor"]), "start_on": "2026-11-02",
        "end_on": "2026-12-14",
    }  # fmt: skip
    refused = tutor.post(path, json=plan, headers=fresh_key())
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/v1/problems/goal-not-positive")
    assert "Asks for help when stuck" in refused.json()["detail"]
    assert tutor.post(path, json={**plan, "keep_words": True}, headers=fresh_key()).status_code == 200
