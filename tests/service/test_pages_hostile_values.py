"""Values no page offers, in forms and addresses: each gets a page that says so, and no server error."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from astrack.settings import Settings
from astrack.store import Store
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def school(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=3, years=1)


@pytest.fixture(scope="module")
def pages(school: SmallSchool) -> FastAPI:
    return served(school)


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("head", "/impact?since=0001-01-01"),
        ("head", "/impact?until=0001-01-01"),
        ("head", "/impact?since=9999-12-31"),
        ("head", "/impact/report.html?until=0001-01-01"),
        ("head", "/impact/tables/screening?since=0001-01-01"),
        ("tutor", "/pupils/all?q=a%00b"),
        ("tutor", "/pupils/all?after=a%00b|c|00000000-0000-0000-0000-000000000000"),
        ("dsl", "/rights?q=%00"),
        ("dsl", "/audit?q=%00"),
        ("auditor", "/audit/school?day=9999-12-31"),
        ("auditor", "/audit/school?day=0001-01-01"),
        ("auditor", "/audit/looks?before=99999999999999999999"),
    ],
)
def test_an_address_that_nobody_types_is_refused_on_a_page(
    pages: FastAPI, school: SmallSchool, who: str, path: str
) -> None:
    answer = Reader(pages, school, who).get(path)
    assert answer.status_code in (200, 303, 404, 422), f"{answer.status_code}: {answer.text[:300]}"
    assert "error of its own" not in answer.text


@pytest.mark.parametrize(
    ("who", "page", "form", "sent"),
    [
        ("tutor", "/plans/group?about=self_disclosure.low.school", "/plans/group", {"pupil": "nobody"}),
        ("dsl", "/transfers", "/transfers/prepare", {"pupil": "nobody"}),
    ],
)
def test_a_form_that_chooses_what_is_no_id_is_refused_on_a_page(
    pages: FastAPI, school: SmallSchool, who: str, page: str, form: str, sent: dict[str, str]
) -> None:
    reader, size = Reader(pages, school, who), school.records.log.size()
    answer = reader.send(reader.get(page), form, **sent)
    assert answer.status_code == 422 and "open the page again" in answer.text, answer.text[:300]
    assert school.records.log.size() == size
