"""Pages about how right early signs are: outcomes reported as codes, reviews that look alike, figures withheld."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from domain.journey.outside import OutcomeReported
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


def test_self_harm_is_offered_to_and_shown_to_the_safeguarding_lead_alone(pages: FastAPI, small: SmallSchool) -> None:
    tutor, dsl = Reader(pages, small, "tutor"), Reader(pages, small, "dsl")
    path = f"/pupils/{small.pupils['Aisha']}"
    page = tutor.get(path)
    assert "self-harm" not in page.text
    assert tutor.send(page, "/outcomes", code="self_harm", source="dsl").status_code == 422
    dsl.send(dsl.get(path), "/outcomes", code="self_harm", source="dsl")
    assert reported(small, "Aisha") == [("self_harm", "dsl")]
    assert "Later came to pass: self-harm" in dsl.get(path).text
    assert "self-harm" not in tutor.get(path).text and "Later came to pass" not in tutor.get(path).text
