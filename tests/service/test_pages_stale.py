"""A form decided on what others have changed since says what they wrote, keeps what was typed, and can be sent again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from domain import guidance, instrument
from domain.review import Load
from domain.scope import Scope
from tests.support.addresses import filled, known_of
from tests.support.pages import Reader, forms, served
from tests.support.small_school import SmallSchool, build

WEB = Path(__file__).parents[2] / "astrack" / "web"
FIT = guidance.load().suggest("self_disclosure", "low", "school", "14-18")
PLAN: dict[str, Any] = {
    "cause": [FIT.causes[0].id], "risk": [FIT.risks[0].id], "signpost": [FIT.signposts[0].id],
    "goal": "Tells one person", "weeks": "6", "monitoring": "weekly",
}  # fmt: skip
A_FILE = "makes a file of everything written so far"
WHATEVER_OTHERS_WROTE = {
    "audit.bundle": A_FILE,
    "family._choose": "a family's last word stands, whatever the school wrote",
    "following.from_dsl_to_dsl": A_FILE,
    "following.supplement": A_FILE,
    "glass.break_it": "is in haste, and somebody looks at it afterwards",
    "guidance._add": "adds an entry beside the others",
    "hand_offs.hand_off": "adds a concern, whatever else there is, and shows nothing of others",
    "impact.made": "adds a report; what it says is worked out then",
    "lists.take_up": "a wish to talk is never held up by something else; taken up by two, it counts once",
    "me.ask_to_talk": "a wish to talk is never held up by something else",
    "me.take_copy": A_FILE,
    "post.collect": "takes in what another school sealed",
    "post.directory": "reads what a directory says now",
    "post.revoke": "ends whatever keys there are by then",
    "roster_source.end": "is kept beside the record, and the last word stands",
    "roster_source.set_": "is kept beside the record, and the last word stands",
    "rounds.not_today": "a child's word of today stands",
    "setup._apply": "looks at the roll once more itself and says so where it has moved",
    "setup._open_round": "adds a round",
    "sit.not_today": "a child's word of today stands",
    "staff._add": "adds somebody new",
    "staff._code": "makes a code; the one before ends",
    "training.sit": "one's own answers",
    "transfers._prepare": A_FILE,
    "transfers._take_all_in": "takes in what another school sealed",
    "transfers._take_in": "takes in what another school sealed",
    "transfers.mark_sent": "how far a file has come says itself where it cannot be",
    "transfers.send": "how far a file has come says itself where it cannot be",
    "transfers.withdraw": "how far a file has come says itself where it cannot be",
    "tutor.take_up_talk": "a wish to talk is never held up by something else; taken up by two, it counts once",
    "webhooks.add": "adds an address",
    "webhooks.again": "sends a message once more",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A form, and what somebody else does while it is filled in."""

    who: str
    page: str
    form: str
    other: Callable[[SmallSchool, dict[str, Any]], object]
    told: str
    typed: dict[str, Any] = field(default_factory=dict)


def own_plan(small: SmallSchool, known: dict[str, Any]) -> object:
    sets = {name: tuple(PLAN[one]) for name, one in (("causes", "cause"), ("risks", "risk"), ("signposts", "signpost"))}
    today = small.clock().date()
    plan = {**sets, "plan_id": small.app.new_id(), "kind": "individual", "tier": 2, "monitoring": "weekly", "goal": "Asks for help", "owner_id": small.staff["dsl"],
            "start_on": today, "end_on": today + timedelta(weeks=4)}  # fmt: skip
    return small.records.open_plan(small.ask("dsl"), known["Kofi"], plan=plan)


def sits(small: SmallSchool, known: dict[str, Any]) -> object:
    answers = {item.id: 6 for item in instrument.newest().items}
    return small.records.hand_in(
        small.ask("pupil"), known["Kofi"], sitting_id=small.app.new_id(), round_id=None, on=small.clock().date(),
        answers=answers, seconds={}, mode="alone", helped_by=None,
    )  # fmt: skip


def monitors(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.monitor_plan(small.ask("head_of_year"), known["Mia"], plan_id=known["plan"], going="well")


def relates(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.record_relation(
        small.ask("administrator"), known["Mia"], relation_id=small.app.new_id(), name="Una Outram", kind="carer",
        from_on=small.clock().date(), verified_on=None, proof="", until_on=None,
    )  # fmt: skip


def holds(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.place_hold(small.ask("dsl"), known["Mia"], hold_id=small.app.new_id(), why="a court asked us")


def stops(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.stop_clock(
        small.ask("dpo"), known["asked"], on=small.clock().date(), why="identity", note="Asked for a passport."
    )


def grants(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.grant_role(
        small.ask("lead_practitioner"), known["tutor"], grant_id=small.app.new_id(), role="head",
        scope=Scope(everyone=True),
    )  # fmt: skip


def loads(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.set_review_load(small.ask("lead_practitioner"), Load(least=2, most=6, unflagged=1))


def reports(small: SmallSchool, known: dict[str, Any]) -> object:
    return small.records.report_outcome(
        small.ask("head_of_year"), known["Mia"], outcome_id=small.app.new_id(), on=date(2026, 3, 2), code="referral",
        source="staff",
    )  # fmt: skip


ABOUT = "/pupils/{Kofi}/plan?about=self_disclosure.low.school"
CASES = {
    "a plan": Case("tutor", ABOUT, "/plan", own_plan, "an action plan began", PLAN),
    "how a plan goes": Case(
        "tutor", "/pupils/{Mia}/plans/{plan}", "/monitor", monitors, "someone noted how a plan is going",
        {"going": "well", "note": "Two lessons without a reminder"},
    ),
    "an outcome": Case(
        "tutor", "/pupils/{Mia}", "/outcomes", reports, "what later came to pass for a pupil",
        {"code": "attendance", "source": "staff", "on": "2026-03-02"},
    ),
    "a relation": Case(
        "dsl", "/pupils/{Mia}/family", "/relation", relates, "somebody is a parent of this pupil in law",
        {"relation_name": "Ann Quince", "relation_from": "2026-01-01"},
    ),
    "retention": Case(
        "dpo", "/rights/pupils/{Mia}", "/class", holds, "a legal hold was placed",
        {"retention_class": "sen", "class_why": "there is a plan of the council"},
    ),
    "a request": Case(
        "dsl", "/rights/requests/{asked}", "/extend", stops, "the clock of a request stands",
        {"extend_why": "there are four hundred items"},
    ),
    "a role": Case(
        "administrator", "/setup/people/{tutor}", "/grant", grants, "a member of staff was allowed to act in a role",
        {"role": "head_of_year", "scope": ["*"]},
    ),
    "the load": Case("administrator", "/setup", "/load", loads, "how many pupils of a class", {"most": "7"}),
    "a correction": Case(
        "dsl", "/pupils/{Mia}/correct/{sat}", "", reports, "what later came to pass for a pupil",
        {"happened_on": "2019-10-08", "why": "the day was mistyped"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def school(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=6, years=1)


@pytest.fixture(scope="module")
def pages(school: SmallSchool) -> FastAPI:
    return served(school)


@pytest.fixture(scope="module")
def known(school: SmallSchool, pages: FastAPI) -> dict[str, Any]:
    return known_of(school)


@pytest.fixture
def readers(pages: FastAPI, school: SmallSchool) -> Callable[[str], Reader]:
    made: dict[str, Reader] = {}
    return lambda who: made.setdefault(who, Reader(pages, school, who))


@pytest.mark.parametrize("name", CASES)
def test_what_others_wrote_meanwhile_is_told_what_was_typed_stays_and_it_can_be_sent_again(
    school: SmallSchool, readers: Any, known: dict[str, Any], name: str
) -> None:
    case = CASES[name]
    reader, size = readers(case.who), 0
    page = reader.get(filled(case.page, known))
    case.other(school, known)
    size = school.records.log.size()
    answer = reader.send(page, case.form or page.url.path, **case.typed)
    assert answer.status_code == 412, main_of(answer)
    assert "Since you opened this page, somebody else wrote here" in answer.text
    assert case.told in answer.text and "2026" in answer.text
    assert school.records.log.size() == size
    for text in (one for one in case.typed.values() if isinstance(one, str)):
        assert text in answer.text, f"{text} is lost"
    again = reader.send(answer, case.form or page.url.path, **case.typed)
    assert again.status_code == 200, main_of(again)
    assert school.records.log.size() == size + 1


def test_what_one_wrote_oneself_in_another_window_is_no_news(
    school: SmallSchool, readers: Any, known: dict[str, Any]
) -> None:
    tutor = readers("tutor")
    page = tutor.get(filled("/pupils/{Mia}/plans/{plan}", known))
    for note in ("first", "second"):
        assert tutor.send(page, "/monitor", going="well", note=note, key=note).status_code == 200


def test_a_form_sent_twice_counts_once_though_others_wrote_in_between(
    school: SmallSchool, readers: Any, known: dict[str, Any]
) -> None:
    tutor = readers("tutor")
    page = tutor.get(filled("/pupils/{Mia}/plans/{plan}", known))
    assert tutor.send(page, "/monitor", going="well", note="once").status_code == 200
    monitors(school, known)
    size = school.records.log.size()
    assert tutor.send(page, "/monitor", going="well", note="once").status_code == 200
    assert school.records.log.size() == size


def test_a_sitting_meanwhile_is_told_and_no_sign_of_it(
    school: SmallSchool, readers: Any, known: dict[str, Any]
) -> None:
    tutor = readers("tutor")
    page = tutor.get(filled(ABOUT, known))
    sits(school, known)
    assert any("early sign" in one for one in _docstrings(school, known))
    answer = tutor.send(page, "/plan", **PLAN)
    assert answer.status_code == 412
    assert "a pupil finished a sitting" in answer.text
    assert "early sign worth a look" not in answer.text


def test_what_only_the_dsl_is_shown_holds_nobody_up(school: SmallSchool, readers: Any, known: dict[str, Any]) -> None:
    tutor = readers("tutor")
    page = tutor.get(filled("/pupils/{Mia}/plans/{plan}", known))
    school.records.report_outcome(
        school.ask("dsl"), known["Mia"], outcome_id=school.app.new_id(), on=date(2026, 3, 2), code="self_harm",
        source="dsl",
    )  # fmt: skip
    assert tutor.send(page, "/monitor", going="well", note="unaware").status_code == 200


def test_the_number_in_a_form_cannot_be_made_up(school: SmallSchool, readers: Any, known: dict[str, Any]) -> None:
    tutor = readers("tutor")
    page = tutor.get(filled("/pupils/{Mia}/plans/{plan}", known))
    token = next(one.values["token"][0] for one in forms(page) if one.action.endswith("/monitor"))
    nonce, shown, proof = token.split(".")
    assert int(shown) == school.records.log.size()
    raised = tutor.send(page, "/monitor", going="well", token=f"{nonce}.{int(shown) + 9}.{proof}")
    assert raised.status_code == 422 and "earlier visit" in raised.text


def test_every_form_is_decided_on_what_its_page_showed_or_says_why_not() -> None:
    found = set()
    for path in sorted(WEB.glob("*.py")):
        inside = ""
        for line in path.read_text().splitlines():
            if named := re.match(r"\s*def (\w+)", line):
                inside = named[1]
            if "who.ask(sent.key)" in line:
                found.add(f"{path.stem}.{inside}")
    assert found == WHATEVER_OTHERS_WROTE.keys()


def main_of(page: Any) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page.text.partition("<main")[2])[:600]


def _docstrings(school: SmallSchool, known: dict[str, Any]) -> list[str]:
    kofi: UUID = known["Kofi"]
    return [type(one.event).__doc__ or "" for one in school.records.journey(kofi)[1]]
