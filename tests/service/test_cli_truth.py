"""Figures, a study's export and licensed totals on the command line: dry runs write nothing, bad files get one sentence."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from astrack.cli import common, main
from astrack.records import NoSuchPupil
from astrack.settings import Settings
from astrack.store import Store
from domain.identity import Identity, Person
from domain.journey.facts import FactCorrected
from domain.journey.outside import TotalsImported
from domain.safeguarding import OutcomeKnown, OutcomeTakenBack, standing_outcomes
from tests.support.small_school import SmallSchool, build

Run = Callable[..., tuple[int, str, str]]
INSTRUMENT = {"name": "another", "version": "2", "licence": "L-1", "totals": {"worry": {"least": 0, "most": 10}}}


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, years=1, with_past=False)


@pytest.fixture
def run(
    small: SmallSchool, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run one command about the small school; (exit code, what it printed, what it said about errors)."""
    monkeypatch.setenv("ASTRACK_HOME", str(settings.home))
    monkeypatch.setenv("ASTRACK_DATABASE", settings.database)
    monkeypatch.setenv("ASTRACK_SCHOOL", str(small.school_id))
    monkeypatch.setenv("COLUMNS", "400")

    def once(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        said = capsys.readouterr()
        return (stopped.value.code if isinstance(stopped.value.code, int) else 1), said.out, said.err

    return once


def test_figures_are_withheld_and_say_how_many_are_needed(run: Run) -> None:
    code, out, _ = run("truth")
    assert code == 0
    assert "withheld" in out and "0 of the 10 pupils with an outcome needed" in out and "not a PPV" in out


def test_groups_are_withheld_where_they_are_small(run: Run) -> None:
    code, out, _ = run("fairness")
    assert code == 0
    assert "withheld" in out and "No item stands out" in out


def test_a_study_is_exported_under_its_own_key_without_names_days_or_the_dsls_codes(
    run: Run, small: SmallSchool, tmp_path: Path
) -> None:
    run("pupil", "outcome", small.pupils["Tom"], "self_harm", "--source", "dsl")
    run("pupil", "outcome", small.pupils["Tom"], "bullied", "--source", "family")
    key, out = tmp_path / "key", tmp_path / "study.csv"
    key.write_bytes(b"k" * 32)
    code, said, _ = run("study", "export", out, "--key-file", key)
    assert code == 0 and "rows" in said
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert {row["what"] for row in rows} >= {"sat", "outcome"}
    assert [(row["code"], row["source"]) for row in rows if row["what"] == "outcome"] == [("bullied", "family")]
    assert "Tom" not in out.read_text() and "Hughes" not in out.read_text()
    key.write_bytes(b"short")
    code, _, wrong = run("study", "export", out, "--key-file", key)
    assert code == 2 and "at least 32" in wrong


def standing(small: SmallSchool, pupil_id: UUID) -> dict[UUID, OutcomeKnown]:
    return standing_outcomes(fact.event for fact in small.records.safeguarding_facts(pupil_id))


def test_an_outcome_of_the_dsl_recorded_in_error_is_taken_back_once_with_its_reason(
    run: Run, small: SmallSchool
) -> None:
    pupil = small.pupils["Ewan"]
    assert run("pupil", "outcome", pupil, "self_harm", "--source", "dsl")[0] == 0
    known = standing(small, pupil)
    (outcome_id,) = known
    code, _, wrong = run("pupil", "outcome-taken-back", pupil, UUID(int=1), "--why", "another pupil was meant")
    assert code != 0 and "this outcome is not on record" in wrong
    assert standing(small, pupil) == known
    assert run("pupil", "outcome-taken-back", pupil, outcome_id, "--why", "another pupil was meant")[0] == 0
    back = small.records.safeguarding_facts(pupil)[-1].event
    assert isinstance(back, OutcomeTakenBack)
    assert (back.outcome_id, back.why) == (outcome_id, "another pupil was meant")
    assert standing(small, pupil) == {}
    code, _, wrong = run("pupil", "outcome-taken-back", pupil, outcome_id, "--why", "once more")
    assert code != 0 and "taken back already" in wrong and "\n" not in wrong.strip()


def taken_in(small: SmallSchool, name: str) -> list[TotalsImported]:
    _, facts = small.records.journey(small.pupils[name])
    return [fact.event for fact in facts if isinstance(fact.event, TotalsImported)]


def files(tmp_path: Path, text: str, instrument: object = INSTRUMENT) -> tuple[Path, Path]:
    table, said = tmp_path / "totals.csv", tmp_path / "instrument.json"
    table.write_text(text)
    said.write_text(json.dumps(instrument))
    return table, said


def test_totals_are_shown_first_then_taken_in_once(run: Run, small: SmallSchool, tmp_path: Path) -> None:
    table, said = files(tmp_path, f"pupil,on,worry\n{small.pupils['Aisha']},2025-10-02,7\n")
    code, out, _ = run("totals", "import", table, "--instrument", said, "--dry-run")
    assert code == 0 and "nothing was written" in out and taken_in(small, "Aisha") == []
    for _ in range(2):
        assert run("totals", "import", table, "--instrument", said)[0] == 0
    (one,) = taken_in(small, "Aisha")
    assert (one.instrument, one.licence, one.totals["worry"].reached) == ("another", "L-1", 7)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("{a},2025-10-02,11\n", "row 2: a total lies outside"),
        ("{a},2025-10-02,x\n", "row 2: the total of worry is not a number"),
        ("{a},2025-10-02,1_0\n", "row 2: the total of worry is not a number"),
        ("{a},2025-W40-4,1\n", "row 2: the day is not"),
        ("{a},20251002,1\n", "row 2: the day is not"),
        ("{a},0001-01-01,1\n", "row 2: the day is more than 25 years ago"),
        ("\n,,\n{a},2025-10-02,x\n", "row 4: the total"),
        ("{a},2025-10-02,1,2\n", "row 2 has 4 cells"),
        ("{a},2025-10-02\n", "row 2 has 2 cells"),
        ("Hughes,2025-10-02,1\n", "row 2: no pupil"),
        (",2025-10-02,1\n", "row 2: no pupil"),
        ("{a},2099-10-02,1\n", "row 2: the day is still to come"),
        ("{a},2025-10-02,nan\n", "row 2"),
        ("nobody at all,2025-10-02,1\n", "row 2: no pupil"),
        ("{a},2025-10-02,\n", "row 2: there is no total"),
        ("{a},2025-10-02,1\n{a},2025-10-02,2\n", "twice"),
    ],
)
def test_a_bad_file_of_totals_gets_one_sentence_and_writes_nothing(
    run: Run, small: SmallSchool, tmp_path: Path, rows: str, says: str
) -> None:
    good = f"{small.pupils['Ewan']},2025-10-02,3\n" if "{a},2025-10-02,1\n{a}" not in rows else ""
    table, said = files(tmp_path, "pupil,on,worry\n" + rows.format(a=small.pupils["Lowri"]) + good)
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code != 0 and says in wrong
    assert taken_in(small, "Lowri") == [] and taken_in(small, "Ewan") == []


def test_a_fragment_of_a_name_finds_nobody_even_where_one_pupil_is_on_record() -> None:
    class One:
        """A school of one pupil."""

        class log:
            pupils = staticmethod(lambda count, after: [] if after else [SimpleNamespace(pupil_id=UUID(int=7))])

        identity = staticmethod(lambda one: Identity(Person(surname="Hughes", forename="Tom", upn="H801200001001",
                                                            date_of_birth=date(2014, 5, 1))))  # fmt: skip

    find = common.by_number(One())  # type: ignore[arg-type]
    assert find("h801200001001") == find(str(UUID(int=7))) == UUID(int=7)
    for part in ("", "Tom", "Hughes", "H80120000100", "00000000"):
        with pytest.raises(NoSuchPupil):
            find(part)


def test_a_mended_file_corrects_what_is_on_record_and_the_same_again_changes_nothing(
    run: Run, small: SmallSchool, tmp_path: Path
) -> None:
    pupil = small.pupils["Kofi"]
    said_last = ""
    for total, says in ((4, "1 new"), (6, "1 that correct"), (6, "1 on record already"), (4, "1 that correct")):
        table, said = files(tmp_path, f"pupil,on,worry\n{pupil},2025-10-02,{total}\n")
        code, said_last, _ = run("totals", "import", table, "--instrument", said)
        assert code == 0 and says in said_last
    journey, facts = small.records.journey(pupil)
    (first,) = [fact.event for fact in facts if isinstance(fact.event, TotalsImported)]
    assert first.totals["worry"].reached == 4
    corrections = [fact.event for fact in facts if isinstance(fact.event, FactCorrected)]
    assert [one.changes["totals"]["worry"]["reached"] for one in corrections] == [6, 4]
    now = journey.events[first.event_id]
    assert isinstance(now, TotalsImported) and now.totals["worry"].reached == 4


@pytest.mark.parametrize("scale", [{"least": 0, "most": float("inf")}, {"least": float("nan"), "most": 10}, {"least": 10, "most": 0},
                                   {"least": 5, "most": 5}, {"least": False, "most": 10}, {"least": "0", "most": 10}])  # fmt: skip
def test_a_scale_without_two_ends_in_order_is_refused_and_nothing_is_written(
    run: Run, small: SmallSchool, tmp_path: Path, scale: dict[str, float]
) -> None:
    wrong_one = {**INSTRUMENT, "totals": {"worry": scale}}
    table, said = files(tmp_path, f"pupil,on,worry\n{small.pupils['Ewan']},2025-10-02,3\n", wrong_one)
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code == 2 and "totals.worry" in wrong
    assert taken_in(small, "Ewan") == []


@pytest.mark.parametrize("content", ["[" * 5000 + "]" * 5000, '{"name": "a", "name": "b"}', "{", "\x00"])
def test_an_instruments_file_that_is_none_gets_one_sentence(
    run: Run, small: SmallSchool, tmp_path: Path, content: str
) -> None:
    table, said = files(tmp_path, f"pupil,on,worry\n{small.pupils['Ewan']},2025-10-02,3\n")
    said.write_text(content)
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code == 2 and "instrument's file" in wrong and "\n" not in wrong.strip()


def test_two_columns_of_one_name_are_refused(run: Run, small: SmallSchool, tmp_path: Path) -> None:
    table, said = files(tmp_path, f"pupil,on,worry,worry\n{small.pupils['Ewan']},2025-10-02,3,4\n")
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code == 2 and "same name" in wrong and taken_in(small, "Ewan") == []


def test_a_scale_the_instrument_has_not_is_refused(run: Run, small: SmallSchool, tmp_path: Path) -> None:
    table, said = files(tmp_path, f"pupil,on,joy\n{small.pupils['Ewan']},2025-10-02,3\n")
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code == 2 and "does not have" in wrong
    table, said = files(tmp_path, "pupil,on\n", {"name": "another"})
    code, _, wrong = run("totals", "import", table, "--instrument", said)
    assert code == 2 and "instrument's file" in wrong


def test_the_review_load_is_set_and_nonsense_refused(run: Run, small: SmallSchool) -> None:
    assert run("school", "review-load", "--most", "6", "--unflagged", "2")[0] == 0
    assert small.records.school_state().load.most == 6
    code, _, wrong = run("school", "review-load", "--most", "2", "--least", "3")
    assert code == 2 and "load must run" in wrong
