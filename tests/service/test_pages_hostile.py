"""Wrong, late, double and hostile posts get a page that says what happened, keep what was typed, and change nothing."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from astrack.changing import Ask
from astrack.settings import Settings
from astrack.store import Store
from domain import guidance
from domain.base import Actor
from domain.identity import SchoolName
from tests.support.pages import ORIGIN, Reader, form, served
from tests.support.small_school import SmallSchool, build

ABOUT = "about=self_disclosure.low.school"
FIT = guidance.load().suggest("self_disclosure", "low", "school", "14-18")
GOOD: dict[str, Any] = {
    "cause": [FIT.causes[0].id], "risk": [FIT.risks[0].id], "signpost": [FIT.signposts[0].id],
    "goal": "Tells one person", "weeks": "6", "monitoring": "weekly",
}  # fmt: skip


@pytest.fixture(scope="module")
def school(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=4, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(school: SmallSchool) -> FastAPI:
    return served(school)


@pytest.fixture(scope="module")
def tutor(pages: FastAPI, school: SmallSchool) -> Reader:
    return Reader(pages, school, "tutor")


def wizard(tutor: Reader, school: SmallSchool) -> Any:
    return tutor.get(f"/pupils/{school.pupils['Tom']}/plan?{ABOUT}")


def plans(school: SmallSchool) -> int:
    return len(school.records.journey(school.pupils["Tom"])[0].plans)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"goal": "g" * 201}, "too many"),
        ({"own_1": "o" * 5000}, "too many"),
        ({"goal": "  "}, "fill this in"),
        ({"weeks": "0"}, "whole number"),
        ({"weeks": "13"}, "whole number"),
        ({"weeks": "six"}, "whole number"),
        ({"weeks": "１２"}, "whole number"),
        ({"monitoring": "hourly"}, "choose one"),
        ({"about": "self_disclosure.middle.school"}, "what the plan is about"),
        ({"about": "<script>alert(1)</script>"}, "what the plan is about"),
        ({"plan_id": "not-an-id"}, "not one that we made"),
        ({"flag": str(uuid4())}, "there is no flag"),
        ({"flag": "x"}, "not one that we made"),
        ({"signpost": [], "own_1": ""}, "choose a signpost"),
        ({"cause": [f"c{n}" for n in range(60)]}, "more was sent"),
        ({"signpost": ["no.such-code"]}, "suggestions have changed"),
        ({"key": ""}, "fill this in"),
    ],
)  # fmt: skip
def test_a_wrong_plan_is_refused_with_a_sentence_and_nothing_is_written(
    tutor: Reader, school: SmallSchool, changes: dict[str, Any], says: str
) -> None:
    before = plans(school)
    answer = tutor.send(wizard(tutor, school), "/plan", **{**GOOD, **changes})
    assert answer.status_code in (404, 409, 422)
    assert says.lower() in answer.text.lower()
    assert plans(school) == before
    assert "Traceback" not in answer.text


def test_what_was_typed_comes_back_escaped(tutor: Reader, school: SmallSchool) -> None:
    answer = tutor.send(
        wizard(tutor, school), "/plan", **{**GOOD, "weeks": "99", "own_1": '"><script>alert(1)</script>'}
    )
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_a_form_sent_twice_counts_once(tutor: Reader, school: SmallSchool) -> None:
    page, before = wizard(tutor, school), plans(school)
    first = tutor.send(page, "/plan", **GOOD)
    second = tutor.send(page, "/plan", **GOOD)
    assert first.status_code == second.status_code == 200
    assert first.url.path == second.url.path
    assert plans(school) == before + 1


@pytest.mark.parametrize("token", ["", "nonsense", "0123456789abcdef." + "0" * 64, "a" * 5000])
def test_a_form_without_its_token_does_nothing_and_shows_what_was_typed(
    tutor: Reader, school: SmallSchool, token: str
) -> None:
    before = plans(school)
    answer = tutor.send(wizard(tutor, school), "/plan", **{**GOOD, "token": token, "own_1": "kept words"})
    assert answer.status_code == 422
    assert "kept words" in answer.text
    assert plans(school) == before


def test_a_token_of_one_session_is_no_use_in_another(pages: FastAPI, tutor: Reader, school: SmallSchool) -> None:
    token = form(wizard(tutor, school), "/plan").values["token"][0]
    other = Reader(pages, school, "dsl")
    answer = other.send(wizard(other, school), "/plan", **{**GOOD, "token": token})
    assert answer.status_code == 422
    assert "earlier visit" in answer.text


def test_a_post_from_another_website_is_refused(tutor: Reader, school: SmallSchool) -> None:
    found = form(wizard(tutor, school), "/plan")
    answer = tutor.client.post(found.action, data={**found.values, **GOOD}, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


def test_signing_in_elsewhere_cannot_be_forced(pages: FastAPI, school: SmallSchool) -> None:
    nobody = Reader(pages, school)
    answer = nobody.post("/sign-in", school=str(school.school_id), code="acorn acorn acorn acorn")
    assert answer.status_code == 422
    assert "earlier visit" in answer.text


def test_a_late_form_is_sent_to_sign_in_and_nothing_is_written(pages: FastAPI, school: SmallSchool) -> None:
    reader = Reader(pages, school, "tutor")
    page, before = wizard(reader, school), plans(school)
    reader.send(reader.get("/pupils"), "/sign-out")
    answer = reader.send(page, "/plan", **GOOD)
    assert answer.url.path == "/sign-in"
    assert plans(school) == before


def test_a_huge_form_is_refused_before_it_is_read(tutor: Reader) -> None:
    answer = tutor.client.post(
        "/sign-out",
        content=b"a=" + b"b" * 100_000,
        headers={"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 422
    assert "over 64 KiB" in answer.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"\xff\xfe=\x00", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(300)), "application/x-www-form-urlencoded"),
        (b"--x\r\nnot a part", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
    ],
)
def test_what_is_not_a_form_gets_a_page_and_not_a_fault(tutor: Reader, body: bytes, kind: str) -> None:
    answer = tutor.client.post("/talks/x/y", content=body, headers={"Origin": ORIGIN, "Content-Type": kind})
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_a_stale_review_says_that_it_was_done(tutor: Reader, school: SmallSchool) -> None:
    path = f"/pupils/{school.pupils['Tom']}"
    answer = tutor.send(wizard(tutor, school), "/plan", **GOOD)
    plan = answer.url.path
    tutor.send(answer, "/close", came="helped", note="")
    late = tutor.send(answer, "/monitor", going="well", note="a late note")
    assert late.status_code == 409
    assert "this plan has ended" in late.text.lower()
    assert plan.startswith(path)


@pytest.mark.parametrize(
    "next_path", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/sign-in"]
)
def test_sign_in_leads_on_within_this_site_only(pages: FastAPI, school: SmallSchool, next_path: str) -> None:
    reader = Reader(pages, school)
    code = pages.state.sessions.credentials(school.school_id).code(school.staff["tutor"])
    page = reader.get("/sign-in")
    answer = reader.send(page, "/sign-in", school=str(school.school_id), code=code, next=next_path)
    assert answer.url.host == "astrack.test"
    assert answer.url.path == "/pupils"


def test_a_wrong_card_says_what_to_do(pages: FastAPI, school: SmallSchool) -> None:
    reader = Reader(pages, school)
    answer = reader.send(
        reader.get("/sign-in"), "/sign-in", school=str(school.school_id), code="acorn album alien amber"
    )
    assert answer.status_code == 401
    assert "ask for a new one" in answer.text


def test_an_answer_outside_the_six_is_refused_and_the_sitting_goes_on(pages: FastAPI, school: SmallSchool) -> None:
    reader = Reader(pages, school, "Ewan")
    page = reader.send(reader.get("/sit"), "/sit/begin")
    page = reader.send(page, "/sit/answer", answer="2")
    for wrong in ("0", "7", "", "3.5", "<b>"):
        assert reader.send(page, "/sit/answer", answer=wrong).status_code == 422
    assert reader.send(page, "/sit/answer", item="no-such-item", answer="3").status_code == 422
    assert "Step 1 of" in reader.get("/sit/next").text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "choose the file"),
        (b"hello", "neither a sealed record"),
        (b"age-encryption.org/v1\n-> broken\n", ""),
        (b"astrack/receipt/v1\nbroken", ""),
        (b"astrack/keys/v1\nbroken", ""),
    ],
)
def test_a_broken_file_is_refused_with_what_to_do(
    pages: FastAPI, school: SmallSchool, content: bytes, says: str
) -> None:
    dsl = Reader(pages, school, "dsl")
    page, size = dsl.get("/transfers"), school.records.log.size()
    found = form(page, "/transfers/take-in")
    answer = dsl.client.post(
        found.action, data=found.values, files={"file": ("x.age", content)}, headers={"Origin": ORIGIN}
    )
    assert answer.status_code in (409, 422)
    assert says in answer.text.lower()
    assert 'role="alert"' in answer.text
    assert school.records.log.size() == size


def test_a_broken_roster_is_refused_with_the_place(pages: FastAPI, school: SmallSchool) -> None:
    office = Reader(pages, school, "administrator")
    found = form(office.get("/setup"), "/setup/roster")
    for content in (b"", b"<CTfile>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><CTfile/>", b"PK\x03\x04broken"):
        answer = office.client.post(
            found.action, data=found.values, files={"roster": ("r.xml", content)}, headers={"Origin": ORIGIN}
        )
        assert answer.status_code in (409, 413, 422), content
        assert 'role="alert"' in answer.text


@pytest.mark.parametrize("address", ["/no/such/page", "/pupils/xyz", f"/pupils/{UUID(int=78)}"])
def test_unknown_addresses_get_a_page_in_words_for_people(tutor: Reader, address: str) -> None:
    answer = tutor.get(address)
    assert answer.status_code == 404
    assert re.search("<h1>", answer.text)
    assert not re.search("openapi|UUID|path|roster", answer.text.partition("<main")[2])


def test_a_fault_of_the_services_own_gets_a_page_with_its_number_and_no_trace(
    school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(served(school), school, "tutor")
    monkeypatch.setattr("astrack.web.lists.pupils.listed", lambda *_, **__: 1 / 0)
    answer = reader.get("/pupils/all")
    assert answer.status_code == 500
    assert "The service met an error of its own" in answer.text
    assert re.search(r"Number: [0-9a-f-]{36}", answer.text)
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_where_many_schools_are_kept_ones_own_is_typed(
    pages: FastAPI, school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astrack.web.sign_in.SCHOOLS_SHOWN_MAX", 0)
    somebody = Reader(pages, school)
    page = somebody.get("/sign-in")
    assert 'id="school"' in page.text and "<option" not in page.text
    made = pages.state.sessions.credentials(school.school_id)
    code = made.code(school.staff["tutor"])
    answer = somebody.send(page, "/sign-in", school="Nowhere School", code=code)
    assert answer.status_code == 422 and "its six-digit number (URN)" in answer.text and "Nowhere School" in answer.text
    app = pages.state.app
    named = SchoolName(
        school_id=uuid4(), name=f"Larch {uuid4().hex}", urn=f"{uuid4().int % 10**6:06}", lea="", estab=""
    )
    app.create_school(named.school_id).register_school(Ask(Actor(id=uuid4(), role="administrator"), "a"), named)
    for typed in (named.name.upper(), named.urn):
        refused = somebody.send(answer, "/sign-in", school=typed, code="four old wrong words")
        assert refused.status_code == 401 and "Which school?" not in refused.text
    name = app.school(school.school_id).school_state().registered.school.name
    own = Reader(pages, school).get(f"/sign-in?school={school.school_id}")
    assert name in own.text and f'value="{school.school_id}"' in own.text
