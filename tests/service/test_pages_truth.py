"""Pages about how right early signs are: outcomes reported as codes, reviews that look alike, figures withheld."""

from __future__ import annotations

import re
from importlib import resources
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from astrack.settings import Settings
from astrack.store import Store
from astrack.web import PARTS
from astrack.web.site import Site
from domain import instrument
from domain.journey.outside import OutcomeReported
from domain.review import Load
from projections import truth
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


def reported(small: SmallSchool, name: str) -> list[tuple[str, str]]:
    _, facts = small.records.journey(small.pupils[name])
    return [(one.event.code, one.event.source) for one in facts if isinstance(one.event, OutcomeReported)]


def test_an_outcome_is_a_code_and_a_source_chosen_on_the_pupils_page(pages: FastAPI, small: SmallSchool) -> None:
    tutor, path = Reader(pages, small, "tutor"), f"/pupils/{small.pupils['Tom']}"
    page = tutor.get(path)
    done = tutor.send(page, "/outcomes", code="bullied", source="family")
    assert "What came to pass is on record" in done.text
    assert reported(small, "Tom") == [("bullied", "family")]
    assert "was bullied" in tutor.get(path).text


def test_a_day_still_to_come_is_refused_and_nothing_is_written(pages: FastAPI, small: SmallSchool) -> None:
    tutor, path = Reader(pages, small, "tutor"), f"/pupils/{small.pupils['Ewan']}"
    refused = tutor.send(tutor.get(path), "/outcomes", code="bullied", source="family", on="2099-01-01")
    assert refused.status_code == 422 and "still to come" in refused.text
    assert reported(small, "Ewan") == []


def outcomes_counted(small: SmallSchool) -> int:
    """Outcomes that the read model holds for the whole school."""
    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        cur.execute(f"SELECT outcomes FROM {truth.TABLE} WHERE school_id = %s LIMIT 1000", (small.school_id,))
        return sum(len(row[0]) for row in cur)


def test_self_harm_is_offered_to_and_shown_to_the_safeguarding_lead_alone(pages: FastAPI, small: SmallSchool) -> None:
    tutor, dsl = Reader(pages, small, "tutor"), Reader(pages, small, "dsl")
    path = f"/pupils/{small.pupils['Aisha']}"
    page = tutor.get(path)
    assert "self-harm" not in page.text
    assert tutor.send(page, "/outcomes", code="self_harm", source="dsl").status_code == 422
    before = dsl.get("/truth").status_code, outcomes_counted(small)
    dsl.send(dsl.get(path), "/outcomes", code="self_harm", source="dsl")
    assert reported(small, "Aisha") == [], "it is no fact of the story"
    page = dsl.get(path)
    assert "self-harm, known to the safeguarding lead" in page.text
    assert "self-harm" not in tutor.get(path).text
    (known,) = dsl.get(f"/api/v1{path}/outcomes").json()
    assert known["code"] == "self_harm" and tutor.get(f"/api/v1{path}/outcomes").status_code == 403
    assert outcomes_counted(small) == before[1] + 1
    assert tutor.send(page, "/take-back", why="not mine to say").status_code in (403, 422)
    assert "recorded in error" in dsl.send(page, "/take-back", why="another pupil was meant").text
    assert dsl.get(f"/api/v1{path}/outcomes").json() == [] and outcomes_counted(small) == before[1]


def test_how_right_says_that_it_cannot_say_yet_and_hides_small_groups(pages: FastAPI, small: SmallSchool) -> None:
    text = Reader(pages, small, "head").get("/truth").text
    assert "Not enough yet" in text and "%</strong>" not in text
    assert "hidden: too few" in text and "not validated" in text
    assert "PPV" not in text[text.index("What staff made") : text.index("What came to pass")]
    items = Reader(pages, small, "head").get("/truth/items").text
    assert "No item stands out" in items


def test_the_review_load_is_set_on_the_set_up_page(pages: FastAPI, small: SmallSchool) -> None:
    lead = Reader(pages, small, "lead_practitioner")
    done = lead.send(lead.get("/setup"), "/setup/load", most="6", unflagged="2")
    assert "The review load is set" in done.text
    assert small.records.school_state().load == Load(least=3, most=6, unflagged=2)
    wrong = lead.send(lead.get("/setup"), "/setup/load", most="2", unflagged="3")
    assert wrong.status_code == 422 and small.records.school_state().load.most == 6


def test_answers_that_cannot_be_read_are_offered_once_more_by_nobodys_choice(
    pages: FastAPI, small: SmallSchool
) -> None:
    pupil: UUID = small.pupils["Ewan"]
    tool_answers = {item.id: 3 for item in instrument.newest().items}
    small.records.hand_in(small.ask(), pupil, sitting_id=small.app.new_id(), round_id=small.open_round,
                          on=small.clock().date(), answers=tool_answers)  # fmt: skip
    reader = Reader(pages, small, "Ewan")
    start = reader.get("/sit")
    assert "Once more, if you like" in start.text
    assert "Once more" in reader.get("/sit/done").text
    assert reader.send(start, "/sit/begin").status_code == 200
    small.records.hand_in(small.ask(), pupil, sitting_id=small.app.new_id(), round_id=small.open_round,
                          on=small.clock().date(), answers=tool_answers)  # fmt: skip
    assert "You have done this round" in reader.get("/sit").text
    setup = Reader(pages, small, "lead_practitioner").get("/setup").text
    assert "fewer than 10 sat" in setup


def test_how_often_answers_had_to_be_offered_once_more_is_shown_for_a_class_of_ten_or_more(
    store: Store, settings: Settings
) -> None:
    school = build(store, settings, years=1, with_past=False, pupils=12)
    alike = {item.id: 3 for item in instrument.newest().items}
    varied = {item.id: 1 + (7 * number) % 6 for number, item in enumerate(instrument.newest().items)}
    for number, pupil in enumerate(school.pupils.values()):
        school.records.hand_in(school.ask(), pupil, sitting_id=school.app.new_id(), round_id=school.open_round,
                               on=school.clock().date(), answers=alike if number < 4 else varied)  # fmt: skip
    setup = Reader(served(school), school, "lead_practitioner").get("/setup").text
    assert "<li>10B: 4 of 12</li>" in setup and "fewer than 10 sat" not in setup


def test_every_screen_says_that_the_questions_are_not_validated(pages: FastAPI, small: SmallSchool) -> None:
    routes = [route for part in PARTS for route in part(Site(small.app)).routes if isinstance(route, APIRoute)]
    paths = {route.path for route in routes if "GET" in route.methods and "{" not in route.path}
    paths |= {f"/pupils/{small.pupils['Kofi']}", f"/pupils/{small.pupils['Kofi']}/plan"}
    readers = [
        Reader(pages, small, who) for who in ("dsl", "lead_practitioner", "head", "administrator", "auditor", "Kofi")
    ]
    seen = 0
    for path in sorted(paths):
        for reader in readers:
            answer = reader.get(path)
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "not validated" in re.sub(r"<[^>]+>", "", answer.text), (path, answer.status_code)
                seen += answer.status_code == 200
    assert seen > 30


def test_what_is_printed_keeps_the_line_that_says_so() -> None:
    css = (resources.files("astrack") / "static" / "astrack.css").read_text("utf-8")
    for block in re.findall(r"@media print \{(.*?)\n\}|@media print \{([^\n]*)\}", css, re.S):
        for rule in re.findall(r"([^{}]+)\{[^}]*display: none", "".join(block)):
            assert ".foot" not in [one.strip() for one in rule.split(",")]
