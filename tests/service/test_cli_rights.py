"""Rights on the command line: a request from its arrival to its answer, and erasing that takes two people."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from transfer.age import read_agekey, unseal_bytes

WHY = ("--why", "because somebody asked for it")


def told(done: tuple[int, str, str]) -> str:
    code, out, err = done
    assert code == 0, err
    return out


def test_a_request_is_taken_in_stopped_answered_by_a_sealed_copy_and_off_the_list(
    here: Any, school: Any, tmp_path: Path
) -> None:
    at, pupil = ("--school", school.school_id), school.pupil
    told(here("rights", "ask", pupil, "access", "--on", "2026-11-02", *at))
    (request,) = {one.split()[0] for one in told(here("rights", "list", *at)).splitlines() if "access" in one}
    assert "2026-12-02" in told(here("rights", "list", *at))
    told(here("rights", "stop", request, "identity", "--on", "2026-11-02", *at))
    assert "2026-12-02" not in told(here("rights", "list", *at))
    told(here("rights", "start", request, "--on", "2026-11-02", *at))
    told(here("rights", "competence", pupil, "--yes", *WHY, *at))
    assert "fact:" in told(here("rights", "items", request, *at))
    said = told(here("rights", "copy", request, "--out", tmp_path, *at))
    (sealed,) = tmp_path.glob("*.age")
    key = said.partition("nowhere:\n")[2].lstrip()
    assert unseal_bytes(sealed.read_bytes(), [read_agekey(key)]).startswith(b"PK")
    told(here("rights", "answer", request, "granted", *at))
    assert request not in told(here("rights", "list", *at))


def test_who_decides_on_erasing_does_not_carry_it_out_and_a_hold_stops_both(
    here: Any, school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, pupil = ("--school", school.school_id), school.far
    held = told(here("rights", "hold", pupil, *WHY, *at)).split()[-1]
    told(here("rights", "review", pupil, "erase", *WHY, *at))
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody-else")
    code, _, err = here("rights", "erase", pupil, *at)
    assert code != 0 and "hold" in err
    told(here("rights", "release", pupil, held, *WHY, *at))
    monkeypatch.undo()
    code, _, err = here("rights", "erase", pupil, *at)
    assert code != 0
    assert school.records.log.pupil(pupil) is not None


def test_a_word_that_is_none_of_the_choices_is_refused_with_the_choices(here: Any, school: Any) -> None:
    code, _, err = here("rights", "ask", school.pupil, "acess", "--school", school.school_id)
    assert code == 2 and "access" in err


def test_whoever_runs_the_machine_leaves_a_look_at_the_pupil_they_name_and_no_name(here: Any, school: Any) -> None:
    at = ("--school", school.school_id)
    assert here("pupil", "show", "Xylophone", *at)[0] == 0
    assert here("replay", school.pupil, "--as-of", "2026-11-02", *at)[0] == 0
    assert here("pupil", "list", *at)[0] == 0
    lines = school.as_("auditor").get("/api/v1/access-log?limit=200").json()["items"]
    seen = [(one["action"], one["role"], one["purpose"], one["pupils"]) for one in lines if one["role"] == "operator"]
    assert seen == [
        ("pupil show", "operator", "operation", [str(school.pupil)]),
        ("replay", "operator", "operation", [str(school.pupil)]),
        ("pupil list", "operator", "operation", []),
    ]
    own = school.as_("pupil").get(f"/api/v1/pupils/{school.pupil}/looks").json()
    assert ("operator", "operation") in [(one["role"], one["purpose"]) for one in own]
    assert "Xylophone" not in str(lines)
