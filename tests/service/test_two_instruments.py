"""Two instruments side by side: each sitting is scored, shown and compared by the one it names, and by no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace as with_changes
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from astrack import instruments, questions, replay
from astrack.cli import main
from astrack.settings import Settings
from astrack.store import Store
from astrack.store.types import BadSetting
from domain import instrument, risk, scoring
from domain.instrument import InstrumentTaken, InstrumentWrong, NoSuchInstrument
from domain.journey import facts as f
from domain.journey.state import Journey
from domain.scope import Scope
from projections import cohort, impact, truth
from tests.support.pages import Reader, served
from tests.support.second_instrument import content, put_into
from tests.support.small_school import SmallSchool, build

TODAY = date(2026, 3, 18)
EVERYBODY = Scope(everyone=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A trust's folder with two versions of its instrument; nothing of it is left in this process afterwards."""
    yield put_into(tmp_path_factory.mktemp("instruments"), 1, 2)
    instrument._added.clear()


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings, folder: Path) -> SmallSchool:
    return build(store, with_changes(settings, instruments=folder), years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


def journey(small: SmallSchool, name: str) -> Journey:
    return small.records.journey(small.pupils[name])[0]


def second_round(small: SmallSchool, version: int = 1) -> UUID:
    round_id = uuid4()
    small.records.open_round(
        small.ask(), round_id=round_id, name=f"Second island {version}", opens_on=TODAY, closes_on=TODAY,
        year_groups=(10,), instrument_name="island-two", instrument_version=version,
    )  # fmt: skip
    return round_id


def hand_in(small: SmallSchool, name: str, round_id: UUID, end: int) -> f.AssessmentSat:
    """A sitting of the second instrument with nearly all answers at one end."""
    tool = instrument.load("island-two", 1)
    answers = {one.id: end if one.keyed > 0 else 6 - end for one in tool.items}
    small.records.hand_in(
        small.ask("pupil"), small.pupils[name], sitting_id=uuid4(), round_id=round_id, on=TODAY, answers=answers
    )
    return next(
        fact.event for fact in reversed(small.records.journey(small.pupils[name])[1])
        if isinstance(fact.event, f.AssessmentSat)
    )  # fmt: skip


def test_the_instruments_of_a_folder_are_offered_beside_ours_and_listed(
    small: SmallSchool, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [(one.name, one.version) for one in instruments.offered()] == [
        ("astrack-demo", 1), ("island-two", 2), ("island-two", 1),
    ]  # fmt: skip
    assert instrument.newest().name == "astrack-demo"
    monkeypatch.setenv("ASTRACK_INSTRUMENTS", str(folder))
    for command in (["instrument", "list"], ["instrument", "check", str(folder / "island-two-2.toml")]):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        assert not stopped.value.code and "The second island again" in capsys.readouterr().out


def test_what_is_unsound_ours_by_name_or_otherwise_than_before_is_refused_by_name(
    small: SmallSchool, folder: Path, tmp_path: Path
) -> None:
    instruments.install(folder)  # the same again is nothing new
    for name, text, refused in (
        ("island-two-1.toml", content().replace(b"I sit back and rest", b"I sit back and read"), InstrumentTaken),
        ("astrack-demo-2.toml", content().replace(b"island-two", b"astrack-demo").replace(b"version = 1", b"version = 2"),
         InstrumentTaken),
        ("island-three-1.toml", content(), InstrumentWrong),
        ("island-two-1.toml", content()[:900], InstrumentWrong),
    ):  # fmt: skip
        for old in tmp_path.glob("*.toml"):
            old.unlink()
        (tmp_path / name).write_bytes(text)
        with pytest.raises(refused):
            instruments.install(tmp_path)
    with pytest.raises(BadSetting):
        instruments.install(tmp_path / "nowhere")
    with pytest.raises(NoSuchInstrument):
        instrument.load("island-three", 1)
    assert instrument.newest().version == 1


def test_a_round_is_opened_with_the_instrument_that_was_chosen_and_sat_with_its_own_steps(
    pages: FastAPI, small: SmallSchool
) -> None:
    office = Reader(pages, small, "administrator")
    page = office.get("/setup")
    assert "What is sat" in page.text and "The second island, version 1 (not validated)" in page.text
    form = {"name": "Their own", "opens_on": "2026-03-18", "closes_on": "2026-03-18", "year": "10"}
    done = office.send(page, "/setup/rounds", **form, instrument="island-two-1")
    assert "The round is open" in done.text
    refused = office.send(office.get("/setup"), "/setup/rounds", **form, instrument="island-nine-1")
    assert refused.status_code == 422 and "What is sat: choose one of those offered" in refused.text
    small.clock.at += timedelta(seconds=30)
    reader = Reader(pages, small, "Priya")
    page = reader.send(reader.send(reader.get("/sit"), "/sit/begin"), "/sit/answer", answer="3")
    assert "Choose one of the 5" in page.text and len(re.findall(r'<button name="answer"', page.text)) == 5
    assert "3. In between" in page.text and reader.send(page, "/sit/answer", answer="6").status_code == 422
    page = reader.get("/sit/next")
    for n in range(len(instrument.load("island-two", 1).items)):
        small.clock.at += timedelta(seconds=5)
        page = reader.send(page, "/sit/answer", answer="2334"[n % 4])
    assert page.url.path == "/sit/done"
    assert journey(small, "Priya").sittings[-1].instrument == ("island-two", 1)


def test_a_sitting_of_the_other_raises_no_sign_and_stands_in_the_story_by_its_own_cut_offs_not_in_the_picture(
    pages: FastAPI, small: SmallSchool
) -> None:
    tutor, path = Reader(pages, small, "tutor"), f"/pupils/{small.pupils['Tom']}"
    before, drawn = journey(small, "Tom"), tutor.get(path).text
    track = risk.track(risk.load_model(), before.sittings, TODAY)
    sat = hand_in(small, "Tom", second_round(small), 5)
    after = journey(small, "Tom")
    assert sat.usable and sat.values[0] == pytest.approx(5) and set(after.flags) == set(before.flags)
    again = risk.track(risk.load_model(), after.sittings, TODAY)
    assert again.days == track.days and (again.level == track.level).all()
    shown = tutor.get(path).text
    assert "Sat other questions (The second island)." in shown
    assert "In general: sharing almost always shares; trust of self almost always trusts self;" in shown
    assert (
        "no early sign rests on them" in shown and "island-two, version 1: The second island, not validated." in shown
    )
    assert shown.count("<circle") == drawn.count("<circle"), "its scale is another: it is not in the picture"


def test_figures_that_compare_numbers_leave_the_other_instrument_out(small: SmallSchool) -> None:
    def figures() -> tuple[object, ...]:
        small.app.views.catch_up(small.school_id)
        with small.app.views.reading(small.school_id) as cur:
            cells = cohort.cells(cur, small.school_id, EVERYBODY, "year", since=date(2025, 9, 1), until=TODAY)
            packs = [bytes(one.sat) for one in impact.packs(cur, small.school_id)]
            right = truth.right(cur, small.school_id, TODAY)
        return cells, packs, right.truth, right.drawn

    before = figures()
    round_id = second_round(small)
    hand_in(small, "Aisha", round_id, 1)
    hand_in(small, "Sam", round_id, 5)
    assert figures() == before


def test_every_sitting_is_scored_again_by_the_instrument_it_names(small: SmallSchool) -> None:
    names = set()
    for pupil_id in small.pupils.values():
        found = replay.again(small.records, pupil_id)
        assert (found.differences, found.unknown) == ([], frozenset())
        names |= {one.instrument for one in small.records.journey(pupil_id)[0].sittings}
    assert names == {("astrack-demo", 1), ("island-two", 1)}
    sat = hand_in(small, "Kofi", second_round(small), 2)
    assert scoring.rescore(sat).values == sat.values
    with pytest.raises(scoring.WrongInstrumentVersion):
        scoring.rescore(sat.model_copy(update={"instrument_version": 2}))


def test_items_are_compared_for_each_instrument_on_its_own(pages: FastAPI, small: SmallSchool) -> None:
    ours, theirs = questions.questions(small.app, small.school_id).items
    assert (ours.instrument.name, theirs.instrument.name, theirs.instrument.version) == (
        "astrack-demo",
        "island-two",
        1,
    )
    sat = {name: {one.instrument for one in journey(small, name).sittings if one.usable} for name in small.pupils}
    assert ours.pupils == sum(("astrack-demo", 1) in one for one in sat.values())
    assert theirs.pupils == sum(("island-two", 1) in one for one in sat.values()) > 2
    text = Reader(pages, small, "head").get("/truth/items").text
    assert "Each instrument is looked at on its own" in text and "The second island, version 1" in text
    told = Reader(pages, small, "head").get("/api/v1/fairness/items").json()
    assert [(one["instrument"], one["pupils"]) for one in told] == [
        ("astrack-demo", ours.pupils), ("island-two", theirs.pupils),
    ]  # fmt: skip
