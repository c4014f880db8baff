"""Who may do what, and what was set by whom: as a page, by the API and on the command line."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from astrack import changes
from astrack.settings import Settings
from astrack.store import Store
from domain.authority import ROLES, RULES
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build


@pytest.fixture(scope="module")
def small(store: Store, settings: Settings) -> SmallSchool:
    return build(store, settings, pupils=2, years=1, with_past=False)


@pytest.fixture(scope="module")
def pages(small: SmallSchool) -> FastAPI:
    return served(small)


def test_the_page_shows_each_action_with_what_each_role_reaches(pages: FastAPI, small: SmallSchool) -> None:
    text = unescape(Reader(pages, small, "tutor").get("/permissions").text)
    rows = {
        found[1].replace(" ", "_"): re.findall(r"<td>([^<]*)</td>", found[2])[2:]
        for found in re.finditer(r'<th scope="row">([^<]+)</th>(.*)</tr>', text)
    }
    assert set(rows) == set(RULES)
    assert all(len(cells) == len(ROLES) for cells in rows.values())
    assert rows["see_story"][ROLES.index("tutor")] == "in scope"
    assert rows["see_story"][ROLES.index("dpo")] == "after breaking the glass"
    assert rows["see_story"][ROLES.index("administrator")] == ""


def test_the_command_shows_the_same_table(run: Any) -> None:
    code, out, _ = run("permissions")
    assert code == 0
    told = {line.split()[0] for line in out.splitlines()[1:] if line.strip()}
    assert told == {str(action) for action in RULES}


def test_a_grant_is_listed_with_who_made_it_and_no_name(school: Any, here: Any, fresh_key: Any) -> None:
    office, newcomer = school.as_("administrator"), str(uuid4())
    office.post("/api/v1/staff", json={"staff_id": newcomer, "name": "Quentin"}, headers=fresh_key())
    grant = {"grant_id": str(uuid4()), "role": "tutor", "scope": {"dimensions": {"year": ["5"]}}}
    office.post(f"/api/v1/staff/{newcomer}/roles", json=grant, headers=fresh_key())
    newest = school.as_("auditor").get("/api/v1/changes?limit=2").json()
    first, before = newest["items"]
    assert (first["topic"], first["role"], first["by"]) == (
        "staff.role-granted.v1", "administrator", str(school.staff["administrator"]),
    )  # fmt: skip
    assert first["details"]["role"] == "tutor" and first["details"]["grant_id"] == grant["grant_id"]
    assert before["topic"] == "staff.added.v1" and "Quentin" not in str(newest)
    following = school.as_("auditor").get(f"/api/v1/changes?limit=2&cursor={newest['next']}").json()["items"]
    assert following[0]["position"] < before["position"]
    code, out, _ = here("changes", "--school", school.school_id, "--limit", "1")
    assert code == 0 and "staff.role-granted.v1" in out and grant["grant_id"] in out


def test_the_page_lists_changes_newest_first_and_leads_to_earlier_ones(pages: FastAPI, small: SmallSchool) -> None:
    auditor = Reader(pages, small, "auditor")
    page = auditor.get("/audit/changes")
    assert page.status_code == 200 and "was allowed to act in a role" in page.text
    assert "Nothing was set before this point" in auditor.get("/audit/changes?before=0").text
    assert auditor.get(f"/audit/changes?before={10**30}").status_code == 200
    assert auditor.get("/audit/changes?before=-5").status_code == 200


def test_looks_and_stories_are_no_changes() -> None:
    listed = changes.topics()
    assert not [one for one in listed if one.startswith(("access.", "journey.", "identity.", "safeguarding."))]
    assert {"staff.role-granted.v1", "school.registered.v1", "round.opened.v1", "school.webhook-added.v1"} <= set(
        listed
    )
