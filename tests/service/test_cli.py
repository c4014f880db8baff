"""The command line as a school's office uses it: it works, and bad input gets one sentence, a code and changes nothing."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console

from astrack.cli import common
from astrack.cli.files import NOT_ALL
from astrack.store import Store
from tests.support.command import ONE, PUPIL, ROSTER, TWO, Run, events, one_sentence, roster


@pytest.fixture
def school(run: Run) -> str:
    """The id of a school of this test's own."""
    code, out, _ = run("school", "add", f"Brook {uuid4().hex[:6]}", "--lea", "330", "--estab", "2345")
    assert code == 0
    return str(json.loads(out)["school_id"])


def test_a_roster_is_looked_at_first_then_imported_and_again_changes_nothing(
    run: Run, school: str, store: Store, tmp_path: Path
) -> None:
    path, before = roster(tmp_path, ONE, TWO), events(store, school)
    code, out, _ = run("roster", "import", path, "--school", school, "--dry-run")
    assert code == 0 and "2" in out and events(store, school) == before
    assert run("roster", "import", path, "--school", school)[0] == 0
    grown = events(store, school)
    assert grown > before
    assert run("roster", "import", path, "--school", school)[0] == 0
    assert events(store, school) == grown


def test_a_new_school_key_shows_how_many_of_how_many_are_wrapped_anew(
    run: Run, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("roster", "import", roster(tmp_path, ONE, TWO), "--school", school)[0] == 0
    screen = io.StringIO()
    monkeypatch.setattr(common, "err", Console(file=screen, force_terminal=True))
    code, out, _ = run("rotate-school-key", "--school", school)
    assert code == 0 and "7 keys are under the school's new key" in out
    assert "Wrapping anew" in screen.getvalue() and "7/7" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert run("check-store", "--school", school)[0] == 0


BAD_ROSTERS = {
    "malformed": "<CTfile><Header>",
    "entity bomb": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><CTfile>&b;</CTfile>',
    "empty": "",
    "another kind": "<html></html>",
    "two pupils with one UPN": ROSTER.format(estab="2345", pupils=ONE + ONE.replace("Mabli", "Nia")),
}


@pytest.mark.parametrize("name", BAD_ROSTERS)
def test_a_bad_roster_gets_one_sentence_and_writes_nothing(
    run: Run, school: str, store: Store, tmp_path: Path, name: str
) -> None:
    path, before = tmp_path / "bad.xml", events(store, school)
    path.write_text(BAD_ROSTERS[name])
    code, _, said = run("roster", "import", path, "--school", school)
    assert code not in (0, 1) and one_sentence(said), said
    assert events(store, school) == before


def test_a_wrong_check_letter_holds_that_pupil_back_and_says_so(run: Run, school: str, tmp_path: Path) -> None:
    path = roster(tmp_path, ONE.replace("B801200005001", "A801200005001"), TWO)
    code, out, said = run("roster", "import", path, "--school", school)
    assert code == 3 and "held back" in said and "check letter" in out
    assert run("pupil", "list", "--school", school)[1].count("Bevan") == 1


@pytest.mark.parametrize("arguments", [
    ("roster", "import", "/nonexistent.xml"),
    ("round", "open", "Autumn", "--opens", "2026-13-01", "--closes", "2026-11-13", "--years", "4"),
    ("round", "open", "Autumn", "--opens", "2026-11-02", "--closes", "2026-11-13", "--years", "four"),
    ("pupil", "show", "nobody of that name"),
    ("replay", "nobody of that name", "--as-of", "2026-11-02"),
    ("transfer", "receive", "/nonexistent.tar.age"),
])  # fmt: skip
def test_bad_arguments_get_one_sentence_and_a_code(run: Run, school: str, arguments: tuple[str, ...]) -> None:
    code, _, said = run(*arguments, "--school", school)
    assert code not in (0, 1) and one_sentence(said), said


def test_a_database_that_is_not_there_gets_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRACK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    code, _, said = run("school", "list")
    assert code not in (0, 1) and one_sentence(said), said


def test_wrong_usage_says_where_help_is(run: Run) -> None:
    code, _, said = run("nonsense")
    assert code == 2 and "--help" in said


@pytest.fixture
def sealed(run: Run, school: str, tmp_path: Path) -> tuple[str, Path]:
    """A second school and a sealed file for it from the first."""
    code, out, _ = run("school", "add", f"Hill {uuid4().hex[:6]}", "--lea", "330", "--estab", "4205")
    other = str(json.loads(out)["school_id"])
    assert run("roster", "import", roster(tmp_path, ONE), "--school", school)[0] == 0
    words = {}
    for one in (school, other):
        assert run("keys", "show", "--school", one, "--out", tmp_path)[0] == 0
        code, out, _ = run("keys", "words", "--school", one)
        assert code == 0
        words[one] = out.strip()
    for one, there in ((school, other), (other, school)):
        assert run("keys", "trust", tmp_path / f"{there}.keys", "--words", words[there], "--school", one)[0] == 0
    code, out, said = run("transfer", "prepare", "Hartley", "--to", tmp_path / f"{other}.keys", "--accepted", "2026-06-01",
                          "--start", "2026-09-01", "--school", school, "--out", tmp_path)  # fmt: skip
    assert code == 0, said
    return other, next(iter(tmp_path.glob("*.tar.age")))


def test_a_whole_year_group_is_sealed_taken_in_and_acknowledged_at_once(
    run: Run, school: str, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, first = sealed
    third = PUPIL.format(upn="P207000016049", surname="Price", forename="Nia")
    assert run("roster", "import", roster(tmp_path, ONE, TWO, third), "--school", school)[0] == 0
    code, out, said = run("transfer", "prepare", "--year-group", "4", "Hartley", "--to", tmp_path / f"{other}.keys",
                          "--accepted", "2026-06-01", "--start", "2026-09-01", "--school", school)  # fmt: skip
    assert code == 2 and "not both" in said
    code, out, said = run("transfer", "prepare", "--year-group", "4", "--to", tmp_path / f"{other}.keys",
                          "--accepted", "2026-06-01", "--start", "2026-09-01", "--school", school,
                          "--out", tmp_path)  # fmt: skip
    assert code == 0, said
    files = sorted(set(tmp_path.glob("*.tar.age")) - {first})
    assert len(files) == 2, "one is frozen already"
    broken = tmp_path / "broken.tar.age"
    broken.write_bytes(files[0].read_bytes()[:-3])
    code, out, said = run("transfer", "receive", *files, broken, "--school", other, "--out", tmp_path)
    assert code == NOT_ALL and "broken.tar.age" in out, said
    receipts = sorted(tmp_path.glob("*.receipt"))
    assert len(receipts) == len(files)
    code, out, said = run("transfer", "acknowledge", *receipts, "--school", school)
    assert code == 0 and out.count("acknowledged") == len(files), said


def test_late_facts_are_sealed_and_follow_the_record(
    run: Run, school: str, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, record = sealed
    code, _, said = run("transfer", "supplement", "Hartley", "--school", school, "--out", tmp_path)
    assert code == 4 and one_sentence(said), said
    code, out, said = run("transfer", "supplement", "Hartley", "--note", "Seemed lost.", "--concern", "--school", school,
                          "--out", tmp_path)  # fmt: skip
    assert code == 0, said
    late = tmp_path / json.loads(out)["file_name"]
    code, _, said = run("transfer", "receive", late, "--school", other, "--out", tmp_path)
    assert code == 4 and "own file in first" in said
    for one in (record, late):
        assert run("transfer", "receive", one, "--school", other, "--out", tmp_path)[0] == 0
    code, _, said = run("transfer", "supplement", "Hartley", "--correct", str(uuid4()), "--change", "nothing",
                        "--school", school, "--out", tmp_path)  # fmt: skip
    assert code == 2 and "FIELD=VALUE" in said


def test_a_pupil_is_handed_over_and_the_receipt_comes_back(
    run: Run, school: str, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, path = sealed
    code, _, said = run("transfer", "receive", path, "--school", other, "--out", tmp_path)
    assert code == 0, said
    receipt = next(iter(tmp_path.glob("*.receipt")))
    assert run("transfer", "acknowledge", receipt, "--school", school)[0] == 0
    assert re.search("acknowledged", run("transfer", "list", "--school", school)[1])
    assert run("pupil", "list", "--school", other)[1].count("Hartley") == 1


def test_a_file_that_was_called_off_is_refused_once_the_notice_came(
    run: Run, school: str, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, path = sealed
    transfer = path.name.partition(".")[0]
    code, _, said = run("transfer", "recall", transfer, "--school", school, "--out", tmp_path)
    assert code != 0 and "call it off first" in said
    assert run("transfer", "withdraw", transfer, "--school", school)[0] == 0
    assert run("transfer", "recall", transfer, "--school", school, "--out", tmp_path)[0] == 0
    notice = next(iter(tmp_path.glob("*.recall")))
    assert run("transfer", "recalled", notice, "--school", other)[0] == 0
    code, _, said = run("transfer", "receive", path, "--school", other, "--out", tmp_path)
    assert code != 0 and "called it back" in said and one_sentence(said)


def test_a_bad_sealed_file_gets_one_sentence_and_writes_nothing(
    run: Run, store: Store, school: str, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, path = sealed
    whole = path.read_bytes()
    third = str(json.loads(run("school", "add", f"Dale {uuid4().hex[:6]}")[1])["school_id"])
    faults = {
        "truncated": (whole[: len(whole) // 2], other),
        "altered": (whole[:-10] + bytes([whole[-10] ^ 1]) + whole[-9:], other),
        "misaddressed": (whole, third),
        "of the sender": (whole, school),
    }
    for fault, (content, to) in faults.items():
        path.write_bytes(content)
        before = events(store, to)
        code, _, said = run("transfer", "receive", path, "--school", to, "--out", tmp_path)
        assert code not in (0, 1) and one_sentence(said), f"{fault}: {said}"
        assert events(store, to) == before, fault


def test_a_repeated_sealed_file_gives_the_same_receipt_and_writes_nothing(
    run: Run, store: Store, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, path = sealed
    assert run("transfer", "receive", path, "--school", other, "--out", tmp_path)[0] == 0
    receipt, before = next(iter(tmp_path.glob("*.receipt"))).read_bytes(), events(store, other)
    assert run("transfer", "receive", path, "--school", other, "--out", tmp_path)[0] == 0
    assert next(iter(tmp_path.glob("*.receipt"))).read_bytes() == receipt
    assert events(store, other) == before


def test_a_pupil_who_is_here_already_is_not_taken_in_twice(
    run: Run, store: Store, sealed: tuple[str, Path], tmp_path: Path
) -> None:
    other, path = sealed
    assert run("roster", "import", roster(tmp_path, ONE, estab="4205"), "--school", other)[0] == 0
    before = events(store, other)
    code, _, said = run("transfer", "receive", path, "--school", other, "--out", tmp_path)
    assert code not in (0, 1) and "here already" in said and one_sentence(said), said
    assert events(store, other) == before


def test_read_models_are_listed_and_read_again(run: Run, school: str, tmp_path: Path) -> None:
    run("roster", "import", roster(tmp_path, ONE, TWO), "--yes", "--school", school)
    assert run("projections", "rebuild", "risk_register", "--school", school)[0] == 0
    code, out, _ = run("projections", "list", "--school", school)
    assert code == 0 and re.search(r"risk_register +\d+ +0 +0", out)
    assert run("projections", "letters", "--school", school)[1] == "Every fact was taken.\n"
    code, out, _ = run("projections", "retry", "--school", school)
    assert (code, out) == (0, "0 facts were read again, 0 are still left out.\n")
    code, _, err = run("projections", "retry", "nonsense", "--school", school)
    assert code != 0 and "there is no read model 'nonsense'" in err


def test_a_read_model_is_printed_as_it_was(run: Run, school: str, store: Store, tmp_path: Path) -> None:
    before = events(store, school)
    assert run("roster", "import", roster(tmp_path, ONE, TWO), "--school", school)[0] == 0
    now = events(store, school)

    def pupils(*when: object) -> dict[str, Any]:
        code, out, said = run("projections", "as-of", "pupils", "--school", school, *map(str, when))
        assert code == 0, said
        found: dict[str, Any] = json.loads(out)
        return found

    assert pupils("--position", before)["rows"] == 0
    assert (pupils()["rows"], pupils()["entries"]) == (2, now) and len(pupils("--limit", 1)["shown"]) == 1
    assert pupils("--at", "2000-01-01")["rows"] == pupils("--at", "2000-01-01T00:00:00+00:00")["rows"] == 0
    assert pupils("--happened-by", "2000-01-01")["rows"] == 0
    assert events(store, school) == now


@pytest.mark.parametrize(
    "wrong",
    [["nothing"], ["pupils", "--at", "yesterday"], ["pupils", "--at", "2026-09-01T09:00:00"],
     ["pupils", "--at", "2026-09-01", "--position", "3"], ["pupils", "--happened-by", "soon"],
     ["pupils", "--position", "-1"]],
)  # fmt: skip
def test_a_wrong_moment_or_read_model_gets_one_sentence(run: Run, school: str, wrong: list[str]) -> None:
    code, out, said = run("projections", "as-of", *wrong, "--school", school)
    assert code not in (0, 1) and one_sentence(said) and not out, said
