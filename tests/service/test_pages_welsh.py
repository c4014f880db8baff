"""A pupil who chose Welsh reads Welsh: picture, table, story, who looked, refusals; what is not in Welsh is marked."""

from __future__ import annotations

import re

import pytest

from astrack.settings import Settings
from astrack.store import Store
from astrack.web.welsh import TABLE
from tests.support.pages import Reader, form, served
from tests.support.small_school import SmallSchool, build

SAME_IN_BOTH = {"astrack"}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=4, years=1)


@pytest.fixture(scope="module")
def mia(small: SmallSchool) -> Reader:
    site = served(small)
    Reader(site, small, "tutor").get(f"/pupils/{small.pupils['Mia']}")
    reader = Reader(site, small, "Mia")
    assert '<html lang="cy">' in reader.get("/sit?lang=cy").text
    return reader


def texts(page: str) -> set[str]:
    """Every piece of text of a page, labels for screen readers among them, names of schools and goals left out."""
    body = page.partition("<body")[2]
    labels = re.findall(r'aria-label="([^"]+)"', body)
    return {one.strip() for one in [*re.findall(r">([^<>]+)<", body), *labels]}


def test_no_piece_of_a_pupils_story_is_left_in_english(mia: Reader) -> None:
    page = mia.get("/me").text
    found = texts(page)
    assert "yn gyffredinol; mae'r lefel go iawn yn y band 8 gwaith o bob 10" in {
        one.replace("&#39;", "'") for one in found
    }
    assert sorted(found & TABLE.keys() - {english for english in TABLE if TABLE[english] == english}) == []
    assert not re.search(
        r"\b(January|February|March|April|May|June|July|August|October|sitting|school,)\b", " ".join(found)
    )
    assert "Dychmygaist dy le" in page
    assert "tiwtor, addysgu a gofal" in page


def test_what_a_form_refuses_is_said_in_welsh(mia: Reader) -> None:
    page = mia.send(mia.get("/sit"), "/sit/begin", helped_by="")
    refused = mia.send(page, "/sit/answer", answer="9")
    assert refused.status_code == 422
    assert "Dy ateb: dewisa rif cyfan o 1 i 6." in refused.text
    assert "Mae angen edrych eto ar rywbeth" in refused.text and '<html lang="cy">' in refused.text
    found = form(page, "/sit/answer")
    late = mia.client.post(found.action, data={**found.values, "token": "x", "answer": "2"})
    assert "ymweliad cynharach" in late.text
    gone = mia.get("/no/such/page")
    assert gone.status_code == 404 and "Does dim byd yn y cyfeiriad hwn" in gone.text


def test_questions_that_are_in_english_only_are_said_to_be_and_marked(mia: Reader) -> None:
    assert "Yn Saesneg y mae" in mia.get("/sit").text
    page = mia.get("/sit/next").text
    assert '<html lang="cy">' in page
    assert re.search(r'<h1 lang="en">', page)
    assert 'data-lang="en"' in page
    english = mia.get("/sit?lang=en").text
    assert "The questions themselves" not in english
    mia.get("/sit?lang=cy")


def test_staff_and_families_read_english_whatever_the_browser_holds(small: SmallSchool, mia: Reader) -> None:
    tutor = Reader(mia.client.app, small, "tutor")  # type: ignore[arg-type]
    tutor.client.cookies.set("__Host-astrack-lang", "cy")
    page = tutor.get(f"/pupils/{small.school_id}")
    assert '<html lang="en">' in page.text and "There is nothing here for you" in page.text
