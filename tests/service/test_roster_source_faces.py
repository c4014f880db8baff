"""The roster that comes by itself, by page, by API and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from astrack.settings import Settings
from astrack.store import Store
from tests.service.conftest import World, key
from tests.support.command import Run
from tests.support.pages import Reader, served
from tests.support.roster_server import SchoolSystem, serving, student
from tests.support.small_school import build


@pytest.fixture
def system() -> Iterator[SchoolSystem]:
    with serving(SchoolSystem([student(number) for number in range(20)])) as one:
        yield one


def test_the_page_sets_it_shows_what_would_change_and_a_person_says_that_many_left(
    store: Store, settings: Settings, system: SchoolSystem
) -> None:
    school = build(store, settings, pupils=0, years=1, with_past=False)
    school.clock.to(date(2026, 9, 10))
    office, here = Reader(served(school), school, "administrator"), "/setup/roster-source"
    registered = school.records.school_state().registered
    assert registered is not None
    system.urn = registered.school.lea + registered.school.estab
    wrong = office.send(office.get(here), here, **{**asdict(system.source()), "address": "ftp://mis.example"})
    assert wrong.status_code == 422 and "n address is https" in wrong.text and 'role="alert"' in wrong.text
    ready = office.send(office.get(here), here, **asdict(system.source()))
    assert "The roster is read from there once a day" in ready.text and system.secret not in ready.text
    plan = office.send(ready, here + "/read")
    assert "Nothing has been written yet" in plan.text and "20 pupils listed" in plan.text
    assert "The roster was taken in" in office.send(plan, "/setup/roster/apply").text
    system.students = system.students[:5]
    many = office.send(office.get(here), here + "/read")
    assert "Many would leave" in many.text
    assert office.send(many, "/setup/roster/apply").status_code == 409
    assert office.send(many, "/setup/roster/apply", confirm_leavers="yes").status_code == 200
    system.refuses["/orgs"] = 500
    refused = office.send(office.get(here), here + "/read")
    assert refused.status_code == 409 and "t does not give orgs (status 500)" in refused.text
    assert "The roster comes as files again" in office.send(office.get(here), here + "/end").text


def test_the_api_sets_it_reads_it_and_tells_what_came_of_it(school: World, system: SchoolSystem) -> None:
    office, at = school.as_("administrator"), "/api/v1/roster/source"
    assert office.get(at).json() == {"address": None, "last": None}
    assert office.post(at + "/read", headers=key()).status_code == 404
    assert office.put(at, json=asdict(system.source()), headers=key()).status_code == 200
    read = office.post(at + "/read", headers=key()).json()
    # this school has no number, and that system holds two schools
    assert read["came"] == "failed" and "none has this school's number" in read["said"]
    shown = office.get(at)
    assert shown.json()["last"] == read and system.secret not in shown.text
    assert office.post(at + "/end", headers=key()).status_code == 200
    assert office.get(at).json()["address"] is None


def test_the_command_line_sets_it_and_reads_it(here: Run, school: World, system: SchoolSystem, tmp_path: Path) -> None:
    secret, named = tmp_path / "secret", ("--school", school.school_id)
    secret.write_text(system.secret + "\n")
    source = system.source()
    code, said, _ = here(
        "roster", "set-source", source.address, "--token-address", source.token_address, "--client-id",
        source.client_id, "--secret-file", secret, *named,
    )  # fmt: skip
    assert code == 0 and "once a day" in said
    code, said, _ = here("roster", "pull", *named)
    assert code == 6 and json.loads(said)["came"] == "failed"
    assert json.loads(here("roster", "source", *named)[1])["address"] == source.address
    assert json.loads(here("roster", "source", "--end", *named)[1])["address"] is None
    secret.write_text("")
    code, _, wrong = here(
        "roster", "set-source", source.address, "--token-address", source.token_address, "--client-id", "a",
        "--secret-file", secret, *named,
    )  # fmt: skip
    assert code == 2 and "does not hold a secret" in wrong
