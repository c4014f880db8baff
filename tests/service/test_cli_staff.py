"""Staff on the command line: from nobody to a code that signs the first person in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from astrack import cli
from astrack.access.sessions import Sessions


def run(capsys: pytest.CaptureFixture[str], world: Any, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["staff", *arguments, "--school", str(world.school_id)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out.strip(), said.err.strip()


@pytest.fixture
def here(running: Any, school: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line in front of this test's own school."""
    monkeypatch.setattr("astrack.cli.common.App.open", lambda *_, **__: _Open(running))
    monkeypatch.setenv("COLUMNS", "200")
    return school


class _Open:
    """The App that is open already, not closed by one command."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __enter__(self) -> Any:
        return self._app

    def __exit__(self, *_: object) -> None:
        return None


def test_from_nobody_to_a_code_that_signs_in(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = run(capsys, here, "add", "Una Marsh")
    staff_id = json.loads(shown)["staff_id"]
    assert run(capsys, here, "grant", staff_id, "tutor", "--only", "year=5", "--only", "year=6")[0] == 0
    assert run(capsys, here, "trained", staff_id)[0] == 0
    _, code, _ = run(capsys, here, "invite", staff_id)
    signed = Sessions(here.app).sign_in(here.school_id, code, address="here").signed
    assert (str(signed.viewer.id), signed.viewer.role, signed.viewer.trained) == (staff_id, "tutor", True)
    assert signed.viewer.scope.dimensions == {"year": frozenset({"5", "6"})}
    _, listed, _ = run(capsys, here, "list")
    assert "tutor (year 5, 6)" in listed


def test_a_service_gets_a_key_and_a_person_does_not(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    service = json.loads(run(capsys, here, "add", "Roster sync", "--service")[1])["staff_id"]
    run(capsys, here, "grant", service, "administrator")
    _, key, _ = run(capsys, here, "key", service, "--days", "7")
    assert Sessions(here.app).signed(None, key).viewer.role == "administrator"
    _, less, _ = run(capsys, here, "key", service, "--only", "see_staff", "--only", "see_school")
    assert Sessions(here.app).signed(None, less).viewer.only == {"see_staff", "see_school"}
    assert run(capsys, here, "key", service, "--only", "anything")[0] == 2
    code, _, said = run(capsys, here, "key", str(here.staff["tutor"]))
    assert (code, "service client" in said) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["grant", "@", "root"], 2),
        (["grant", "@", "tutor", "--only", "year"], 2),
        (["invite", "00000000-0000-0000-0000-000000000009"], 3),
    ],
)
def test_a_wrong_argument_gets_one_sentence(
    here: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    ended, out, said = run(capsys, here, *[str(here.staff["tutor"]) if one == "@" else one for one in arguments])
    assert (ended, out) == (code, "")
    assert len(said.splitlines()) == 1


def test_whoever_leaves_cannot_sign_in_any_more(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tutor = here.as_("tutor")
    assert run(capsys, here, "leave", str(here.staff["tutor"]))[0] == 0
    assert tutor.get("/api/v1/me").status_code == 401
