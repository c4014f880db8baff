"""A trust is compared as one; what is hidden of one school cannot be worked out from the whole and the others."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from astrack.reports import trust as reports_trust
from domain import impact
from domain.impact import funnel as impact_funnel
from tests.support.made_up_trust import NAMES, Made, made_up, report


@pytest.fixture(scope="module")
def world() -> Made:
    return made_up()


def test_what_is_left_of_the_whole_without_the_schools_shown_is_nobody_or_ten_pupils(world: Made) -> None:
    made = report(world)
    assert made.funnel is not None and made.found.primary is not None
    shown = {one.name for one in made.funnel.places}
    left = made.found.supported.classes["any_improvement"].of - sum(one.of for one in made.funnel.places)
    assert "Fir" not in shown and len(shown) >= 3
    assert left == 0 or left >= 10
    told = [said for _, said in made.schools if "too few" not in said]
    some = impact.comparable(world[1])
    at = world[0].school[some.pupil]
    named = [n for n, (_, said) in enumerate(made.schools) if "too few" not in said]
    rest = [int((~np.isin(at, named) & (some.supported == which)).sum()) for which in (True, False)]
    assert len(told) >= 3 and all(one == 0 or one >= 10 for one in rest)


def test_every_school_has_its_own_headline_which_is_that_of_its_own_pupils(world: Made) -> None:
    panel, found = world
    mine = impact.primary(found.where(panel.school[found.pupil] == 0), 1.0)[0]
    assert mine is not None
    said = dict(report(world).schools)
    assert list(said) == sorted(NAMES)
    assert f"{mine.supported} with a plan" in said["Ash"] and f"{mine.low:+.2f} to {mine.high:+.2f}" in said["Ash"]


def test_the_comparison_is_a_page_a_tagged_pdf_and_tables(world: Made) -> None:
    made = report(world)
    page, paper = reports_trust.html(made), reports_trust.pdf(made)
    assert page.count("<figure>") == 3 and "Newcombe" in page and "What may not be said" in page
    assert paper.startswith(b"%PDF") and b"/StructTreeRoot" in paper
    assert [one.name for one in made.tables] == [
        "trust", "impact", "impact-estimates", "impact-bias-bound", "trust-schools",
    ]  # fmt: skip


def test_every_column_of_a_table_has_a_name(world: Made) -> None:
    assert [one.name for one in report(world).tables if not all(one.head)] == []


def test_no_sentence_of_a_comparison_claims_a_cause_or_ranks(world: Made) -> None:
    text = re.sub("<[^>]+>", " ", reports_trust.html(report(world))).lower()
    assert not re.findall(r"\b(caused|because of|thanks to|led to|proves|due to|best|worst|ranked)\b", text)
    assert "hidden reason" in text and "nobody" in text


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((50, 50, 50), "None of the 3 schools lies farther from the mean than chance alone makes likely: they differ"),
        (
            (50,) * 11 + (90,),
            "1 of the 12 schools lies farther from the mean than chance alone makes likely: the others",
        ),
        ((50,) * 20 + (90, 90), "2 of the 22 schools lie farther"),
    ],
)
def test_how_many_schools_lie_farther_out_than_chance_is_said_in_words_that_fit(
    world: Made, counts: tuple[int, ...], says: str
) -> None:
    found = impact_funnel.funnel([(f"School {n}", count, 100) for n, count in enumerate(counts)])
    told = reports_trust.said(dataclasses.replace(report(world), funnel=found))
    assert told.startswith(says)
    assert told.endswith("Where a school lies says nothing of why.")
