"""A sitting that an adult wrote for a pupil: said where it begins, and told wherever the sitting is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI

from astrack.cli import main
from astrack.settings import Settings
from astrack.store import Store
from domain import instrument
from domain.journey.refusals import HelpNotSaid
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

ITEMS = instrument.newest().items
ANSWERS = {item.id: 3 + n % 2 for n, item in enumerate(ITEMS)}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


def test_who_begins_says_that_an_adult_writes_and_it_holds_over_a_closed_lid(
    pages: FastAPI, small: SmallSchool
) -> None:
    first = Reader(pages, small, "Aisha")
    page = first.get("/sit")
    assert "Is an adult writing for you?" in page.text and "<details><summary>Is an adult" in page.text
    page = first.send(page, "/sit/begin", helped_by="teaching_assistant")
    first.send(first.send(page, "/sit/answer", answer="3", heard="yes"), "/sit/stop")
    second = Reader(pages, small, "Aisha")
    page = second.get("/sit")
    assert '<option value="teaching_assistant" selected>' in page.text and "<details open>" in page.text
    page = second.send(page, "/sit/begin")
    for number in range(len(ITEMS)):
        small.clock.at += timedelta(seconds=5)
        page = second.send(page, "/sit/answer", answer="3344"[number % 4])
    assert page.url.path == "/sit/done"
    sat = small.records.journey(small.pupils["Aisha"])[0].sittings[-1]
    assert (sat.round_id, sat.mode, sat.helped_by) == (small.open_round, "supported", "teaching_assistant")
    tutor = Reader(pages, small, "tutor")
    shown = tutor.get(f"/pupils/{small.pupils['Aisha']}").text
    assert "Supported: a teaching assistant wrote." in shown
    assert shown.count("an adult wrote for the pupil") >= 16, "each of the eight points says so, drawn and in the table"
    told = tutor.get(f"/api/v1/pupils/{small.pupils['Aisha']}").json()["sittings"][-1]
    assert (told["mode"], told["helped_by"]) == ("supported", "teaching_assistant")


def test_who_chooses_alone_again_is_taken_at_their_word_and_nobody_else_is_offered(
    pages: FastAPI, small: SmallSchool
) -> None:
    reader = Reader(pages, small, "Kofi")
    reader.send(reader.get("/sit"), "/sit/begin", helped_by="interpreter")
    page = reader.send(reader.get("/sit"), "/sit/begin", helped_by="")
    assert page.url.path == "/sit/next"
    assert "selected" not in reader.get("/sit").text
    refused = reader.send(reader.get("/sit"), "/sit/begin", helped_by="Mrs Example")
    assert refused.status_code == 422 and "choose one of those offered" in refused.text


def test_an_adult_who_helped_is_not_named_beside_a_sitting_that_was_not_supported(small: SmallSchool) -> None:
    with pytest.raises(HelpNotSaid):
        small.records.hand_in(
            small.ask("pupil"), small.pupils["Tom"], sitting_id=uuid4(), round_id=None, on=small.clock().date(),
            answers=ANSWERS, mode="alone", helped_by="teacher",
        )  # fmt: skip


def test_the_command_line_takes_how_it_was_answered_and_which_adult_wrote(
    small: SmallSchool, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("ASTRACK_HOME", str(settings.home))
    monkeypatch.setenv("ASTRACK_DATABASE", settings.database)
    (tmp_path / "answers.json").write_text(json.dumps(ANSWERS))

    def sit(*how: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["pupil", "sit", str(small.pupils["Lowri"]), str(tmp_path / "answers.json"), *how,
                  "--school", str(small.school_id)])  # fmt: skip
        return stopped.value.code, capsys.readouterr().err

    for how, says in (
        (("--mode", "by telephone"), "choose one of alone, read_aloud, supported"),
        (("--mode", "supported", "--helped-by", "Mrs Example"), "choose one of teacher, teaching_assistant"),
        (("--helped-by", "teacher"), "say that the sitting was supported"),
    ):
        code, said = sit(*how)
        assert code and says in said
    assert sit("--mode", "supported", "--helped-by", "interpreter")[0] == 0
    sat = small.records.journey(small.pupils["Lowri"])[0].sittings[-1]
    assert (sat.mode, sat.helped_by) == ("supported", "interpreter")
