"""Training, guidance, plans, reports and accreditation on the command line: they work, and refuse in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from astrack import cli
from astrack.accreditation import Accrediting
from astrack.records.support import Support
from domain import accreditation, guidance
from domain.staff import FIRST_MODULE

Run = Callable[..., tuple[int, str, str]]
GOOD = accreditation.Practice((95, 100), (50, 52), (3, 3), (12, 12), (30, 33), (20, 21), (4, 4), (2, 3))


class _Open:
    """The App that is open already, not closed by one command."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __enter__(self) -> Any:
        return self._app

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def run(running: Any, school: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command about this test's own school: (exit code, what it printed, what it said about errors)."""
    monkeypatch.setattr("astrack.cli.common.App.open", lambda *_, **__: _Open(running))
    monkeypatch.setenv("COLUMNS", "300")

    def once(*arguments: object, named: bool = True) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, arguments), *(["--school", str(school.school_id)] if named else [])])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return once


def test_somebody_is_trained_by_the_questions_drawn_for_them(run: Run, school: Any, tmp_path: Path) -> None:
    someone = school.staff["tutor"]
    code, out, _ = run("training", "draw", someone, FIRST_MODULE)
    asked = {one["id"] for one in json.loads(out)}
    right = {item.id: item.right for item, _ in Support(school.records).drawn(someone, FIRST_MODULE)}
    assert (code, asked) == (0, set(right))
    (tmp_path / "a.json").write_text(json.dumps(right))
    told = json.loads(run("training", "sit", someone, FIRST_MODULE, tmp_path / "a.json")[1])
    assert (told["right"], told["of"], set(told["explained"])) == (6, 6, asked)
    assert str(someone) in run("training", "levels")[1]
    code, _, said = run("training", "sit", someone, FIRST_MODULE, tmp_path / "a.json")
    assert (code, "open it again" in said) == (2, True)


def test_a_school_adds_guidance_and_retires_it(run: Run, tmp_path: Path) -> None:
    entry = {"id": "own.sleep", "say": "Too little sleep before tests.", "contexts": ["school"], "ages": ["8-11"]}
    (tmp_path / "e.json").write_text(json.dumps(entry))
    place = ("trust_of_self", "low", "school", "8-11")
    assert run("guidance", "add", "cause", "trust_of_self", "low", tmp_path / "e.json")[0] == 0
    assert "own.sleep" in run("guidance", "list", *place)[1]
    assert run("guidance", "retire", "own.sleep", "--why", "said twice")[0] == 0
    assert "own.sleep" not in run("guidance", "list", *place)[1]
    assert run("guidance", "review", "fl.careful-child", "--reviewer", "Dr Lee", "--on", "2026-01-10")[0] == 0
    assert "Dr Lee" in run("guidance", "list", "flat", "-", "-", "8-11")[1]
    code, _, said = run("guidance", "retire", "no.such")
    assert (code, said.strip()) == (3, "there is no guidance called no.such: choose one from the library")


def test_a_group_plan_needs_an_owner_who_sees_every_pupil(run: Run, school: Any) -> None:
    fit = guidance.load().suggest("trust_of_self", "low", "school", "8-11")
    plan = ("--goal", "Tries a first answer", "--cause", fit.causes[0].id, "--risk", fit.risks[0].id,
            "--signpost", fit.signposts[0].id, "--signpost", "Walk the dog", "--about", "trust_of_self.low.school")  # fmt: skip
    both = (school.pupil, school.far)
    code, _, said = run("plan", "group", *both, "--owner", school.staff["tutor"], *plan)
    assert (code, "must be somebody here who can see this pupil" in said) == (4, True)
    assert school.records.journey(school.pupil)[0].plans == {}
    code, out, said = run("plan", "group", *both, "--owner", school.staff["dsl"], *plan)
    assert code == 0, said
    asked = (*plan[:1], "Is never late", *plan[2:])
    code, _, told = run("plan", "group", *both, "--owner", school.staff["dsl"], *asked)
    assert (code, 'the goal says "never"' in told) == (2, True)
    assert run("plan", "open", school.pupil, "--owner", school.staff["dsl"], *asked, "--keep-words")[0] == 0
    assert json.loads(out)["pupils"] == [str(one) for one in both]
    (made,) = (one.opened for one in school.records.journey(school.far)[0].plans.values())
    assert (made.signposts, made.own_strategies, made.pole) == ((fit.signposts[0].id,), ("Walk the dog",), "low")
    assert "No plan waits" in run("plan", "reminders")[1]


def test_a_report_is_written_and_put_on_record(run: Run, school: Any, tmp_path: Path) -> None:
    code, out, said = run("report", "--since", "2026-01-01", "--until", "2026-11-01", "--out", tmp_path)
    assert code == 0, said
    assert {"report.html", "report.pdf", "screening.csv", "training.csv"} <= {one.name for one in tmp_path.iterdir()}
    assert len(Support(school.records).reports_made()) == 1
    assert "too few pupils" in out
    assert "From 2026-01-01 to 2026-11-01." in out


def test_a_report_without_days_is_on_the_newest_half_year_that_can_be_told(here: Run, school: Any) -> None:
    code, out, said = here("report")
    assert code == 0, said
    assert "From 2026-03-01 to 2026-08-31." in out or "From 2025-09-01 to 2026-02-28." in out
    assert "From " in here("trust")[1]


def test_schools_of_a_trust_are_put_side_by_side(run: Run, school: Any, tmp_path: Path) -> None:
    code, out, said = run("trust", "--since", "2026-01-01", "--until", "2026-11-01", "--out", tmp_path)
    assert code == 0, said
    assert "Too few schools" in out
    assert (tmp_path / "trust.pdf").read_bytes().startswith(b"%PDF")
    assert "Mill Lane Primary" in (tmp_path / "trust.html").read_text()


def test_an_award_is_made_checked_and_revoked(
    run: Run, school: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = ("--by", school.staff["accreditor"])
    stated = ("--accreditor", "Dr Outside", "--interests", "none", "--until", "2028-10-01")
    assert "nothing" not in run("accreditation", "evidence")[1]
    assert run("accreditation", "award", *by, *stated)[0] == 4
    monkeypatch.setattr(Accrediting, "practice", lambda self, today: GOOD)
    assert run("accreditation", "award", "--by", school.staff["head"], *stated)[2].startswith("nobody who works at")
    award_id = json.loads(run("accreditation", "award", *by, *stated)[1])["award_id"]
    badge = tmp_path / "accreditation.jwt"
    badge.write_text(Accrediting(school.app, school.records).badge(UUID(award_id), "https://a.example/r"))
    assert "the award stands" in run("accreditation", "check", badge, named=False)[1]
    assert award_id in run("accreditation", "register", named=False)[1]
    assert run("accreditation", "revoke", award_id, *by, "--why", "not as shown")[0] == 0
    code, out, _ = run("accreditation", "check", badge, named=False)
    assert (code, "was revoked" in out) == (4, True)


def test_difficulties_are_not_proposed_from_too_few_answers(run: Run, tmp_path: Path) -> None:
    code, _, said = run("training", "calibrate", "--out", tmp_path / "d.json", named=False)
    assert code == 4 and "wait for more" in said
    assert not (tmp_path / "d.json").exists()
