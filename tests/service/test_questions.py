"""How repeatable answers are, on the page, by the API and by the command: two questions apart, and too few said."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
from fastapi import FastAPI
from scipy import stats

from astrack import questions
from astrack.cli import main
from astrack.records.sitting import Sitting
from astrack.settings import Settings
from astrack.store import Store
from domain import instrument
from domain.identity import Person
from domain.instrument import CELLS, FACTORS
from domain.scoring.many import score_many
from domain.statistics import cronbach_alpha, icc_2_1
from projections import truth
from tests.support.pages import Reader, served
from tests.support.small_school import NOW, SmallSchool, build

LISTED = 40


@dataclass
class Told:
    """The school, its pages, and what each pupil chose in the sitting before and in the newest."""

    small: SmallSchool
    pages: FastAPI
    before: list[dict[str, int]]
    newest: list[dict[str, int]]


def answers(level: float, chance: random.Random) -> dict[str, int]:
    wishes = {item.id: level + chance.gauss(0, 0.9) for item in instrument.newest().items}
    turned = {item.id: wishes[item.id] if item.keyed > 0 else 7 - wishes[item.id] for item in instrument.newest().items}
    return {name: min(6, max(1, round(wish))) for name, wish in turned.items()}


@pytest.fixture(scope="module")
def told(store: Store, settings: Settings) -> Told:
    small = build(store, settings, years=1, with_past=False, pupils=0)
    records, chance = small.records, random.Random(3)
    levels = [chance.uniform(1.5, 5.5) for _ in range(LISTED)]
    born = NOW.date().replace(year=2011)
    pupils = []
    for number in range(LISTED):
        person = Person(surname=f"Marl{number}", forename="Jo", date_of_birth=born)
        pupils.append(records.admit(small.ask(), person, on=NOW.date(), year_group=10)["pupil_id"])
    both = [[answers(level, chance) for level in levels] for _ in range(2)]
    for made, round_id in zip(both, (None, small.open_round), strict=True):
        given = [Sitting(pupil, small.app.new_id(), one) for pupil, one in zip(pupils, made, strict=True)]
        small.clock.to(small.clock().date().replace(day=18 if round_id is None else 19))
        records.hand_in_class(small.ask(), given, round_id=round_id, on=small.clock().date())
    return Told(small, served(small), *both)


def keyed(chosen: list[dict[str, int]], cell: int) -> np.ndarray:
    items = [item for item in instrument.newest().items if item.cell == cell]
    return np.array([[one[item.id] if item.keyed > 0 else 7 - one[item.id] for item in items] for one in chosen])


def values(chosen: list[dict[str, int]]) -> np.ndarray:
    tool = instrument.newest()
    return score_many(tool, np.array([[one[item.id] for item in tool.items] for one in chosen], dtype=np.int8)).values


def test_both_questions_are_answered_from_the_record_with_their_intervals(told: Told) -> None:
    rows = Reader(told.pages, told.small, "head").get("/api/v1/reliability").json()
    assert [(row["context"], row["factor"]) for row in rows] == list(CELLS)
    for cell, row in enumerate(rows):
        assert row["alpha"]["value"] == pytest.approx(cronbach_alpha(keyed(told.newest, cell)))
        pairs = np.stack([values(one)[:, cell] for one in (told.before, told.newest)], axis=1)
        assert row["retest"]["value"] == pytest.approx(stats.pearsonr(*pairs.T).statistic)
        assert row["icc"]["value"] == pytest.approx(icc_2_1(pairs))
        assert all(0 < row[one]["low"] < row[one]["value"] < row[one]["high"] < 1 for one in ("alpha", "retest", "icc"))
        assert row["alpha"]["pupils"] == row["icc"]["pupils"] == LISTED


def test_the_page_and_the_command_say_the_same(
    told: Told, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = Reader(told.pages, told.small, "head").get("/api/v1/reliability").json()
    text = Reader(told.pages, told.small, "head").get("/truth/items").text
    for row in rows:
        assert f'{row["alpha"]["value"]:.2f} <span class="nowrap">({row["alpha"]["low"]:.2f} to' in text
    names = {"HOME": str(settings.home), "DATABASE": settings.database, "SCHOOL": str(told.small.school_id)}
    for name, value in names.items():
        monkeypatch.setenv(f"ASTRACK_{name}", value)
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        main(["reliability", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert [one["alpha"] for one in said] == [row["alpha"] for row in rows]
    with pytest.raises(SystemExit):
        main(["reliability"])
    assert f"{rows[0]['icc']['value']:.2f} ({rows[0]['icc']['low']:.2f}, " in capsys.readouterr().out


def test_what_was_found_is_kept_until_a_sitting_or_a_group_changes(told: Told) -> None:
    small = told.small
    first = questions.questions(small.app, small.school_id)
    small.records.set_review_load(small.ask(), small.records.school_state().load.model_copy(update={"most": 7}))
    assert questions.questions(small.app, small.school_id) is first
    person = Person(surname="Late", forename="Jo", date_of_birth=NOW.date().replace(year=2011))
    late = small.records.admit(small.ask(), person, on=NOW.date(), year_group=10)["pupil_id"]
    given = [Sitting(late, small.app.new_id(), told.newest[0])]
    small.records.hand_in_class(small.ask(), given, round_id=small.open_round, on=small.clock().date())
    again = questions.questions(small.app, small.school_id)
    assert again is not first and again.scales[0].said.alpha.pupils == LISTED + 1
    assert again.scales[0].said.retest.pupils == LISTED


def test_who_lately_could_not_be_read_counts_with_the_newest_sitting_that_could(told: Told) -> None:
    small = told.small
    before = questions.questions(small.app, small.school_id).scales[0].said.alpha
    with small.app.views.reading(small.school_id) as cur:
        pupil = truth.flagged(cur, small.school_id)[0].pupil_id
    alike = {item.id: 3 for item in instrument.newest().items}
    for _ in range(questions.RECENT):
        given = [Sitting(pupil, small.app.new_id(), alike)]
        small.records.hand_in_class(small.ask(), given, round_id=None, on=small.clock().date())
    recent = dict(small.records.sat([pupil], questions.RECENT))[pupil]
    assert [one.usable for one in recent] == [False] * questions.RECENT
    assert sum(one.usable for one in dict(small.records.sat([pupil]))[pupil]) == 2
    assert questions.questions(small.app, small.school_id).scales[0].said.alpha == before


def test_a_sitting_says_how_far_it_lies_from_an_end_and_its_gaps_with_their_own_error(told: Told) -> None:
    small = told.small
    small.app.views.catch_up(small.school_id)
    with small.app.views.reading(small.school_id) as cur:
        pupil = next(one.pupil_id for one in truth.flagged(cur, small.school_id))
    sat = Reader(told.pages, small, "lead_practitioner").get(f"/api/v1/pupils/{pupil}").json()["sittings"][-1]
    poles = instrument.newest().poles
    assert sat["from_end"] == pytest.approx([min(one - poles.low, poles.high - one) for one in sat["values"]])
    assert [one["factor"] for one in sat["gaps"]] == list(FACTORS)
    for at, gap in enumerate(sat["gaps"]):
        assert gap["apart"] == pytest.approx(sat["values"][at + 4] - sat["values"][at])
        assert gap["error"] == pytest.approx(math.hypot(sat["errors"][at], sat["errors"][at + 4]))


def test_too_few_is_said_with_how_many_are_needed(store: Store, settings: Settings) -> None:
    small = build(store, settings, years=1, with_past=False)
    head = Reader(served(small), small, "head")
    row = head.get("/api/v1/reliability").json()[0]
    assert (row["alpha"]["value"], row["retest"]["value"], row["needed"]) == (None, None, 30)
    assert "not yet: 8 of 30 pupils" in head.get("/truth/items").text
