"""Rights over a record, hand-offs, exceptions and corrections, as the people who carry them out meet them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from astrack.changing import Ask
from astrack.settings import Settings
from astrack.store import Store
from domain.journey.facts import AssessmentSat
from domain.staff import SecondPersonNeeded
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

WHY = "A court order of last week asks for it."


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=4, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


@pytest.fixture(scope="module")
def dsl(pages: FastAPI, small: SmallSchool) -> Reader:
    return Reader(pages, small, "dsl")


@pytest.fixture(scope="module")
def dpo(pages: FastAPI, small: SmallSchool) -> Reader:
    return Reader(pages, small, "dpo")


def about(small: SmallSchool, name: str = "Tom") -> str:
    return f"/rights/pupils/{small.pupils[name]}"


def asked(dsl: Reader, small: SmallSchool, name: str = "Tom", **values: Any) -> str:
    """Take a request for access in; the address of its page."""
    page = dsl.get(about(small, name))
    given = {"kind": "access", "asked_by": "pupil", "on": "2026-03-11", **values}
    answer = dsl.send(page, "/request", **given)
    assert "its clock runs" in answer.text, answer.text
    return re.findall(r'href="(/rights/requests/[0-9a-f-]+)"', answer.text)[0]


def test_a_request_is_on_the_desk_with_the_days_that_are_left(dsl: Reader, small: SmallSchool) -> None:
    asked(dsl, small)
    desk = dsl.get("/rights").text
    assert "Tom Hughes" in desk
    assert "13 April 2026" in desk, "a month from 11 March ends on a Saturday: the next working day"
    assert "26 days left" in desk


def test_a_clock_that_stands_shows_what_is_waited_for(dsl: Reader, small: SmallSchool) -> None:
    path = asked(dsl, small, "Aisha")
    answer = dsl.send(dsl.get(path), "/stop", stop_why="identity", stop_on="2026-03-12")
    assert "waiting for proof of who they are" in answer.text
    answer = dsl.send(answer, "/start", start_on="2026-03-16")
    assert "15 April 2026" in answer.text, "the four days of waiting are added"


def test_an_item_is_kept_back_only_after_a_second_person_has_looked(
    dsl: Reader, dpo: Reader, small: SmallSchool
) -> None:
    path = asked(dsl, small, "Ewan")
    item = re.findall(r'<td class="small">(journey:[^<]+|[a-z_]+:[^<]+)</td>', dsl.get(path).text)[0]
    page = dsl.send(dsl.get(path), "/withhold", item=item, because="third_party", withhold_why=WHY)
    assert "waits for a second person" in page.text
    assert "/judge" not in page.text, "not by who proposed it"
    refused = dsl.send(page, "/answer", outcome="granted")
    assert refused.status_code == 409
    assert "wait for a second person" in refused.text
    judged = dpo.send(dpo.get(path), "/judge", item=item, upheld="yes", note="")
    assert "kept back" in judged.text
    undecided = dsl.send(dsl.get(path), "/copy", recipient="")
    assert undecided.status_code == 409
    assert "AGE-SECRET" not in undecided.text
    dsl.send(dsl.get(about(small, "Ewan")), "/competence", competent="yes", competence_why=WHY)
    made = dsl.send(dsl.get(path), "/copy", recipient="")
    if "given only after a second person" in made.text:
        dsl.send(dsl.get(path), "/withhold-by-default")
        page = dpo.get(path)
        for one in dict.fromkeys(re.findall(r'name="item" value="([^"]+)"', page.text)):
            dpo.post(f"{path}/judge", token=_token(page.text), key=uuid4().hex, item=one, upheld="yes", note="")
        made = dsl.send(dsl.get(path), "/copy", recipient="")
    assert "AGE-SECRET-KEY" in made.text, made.text
    assert "data:application/octet-stream;base64," in made.text
    assert "The answer is on record" in dsl.send(dsl.get(path), "/answer", outcome="granted").text


def _token(page: str) -> str:
    return re.findall(r'name="token" value="([^"]+)"', page)[0]


def test_a_data_protection_officer_sees_no_name_and_what_is_held_only_through_the_glass(
    dpo: Reader, dsl: Reader, small: SmallSchool
) -> None:
    path = asked(dsl, small, "Tom")
    page = dpo.get(path)
    assert "Hughes" not in page.text + dpo.get("/rights").text + dpo.get("/rights?q=Hugh").text
    assert "closed to your role" in page.text
    glass = dpo.get(f"/glass?pupil={small.pupils['Tom']}")
    short = dpo.send(glass, "/glass", reason="short")
    assert short.status_code == 422
    assert "short" in short.text
    dpo.send(glass, "/glass", reason="To answer a request for access in time", minutes="20")
    assert "Sat the questions" in dpo.get(path).text or 'class="small">' in dpo.get(path).text
    reviewed = dsl.send(dsl.get("/glass"), f"{_glass(dsl)}", in_order="yes")
    assert "Your judgement is on record" in reviewed.text
    assert "Nothing waits for a review" in reviewed.text


def _glass(dsl: Reader) -> str:
    return re.findall(r'action="(/glass/[^"]+)"', dsl.get("/glass").text)[0]


@pytest.mark.parametrize(
    ("act", "values", "says"),
    [
        ("request", {"on": "2027-01-01"}, "still to come"),
        ("request", {"kind": "everything"}, "choose one"),
        ("request", {"wants": "w" * 1001}, "too many"),
        ("request", {"kind": "inspection", "asked_by": "pupil"}, "only a parent"),
        ("hold", {"hold_why": "no"}, "say why"),
        ("hold", {"hold_why": ""}, "fill this in"),
        ("review", {"decision": "keep", "until_on": "2020-01-01", "review_why": WHY}, "still to come"),
        ("review", {"decision": "keep", "until_on": "soon", "review_why": WHY}, "year-month-day"),
        ("class", {"retention_class": "for ever"}, "choose one"),
        ("restrict", {"restrict_on": "today"}, "year-month-day"),
        ("erase", {}, "Tick that you have read"),
        ("erase", {"sure": "yes"}, "nobody has decided"),
    ],
)
def test_a_wrong_form_about_a_record_says_why_and_keeps_what_was_typed(
    dsl: Reader, dpo: Reader, small: SmallSchool, act: str, values: dict[str, str], says: str
) -> None:
    who = dpo if act in ("class", "review") else dsl
    answer = who.send(who.get(about(small)), f"/{act}", **values)
    assert answer.status_code in (403, 409, 422), answer.text
    assert says.lower() in answer.text.lower()
    assert all(value in answer.text for name, value in values.items() if name.endswith("_why") or name == "wants")


def test_a_record_on_hold_is_not_erased_and_an_erasure_needs_two(dsl: Reader, dpo: Reader, small: SmallSchool) -> None:
    path = about(small, "Aisha")
    dpo.send(dpo.get(path), "/review", decision="erase", review_why=WHY)
    dsl.send(dsl.get(path), "/hold", hold_why=WHY)
    held = dsl.send(dsl.get(path), "/erase", sure="yes")
    assert held.status_code == 409
    assert "legal hold stands" in held.text
    dsl.send(dsl.get(path), "/release", release_why=WHY)
    own = dpo.send(dpo.get(path), "/erase", sure="yes")
    assert "second person" in own.text
    done = dsl.send(dsl.get(path), "/erase", sure="yes")
    assert "The record is erased" in done.text
    assert dsl.get(path).status_code == 404


def test_a_hand_off_reaches_the_safeguarding_lead_and_is_taken_up(
    pages: FastAPI, dsl: Reader, small: SmallSchool
) -> None:
    tutor = Reader(pages, small, "tutor")
    page = tutor.get(f"/pupils/{small.pupils['Tom']}")
    refused = tutor.send(page, "/hand-offs", reference="He said that")
    assert refused.status_code == 422
    assert "He said that" in refused.text
    assert "on their list" in tutor.send(page, "/hand-offs", reference="C-2041").text
    waiting = dsl.get("/safeguarding")
    assert "C-2041" in waiting.text
    assert "Tom Hughes" in waiting.text
    taken = dsl.send(waiting, re.findall(r'action="(/safeguarding/[^"]+)"', waiting.text)[0])
    assert "Nothing waits for you" in taken.text


def test_a_correction_stands_beside_what_it_corrects(pages: FastAPI, small: SmallSchool) -> None:
    lead = Reader(pages, small, "lead_practitioner")
    path = f"/pupils/{small.pupils['Ewan']}"
    _, facts = small.records.journey(small.pupils["Ewan"])
    sat = next(fact.event for fact in facts if isinstance(fact.event, AssessmentSat))
    form = lead.get(f"{path}/correct/{sat.event_id}")
    late = lead.send(form, str(sat.event_id), happened_on="yesterday", why=WHY)
    assert late.status_code == 422
    assert WHY in late.text
    assert lead.send(form, str(sat.event_id), why=WHY).status_code == 422, "nothing was changed"
    done = lead.send(form, str(sat.event_id), usable="no", why=WHY)
    assert "Nothing was rubbed out" in done.text
    assert "corrected since" in done.text
    assert WHY in done.text
    nothing = lead.get(f"{path}/correct/{uuid4()}")
    assert nothing.status_code == 422


def test_a_role_is_granted_and_withdrawn_on_a_persons_page(pages: FastAPI, small: SmallSchool) -> None:
    office = Reader(pages, small, "administrator")
    path = f"/setup/people/{small.staff['head_of_year']}"
    empty = office.send(office.get(path), "/grant", role="tutor")
    assert empty.status_code == 422
    given = office.send(office.get(path), "/grant", role="tutor", scope="tutor group=10B")
    assert "tutor group 10B" in given.text
    taken = office.send(given, "/withdraw", grant_id=re.findall(r'name="grant_id" value="([^"]+)"', given.text)[1])
    assert "The role is withdrawn" in taken.text
    assert "tutor group 10B</" not in taken.text
    assert "<strong>Tutor</strong>" not in taken.text


def test_a_lost_second_factor_is_taken_away_by_the_head_and_the_next_code_is_somebody_elses(
    pages: FastAPI, small: SmallSchool
) -> None:
    tutor, head, office = (Reader(pages, small, who) for who in ("tutor", "head", "administrator"))
    path = f"/setup/people/{small.staff['tutor']}"
    assert "lost second factor" not in office.get(path).text
    taken = head.send(head.get(path), "/factor")
    assert "The second factor is taken away" in taken.text
    assert tutor.get("/pupils").url.path == "/sign-in"
    office.send(office.get(path), "/code")
    office_by, head_by = (small.ask(role).by for role in ("administrator", "head"))
    with pytest.raises(SecondPersonNeeded):
        small.records.reset_factor(Ask(office_by, str(uuid4())), small.staff["tutor"])
    small.records.reset_factor(Ask(head_by, str(uuid4())), small.staff["tutor"])
    until = small.clock() + timedelta(days=3)
    with pytest.raises(SecondPersonNeeded):
        small.records.issue_sign_in(Ask(head_by, str(uuid4())), small.staff["tutor"], kind="code", good_until=until)


def test_the_school_is_shown_as_its_log_stood(pages: FastAPI, small: SmallSchool) -> None:
    auditor = Reader(pages, small, "auditor")
    before, now = auditor.get("/audit/school?day=2024-01-01").text, auditor.get("/audit/school").text
    sittings = r"Sittings</th><td class=\"n\">([\d,]+)"
    assert int(re.findall(sittings, before)[0].replace(",", "")) < int(re.findall(sittings, now)[0].replace(",", ""))
    assert "Hughes" not in now
